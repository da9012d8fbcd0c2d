"""Reading MNIST's images and labels from the four IDX files."""

from pathlib import Path

import torch

from stages.mnist import files
from stages.system.errors import UserError

SPLITS = {
    "train": (files.TRAIN_IMAGES, files.TRAIN_LABELS),
    "test": (files.TEST_IMAGES, files.TEST_LABELS),
}


def load(split: str, folder: Path = files.FOLDER) -> tuple[torch.Tensor, torch.Tensor]:
    """Load a split, after checking that its two files are the canonical ones.

    Args:
        split: "train" (N = 60,000) or "test" (N = 10,000).
        folder: where the IDX files are.

    Returns:
        Images, uint8 (N, 28, 28), 0 background to 255 ink, and labels, int64 (N,), 0 to 9.

    Raises:
        UserError: a file is missing or damaged.
    """
    images, labels = (_bytes(folder / name, files.PINS[name]) for name in SPLITS[split])
    # 16 and 8 bytes of header; the hashes were checked, so it needs no parsing.
    return (
        torch.frombuffer(images, dtype=torch.uint8, offset=16).view(-1, 28, 28),
        torch.frombuffer(labels, dtype=torch.uint8, offset=8).long(),
    )


def _bytes(path: Path, pin: files.Pin) -> bytearray:
    content, wrong = files.read(path, pin)
    if wrong:
        # DVC 3.67 takes a deleted file from its cache, but not in place of a damaged one.
        raise UserError(
            f"{path} {wrong}; delete it and run `dvc repro fetch` (offline: `make mend`, then "
            f"`dvc checkout {files.FOLDER}`)"
        )
    # torch warns of a buffer that it could not write to.
    return bytearray(content)
