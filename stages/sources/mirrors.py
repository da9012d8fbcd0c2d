"""The first source: the gzip files of the authors' site, on the mirrors that torchvision names."""

import http.client
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterable

from tqdm import tqdm

from stages.mnist import files
from stages.mnist.files import Pin
from stages.sources import SourceError, checked, decompress

SECONDS_PER_READ = 30

# The files of the authors' site, as torchvision's mirrors carry them.
GZIP_PINS = {
    files.TRAIN_IMAGES: Pin(
        9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
    ),
    files.TRAIN_LABELS: Pin(
        28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
    ),
    files.TEST_IMAGES: Pin(
        1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
    ),
    files.TEST_LABELS: Pin(
        4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
    ),
}


class NoAnswerError(SourceError):
    """A server that could not be reached, or closed the connection without a reply."""


def mirrors(names: Iterable[str], hosts: list[str] | None = None) -> dict[str, bytes]:
    """Download gzip files and decompress them.

    Args:
        names: IDX file names, keys of `files.PINS`.
        hosts: addresses that end in a slash; None means torchvision's own.

    Raises:
        SourceError: no host had one of the files; it says what each host answered.
    """
    hosts = list(torchvision_mirrors() if hosts is None else hosts)
    contents = {}
    for name in names:
        answers = []
        for host in list(hosts):
            try:
                packed = download(f"{host}{name}.gz", GZIP_PINS[name])
                contents[name] = checked(decompress(packed, files.PINS[name].size), name)
                break
            except NoAnswerError as error:
                # Each further try would cost a machine without a route the whole timeout again.
                hosts.remove(host)
                answers.append(str(error))
            except SourceError as error:
                answers.append(str(error))
        else:
            raise SourceError("; ".join(answers) or "every mirror stopped answering")
    return contents


def torchvision_mirrors() -> list[str]:
    """The addresses that `torchvision.datasets.MNIST` downloads from."""
    try:
        with warnings.catch_warnings():
            # torchvision warns of optional parts that it was built without.
            warnings.simplefilter("ignore")
            from torchvision.datasets import MNIST
    except (ImportError, OSError, RuntimeError) as error:
        raise SourceError(f"torchvision cannot be imported ({error})") from error
    return list(MNIST.mirrors)


def download(url: str, pin: Pin) -> bytes:
    """Download `url`, never more than a byte beyond the pinned size.

    Raises:
        NoAnswerError: the server could not be reached.
        SourceError: it answered, but not with the bytes pinned.
    """
    # Some servers turn away urllib's own name.
    request = urllib.request.Request(url, headers={"User-Agent": "Mozilla/5.0"})
    try:
        response = urllib.request.urlopen(request, timeout=SECONDS_PER_READ)
    except urllib.error.HTTPError as error:
        error.close()
        raise SourceError(f"{url} answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswerError(f"{url} did not answer ({reason(error)})") from error
    content = bytearray()
    bar = tqdm(total=pin.size, desc=url.rpartition("/")[2], unit="B", unit_scale=True, disable=None)
    with response, bar:
        try:
            # read1 returns what has come, so the timeout holds for each read; of 0 bytes, nothing.
            while chunk := response.read1(min(65_536, pin.size + 1 - len(content))):
                content += chunk
                bar.update(len(chunk))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SourceError(
                f"{url} stopped after {len(content):,} of {pin.size:,} bytes ({reason(error)})"
            ) from error
    content = bytes(content)
    if wrong := files.fault(content, pin):
        raise SourceError(f"what {url} sent {wrong}")
    return content


def reason(error: Exception) -> str:
    """An exception's own words, without urllib's wrapping."""
    return str(getattr(error, "reason", error)) or type(error).__name__
