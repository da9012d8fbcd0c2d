"""Our runs next to PyTorch's own MNIST example, which is rewritten here from its description.

python -m benchmarks.example [--runs resnet18 ...] [--epochs 14] [--images 60000]

Seconds are those of the whole training command; each of ours trains before and after the example.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from benchmarks import table, workspace
from results.runs import names
from stages.system import errors, files

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
TRANSFORM = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.1307], [0.3081])])
TESTS = Path("example.json")


class Digits(datasets.MNIST):
    """torchvision's MNIST, read from where the pipeline keeps it."""

    raw_folder = "data/mnist"


def main() -> None:
    """Train and test in a copy of the repository."""
    parser = argparse.ArgumentParser(description="Compare with PyTorch's MNIST example.")
    parser.add_argument("--runs", nargs="+", choices=names(), default=["resnet18"])
    parser.add_argument("--epochs", type=int, default=14, help="of the example")
    parser.add_argument("--images", type=int, default=60000, help="that the example trains on")
    options = parser.parse_args()
    runs, epochs, images = options.runs, options.epochs, options.images
    if epochs < 1 or not 1 <= images <= 60000:
        raise errors.UserError("--epochs has to be 1 or more and --images 1 to 60000")
    with workspace.copied() as copy:
        before = [copy.train(run) for run in runs]
        print("measuring the example", file=sys.stderr)
        code = f"from benchmarks.example import train; train({epochs}, {images})"
        theirs = copy.python("-c", code).seconds
        tests = json.loads((copy.root / TESTS).read_text())
        after = [copy.train(run) for run in runs]
        ours = [copy.test(run)["accuracy"] for run in runs]
    goal, each = tests["accuracies"][-1], ", ".join(f"{one:.4f}" for one in tests["accuracies"])
    sides = [("PyTorch's example", goal, theirs), *zip(runs, ours, before, after, strict=True)]
    note = (
        f"PyTorch's example: {epochs} epochs of {images:,} images, tested after each (in all "
        f"{tests['seconds']:.1f} of its seconds): {each}. Ours: default params, before and after."
    )
    table.write("example", (note, [row(goal, theirs, *side) for side in sides]))


def row(goal: float, theirs: float, name: str, accuracy: float, *seconds: float) -> dict:
    """Make a row of the table; there is no ratio below `goal`, the example's accuracy."""
    ratio = theirs * len(seconds) / sum(seconds) if accuracy >= goal else "not reached"
    each = " and ".join(f"{one:.1f}" for one in seconds)
    return {"training": name, "seconds": each, "test accuracy": f"{accuracy:.4f}", "ratio": ratio}


def train(epochs: int, images: int) -> None:
    """Train as the example does; write each epoch's test accuracy and what tests took to TESTS."""
    torch.manual_seed(0)
    data, test = (Digits("data", split, TRANSFORM) for split in (True, False))
    data.data, data.targets = data.data[:images], data.targets[:images]
    network, batches = build().to(DEVICE), DataLoader(data, batch_size=64, shuffle=True)
    optimizer = torch.optim.Adadelta(network.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.7)
    accuracies, seconds = [], 0.0
    for _ in range(epochs):
        network.train()
        for inputs, labels in batches:
            optimizer.zero_grad()
            functional.nll_loss(network(inputs.to(DEVICE)), labels.to(DEVICE)).backward()
            optimizer.step()
        schedule.step()
        start = time.perf_counter()
        accuracies.append(accuracy(network, test))
        seconds += time.perf_counter() - start
    files.write_json(TESTS, {"accuracies": accuracies, "seconds": seconds})


def build() -> nn.Module:
    """Build the network, from (N, 1, 28, 28) images to (N, 10) log probabilities."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Dropout(0.25), nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(),
        nn.Dropout(0.5), nn.Linear(128, 10), nn.LogSoftmax(dim=1),
    )  # fmt: skip


@torch.no_grad()
def accuracy(network: nn.Module, data: Digits) -> float:
    """Return the share of the images that the network classifies correctly."""
    network.eval()
    batches = DataLoader(data, batch_size=1000)
    right = [network(inputs.to(DEVICE)).argmax(1).cpu() == labels for inputs, labels in batches]
    return torch.cat(right).double().mean().item()


if __name__ == "__main__":
    errors.run(main)
