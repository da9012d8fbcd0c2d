"""The notebook's loop and ours do the same work: only then is their speed worth comparing."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from stages.mnist import images
from tools.bench import notebook_loop, plain, throughput


@pytest.mark.parametrize("size", [20, 28, 32, 224])
def test_same_inputs_up_to_pils_rounding(mnist: Path, size: int) -> None:
    pixels, labels = (tensor[:8] for tensor in images.load("train", mnist))
    data = notebook_loop.Digits(pixels, labels, size)
    theirs = torch.stack([data[i][0] for i in range(len(data))])
    ours = images.prepare(pixels, size).expand(-1, 3, -1, -1)
    # PIL rounds to whole grey levels, of 2 / 255 each, after each of its two passes
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6 if size == 28 else 2 / 255)
    assert [data[i][1] for i in range(len(data))] == labels.tolist()


def test_it_trains_on_every_image_of_every_epoch(mnist: Path) -> None:
    pixels, labels = (tensor[:40] for tensor in images.load("train", mnist))
    torch.manual_seed(0)
    network, seen = plain.build("model_b", 28), []
    progress = SimpleNamespace(step=lambda images, loss: seen.append(images))
    data = notebook_loop.Digits(pixels, labels, 28)
    notebook_loop.fit(network, data, 16, 0.01, 15, progress)
    assert seen == [16, 16, 8] * 15
    inputs = torch.stack([data[i][0] for i in range(40)])
    assert (network(inputs).argmax(1) == labels).float().mean() > 0.9


def test_flops_are_those_of_forward_and_backward_pass() -> None:
    """Model A: the input needs no gradient, so its convolution counts twice, a linear thrice."""
    # pooling is part of it: 4 x 4 kernels, one for each of the 4 places in a window and 8 channels
    convolution = 2 * (4 * 4) * (4 * 8) * 14**2
    linear = 2 * (8 * 14**2 * 64 + 64 * 10)
    counted = throughput.flops("model_a", {"image_size": 28}, 16)
    assert counted == 2 * convolution + 3 * linear
