"""Ways to harm a file, which several tests share."""

import os
from pathlib import Path


def flip(path: Path) -> None:
    """Change one bit in the middle of a file, as a failing disk does."""
    content, rights = bytearray(path.read_bytes()), path.stat().st_mode
    content[len(content) // 2] ^= 1
    path.unlink()  # the objects of DVC's cache may not be written, but removed
    path.write_bytes(content)
    path.chmod(rights)


def cut(path: Path) -> None:
    """Leave the first half of a file, no whole line at its end."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2].rstrip(b"\n"))


class Trap:
    """Pickled, it makes a folder where it is loaded without care."""

    def __init__(self, canary: Path):
        self.canary = canary

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.canary),)
