"""The notebook's loop and ours do the same work: only then is their speed worth comparing."""

from pathlib import Path

import pytest
import torch
from commands import ROOT

from benchmarks import notebook_loop, throughput
from stages import models
from stages.mnist import images, read

NETWORKS = [("resnet18", 32), ("alexnet", 64), ("model_a", 32), ("model_b", 29), ("model_b", 224)]


class Count:
    """Stands in for Progress."""

    def __init__(self):
        self.images = []

    def step(self, images: int, loss: torch.Tensor) -> None:
        self.images.append(images)


@pytest.mark.parametrize("size", [20, 28, 32, 224])
def test_same_inputs_up_to_pils_rounding(mnist: Path, size: int) -> None:
    pixels, labels = (tensor[:8] for tensor in read.load("train", mnist))
    data = notebook_loop.Digits(pixels, labels, size)
    theirs = torch.stack([data[i][0] for i in range(len(data))])
    ours = images.prepare(pixels, size).expand(-1, 3, -1, -1)
    # PIL rounds to whole grey levels, of 2 / 255 each, after each of its two passes
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6 if size == 28 else 2 / 255)
    assert [data[i][1] for i in range(len(data))] == labels.tolist()


@pytest.mark.parametrize(("model", "size"), NETWORKS)
def test_same_logits_with_the_same_state_dict(mnist: Path, model: str, size: int) -> None:
    torch.manual_seed(0)
    ours, theirs = models.build(model, image_size=size), notebook_loop.build(model, size)
    theirs.load_state_dict(ours.state_dict())
    x = images.prepare(read.load("train", mnist)[0][:4], size)
    with torch.inference_mode():
        expected = theirs.eval()(x.expand(-1, 3, -1, -1))
        torch.testing.assert_close(ours.eval()(x), expected, rtol=1e-5, atol=1e-5)


def test_it_trains_on_every_image_of_every_epoch(mnist: Path) -> None:
    pixels, labels = (tensor[:40] for tensor in read.load("train", mnist))
    torch.manual_seed(0)
    network, progress = notebook_loop.build("model_b", 28), Count()
    data = notebook_loop.Digits(pixels, labels, 28)
    notebook_loop.fit(network, data, 16, 0.01, 15, progress)
    assert progress.images == [16, 16, 8] * 15
    inputs = torch.stack([data[i][0] for i in range(40)])
    assert (network(inputs).argmax(1) == labels).float().mean() > 0.9


def test_the_figures_are_the_pipelines_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    facts = notebook_loop.facts()
    assert facts["configuration"]["image_size"] == 224
    assert set(facts["runs"]) == {model for model, _ in NETWORKS}


def test_flops_are_those_of_forward_and_backward_pass() -> None:
    """Model A: the input needs no gradient, so its convolution counts twice, a linear thrice."""
    size = 28
    convolution, linear = 2 * 27 * 8 * size**2, 2 * (8 * 14**2 * 64 + 64 * 10)
    counted = throughput.flops(lambda: notebook_loop.build("model_a", size), 3, size, 16)
    assert counted == 2 * convolution + 3 * linear
