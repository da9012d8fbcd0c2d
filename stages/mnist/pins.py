"""The four raw IDX files: names, sizes and hashes, by which every reader checks them."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from stages.system import errors, messages

FOLDER = Path("data/mnist")


class Pin(NamedTuple):
    """The exact size of a file in bytes, and its SHA-256 in hex."""

    size: int
    sha256: str

    def fault(self, content: bytes) -> str | None:
        """Say how `content` differs from the pinned file; None if it does not."""
        if len(content) > self.size:
            return f"has more than the {self.size:,} bytes expected"
        if len(content) < self.size:
            return f"has {len(content):,} bytes, not the {self.size:,} expected"
        if (found := hashlib.sha256(content).hexdigest()) != self.sha256:
            return f"has SHA-256 {found}, not the expected {self.sha256}"
        return None


TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
PINS = {
    TRAIN_IMAGES: Pin(47040016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    TRAIN_LABELS: Pin(60008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    TEST_IMAGES: Pin(7840016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    TEST_LABELS: Pin(10008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}


def check(path: Path) -> bytes:
    """Return the content of one of the four files, or raise a CorruptError."""
    pin = PINS[path.name]
    if not path.is_file():  # a pipe or a device might never end
        raise errors.CorruptError(f"{path} is missing or is not a file")
    with path.open("rb") as file:
        content = file.read(pin.size + 1)
    if wrong := pin.fault(content):
        raise errors.CorruptError(f"{path} {wrong}")
    return content


def read(path: Path) -> bytes:
    """Return the content of one of the four files, or raise a UserError."""
    try:
        return check(path)
    except errors.CorruptError as error:
        raise messages.error("mnist corrupt", fault=error) from error
