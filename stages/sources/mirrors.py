"""Mirrors of the gzip files that MNIST's authors published."""

import gzip
import http.client
import sys
from collections.abc import Iterable, Iterator
from urllib.request import Request, urlopen

from stages.mnist.files import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, Pin, fault
from stages.sources import SourceError

TIMEOUT = 30  # seconds without a byte
# Those of torchvision.datasets.MNIST (torchvision/datasets/mnist.py), which takes long to import.
MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/")
GZIP_PINS = {
    TRAIN_IMAGES: Pin(
        9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
    ),
    TRAIN_LABELS: Pin(28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    TEST_IMAGES: Pin(1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    TEST_LABELS: Pin(4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
}


def download(mirror: str, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Download files from one mirror, a URL that ends in a slash, and decompress them.

    Raises:
        SourceError: at the first file that the mirror does not send as it should be.
    """
    for name in names:
        url, pin = f"{mirror}{name}.gz", GZIP_PINS[name]
        print(f"downloading {url} ({pin.size:,} bytes)", file=sys.stderr)
        # Some servers reject urllib's own user agent.
        request = Request(url, headers={"User-Agent": "Mozilla/5.0"})
        try:
            with urlopen(request, timeout=TIMEOUT) as response:
                content = response.read(pin.size + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SourceError(f"{url}: {error}") from error
        if wrong := fault(content, pin):
            raise SourceError(f"{url} {wrong}")
        yield name, gzip.decompress(content)
