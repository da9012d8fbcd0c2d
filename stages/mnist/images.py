"""From MNIST's files to what a network reads."""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from stages.mnist import pins

SPLITS = {
    "train": (pins.TRAIN_IMAGES, pins.TRAIN_LABELS),
    "test": (pins.TEST_IMAGES, pins.TEST_LABELS),
}


def load(split: str, folder: Path = pins.FOLDER) -> tuple[Tensor, Tensor]:
    """Load `train` (N = 60,000) or `test` (N = 10,000), or raise a UserError if a file is corrupt.

    The images are uint8 (N, 28, 28), 0 background to 255 ink, the labels int64 (N,), 0 to 9.
    """
    # bytearray: torch warns about a read-only buffer
    images, labels = (bytearray(pins.read(folder / name)) for name in SPLITS[split])
    return (
        torch.frombuffer(images, dtype=torch.uint8, offset=16).view(-1, 28, 28),
        torch.frombuffer(labels, dtype=torch.uint8, offset=8).long(),
    )


def prepare(images: Tensor, image_size: int) -> Tensor:
    """Resize and normalise as the notebook does: bilinear, mean 0.5, standard deviation 0.5.

    Maps (N, 28, 28) uint8, on any device, to (N, 1, image_size, image_size) float32 in [-1, 1]. The
    one channel stands for three copies.
    """
    x = images.unsqueeze(1).float().div_(127.5).sub_(1)
    if image_size == 28:
        return x
    # antialias only when shrinking, as PIL does in the notebook
    size = (image_size, image_size)
    return functional.interpolate(x, size, mode="bilinear", antialias=image_size < 28)
