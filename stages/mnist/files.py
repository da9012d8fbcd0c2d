"""The four raw IDX files: their names, sizes and hashes, and how to tell them from others."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from stages.system import messages

FOLDER = Path("data/mnist")


class Pin(NamedTuple):
    """The exact size in bytes and the SHA-256 (hex) of a file."""

    size: int
    sha256: str


TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
PINS = {
    TRAIN_IMAGES: Pin(
        47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
    ),
    TRAIN_LABELS: Pin(60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    TEST_IMAGES: Pin(7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    TEST_LABELS: Pin(10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}


def fault(content: bytes, pin: Pin) -> str | None:
    """Say how `content`, which may be cut one byte after the pinned size, differs from its pin."""
    if len(content) > pin.size:
        return f"has more than the {pin.size:,} bytes expected"
    if len(content) < pin.size:
        return f"has {len(content):,} bytes, not the {pin.size:,} expected"
    found = hashlib.sha256(content).hexdigest()
    return None if found == pin.sha256 else f"has SHA-256 {found}, not the expected {pin.sha256}"


def read(path: Path, pin: Pin) -> tuple[bytes, str | None]:
    """Read a file, at most one byte more than its pin says.

    Returns:
        Its bytes, and what is wrong with them: None if they are the pinned ones.

    Raises:
        OSError: it cannot be read.
    """
    if not path.is_file():  # a pipe or a device might never end
        return b"", "is missing or is not a file"
    with path.open("rb") as file:
        content = file.read(pin.size + 1)
    return content, fault(content, pin)


def verified(name: str, folder: Path = FOLDER) -> bytes:
    """Read one of the four files.

    Raises:
        UserError: it is missing or corrupt.
    """
    content, wrong = read(folder / name, PINS[name])
    if wrong:
        raise messages.mnist_corrupt(folder / name, wrong)
    return content
