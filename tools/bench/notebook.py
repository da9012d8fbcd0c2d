"""The notebook's networks and its way of training, rewritten without anything of `stages.models`.

Each image goes through PIL whenever it is used, no worker processes load ahead, batches have three
channels in PyTorch's default memory format, Adam has its default settings and the loss is fetched
at every step.
"""

from pathlib import Path
from typing import Any

import torch
import torchvision
from ruamel.yaml import YAML
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from stages.system.progress import Progress

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}
FILTERS = {"model_a": (8,), "model_b": (8, 16)}


class MNIST(torchvision.datasets.MNIST):
    """The 60,000 training images, as (3, image_size, image_size) float32 in [-1, 1]."""

    raw_folder = "data/mnist"

    def __init__(self, image_size: int):
        steps = [transforms.Resize((image_size, image_size)), transforms.Grayscale(3)]
        steps += [transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)]
        super().__init__("data", transform=transforms.Compose(steps))


def facts() -> dict[str, Any]:
    """Read the notebook's configuration and, by run, what it recorded."""
    return YAML(typ="safe").load(Path("data/notebook.yaml"))


def build(model: str, image_size: int, activation: str = "relu", **_: str | float) -> nn.Module:
    """Build a network with the state dict of ours, from (N, 3, image_size, image_size) float32."""
    if model not in FILTERS:
        return getattr(torchvision.models, model)(num_classes=10)
    network, channels, size = nn.Sequential(), 3, image_size
    for number, filters in enumerate(FILTERS[model], start=1):
        network.add_module(f"conv{number}", nn.Conv2d(channels, filters, 3, padding=1))
        network.add_module(f"act{number}", ACTIVATIONS[activation]())
        network.add_module(f"pool{number}", nn.MaxPool2d(2))
        channels, size = filters, size // 2
    network.add_module("flatten", nn.Flatten())
    network.add_module("fc1", nn.Linear(channels * size**2, 64))
    network.add_module("act", ACTIVATIONS[activation]())
    network.add_module("fc2", nn.Linear(64, 10))
    return network


def fit(network: nn.Module, data: Dataset, batch_size: int, progress: Progress) -> None:
    """Train all of `network` on its device for ten epochs; `progress` is told of every batch."""
    device = next(network.parameters()).device
    loader = DataLoader(data, batch_size=batch_size, shuffle=True)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
    network.train()
    for _ in range(10):
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            optimizer.zero_grad()
            loss = criterion(network(images), labels)
            loss.backward()
            optimizer.step()
            loss.item()
            progress.step(len(labels), loss)
