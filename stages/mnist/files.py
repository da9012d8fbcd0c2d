"""The four raw IDX files: their names, sizes and SHA-256, and whether given bytes are theirs."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path("data/mnist")


@dataclass(frozen=True)
class Pin:
    """The exact size in bytes and the SHA-256 (hex) of one file."""

    size: int
    sha256: str


TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"

PINS = {
    TRAIN_IMAGES: Pin(
        47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
    ),
    TRAIN_LABELS: Pin(60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    TEST_IMAGES: Pin(7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    TEST_LABELS: Pin(10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}


def fault(content: bytes, pin: Pin) -> str | None:
    """Say how `content` differs from what is pinned; None where it does not.

    `content` may be cut one byte after the pinned size: that is enough to tell that it is too long.
    """
    if len(content) > pin.size:
        return f"has more than the {pin.size:,} bytes expected"
    if len(content) < pin.size:
        return f"has {len(content):,} bytes, not the {pin.size:,} expected"
    found = hashlib.sha256(content).hexdigest()
    if found != pin.sha256:
        return f"has SHA-256 {found}, not the expected {pin.sha256}"
    return None


def read(path: Path, pin: Pin) -> tuple[bytes, str | None]:
    """Read a file once, one byte beyond the pinned size at most.

    Returns:
        Its bytes, and what is wrong with them (None: they are those pinned). A path that is no
        regular file is "missing", without bytes.
    """
    # A pipe or a device would block or never end.
    if not path.is_file():
        return b"", "is missing or is not a file"
    try:
        with path.open("rb") as file:
            content = file.read(pin.size + 1)
    except OSError as error:
        return b"", f"cannot be read ({error.strerror})"
    return content, fault(content, pin)
