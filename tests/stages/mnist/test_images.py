import numpy as np
import pytest
import torch
from PIL import Image

from stages.mnist import images


@pytest.mark.parametrize("size", [28, 32, 64, 224, 20])
def test_it_is_what_the_notebooks_transforms_give(size: int) -> None:
    """Resize by PIL (bilinear), to [0, 1], normalise: the same but for PIL's rounding to bytes."""
    pixels = torch.randint(0, 256, (3, 28, 28), dtype=torch.uint8)
    prepared = images.prepare(pixels, size)
    assert prepared.shape == (3, 1, size, size)
    assert prepared.dtype == torch.float32
    for given, found in zip(pixels, prepared, strict=True):
        resized = Image.fromarray(given.numpy()).resize((size, size), Image.Resampling.BILINEAR)
        expected = (torch.from_numpy(np.array(resized)) / 255 - 0.5) / 0.5
        assert (found[0] - expected).abs().max() <= 1.5 * 2 / 255


def test_black_is_minus_one_and_white_one() -> None:
    pixels = torch.tensor([[[0, 255]]], dtype=torch.uint8).repeat(1, 28, 14)
    prepared = images.prepare(pixels, 28)
    assert prepared.unique().tolist() == [-1, 1]
    assert pixels.dtype == torch.uint8
