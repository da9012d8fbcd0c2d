"""Reading MNIST's images and labels from the four IDX files."""

from pathlib import Path

import torch

from stages.mnist import files

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
        UserError: a file is missing or corrupt.
    """
    # bytearray: torch warns about a buffer that cannot be written to
    images, labels = (bytearray(files.verified(name, folder)) for name in SPLITS[split])
    return (
        torch.frombuffer(images, dtype=torch.uint8, offset=16).view(-1, 28, 28),
        torch.frombuffer(labels, dtype=torch.uint8, offset=8).long(),
    )
