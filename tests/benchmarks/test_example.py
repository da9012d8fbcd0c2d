"""PyTorch's MNIST example is what its description says, and is measured as ours is."""

import json
from pathlib import Path

import pytest
import torch
from commands import run_here
from torch import Tensor

from benchmarks import example
from stages.mnist import read
from stages.system.errors import UserError


def test_it_reads_the_same_digits_and_normalises_them(here: Path) -> None:
    pixels, labels = read.load("test")
    data = example.Digits("data", False, example.TRANSFORM)
    assert len(data) == len(labels)
    theirs = torch.stack([data[i][0] for i in range(20)])
    expected = (pixels[:20].unsqueeze(1) / 255 - 0.1307) / 0.3081
    torch.testing.assert_close(theirs, expected)
    assert [data[i][1] for i in range(20)] == labels[:20].tolist()


def test_the_network_has_the_described_layers() -> None:
    network = example.build().eval()
    shapes = [tuple(parameter.shape) for parameter in network.parameters() if parameter.ndim > 1]
    assert shapes == [(32, 1, 3, 3), (64, 32, 3, 3), (128, 9216), (10, 128)]
    torch.testing.assert_close(network(torch.rand(2, 1, 28, 28)).exp().sum(1), torch.ones(2))


class Few(example.Digits):
    """The first 1,100 digits: a batch of the test and part of another."""

    def _load_data(self) -> tuple[Tensor, Tensor]:
        return tuple(tensor[:1100] for tensor in super()._load_data())


def test_it_trains_on_every_image_with_a_lower_rate_each_epoch(here: Path, monkeypatch) -> None:
    rates = []

    class Adadelta(torch.optim.Adadelta):
        def step(self, closure: None = None) -> None:
            rates.append(self.param_groups[0]["lr"])
            super().step(closure)

    monkeypatch.setattr(torch.optim, "Adadelta", Adadelta)
    monkeypatch.setattr(example, "Digits", Few)
    example.train(epochs=3, images=500)
    assert rates == pytest.approx([1] * 8 + [0.7] * 8 + [0.49] * 8)  # 7 batches of 64, one of 52
    noted = json.loads(example.TESTS.read_text())
    assert len(noted["accuracies"]) == 3
    assert noted["accuracies"][-1] > 0.6
    assert noted["seconds"] > 0


def test_accuracy_is_that_of_all_images_without_dropout(here: Path) -> None:
    torch.manual_seed(0)
    network, data = example.build(), Few("data", False, example.TRANSFORM)
    measured = example.accuracy(network.train(), data)
    inputs = torch.stack([image for image, _ in data])
    right = network.eval()(inputs).argmax(1) == data.targets
    assert measured == right.double().mean().item()


@pytest.mark.parametrize(("accuracy", "ratio"), [(0.99, 5.0), (0.9899, "not reached")])
def test_no_ratio_unless_ours_is_as_accurate(accuracy: float, ratio: object) -> None:
    row = example.row(0.99, 500.0, "resnet18", accuracy, 110.0, 90.0)
    assert row["seconds"] == "110.0 and 90.0"
    assert row["ratio"] == ratio


@pytest.mark.parametrize("option", [("--epochs", "0"), ("--images", "0"), ("--images", "60001")])
def test_a_training_of_nothing_is_refused(option: tuple[str, str]) -> None:
    with pytest.raises(UserError, match="--epochs has to be 1 or more and --images 1 to 60000"):
        run_here(example, *option)
