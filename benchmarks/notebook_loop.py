"""The notebook's way of training, after the figures in data/notebook.yaml.

Each image goes through PIL whenever it is used, no worker processes load ahead, batches have three
channels in PyTorch's default memory format, Adam is the default one and the loss is fetched at each
step. The networks are plain: no identity of stages/models is used.
"""

from pathlib import Path
from typing import Any

import torch
import torchvision
from PIL import Image
from ruamel.yaml import YAML
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from stages.training.progress import Progress


def facts() -> dict[str, Any]:
    """Read the notebook's configuration and, by run, what it recorded."""
    return YAML(typ="safe").load(Path("data/notebook.yaml").read_text(encoding="utf-8"))


def build(model: str, image_size: int) -> nn.Module:
    """Build a network that takes the same state dict as `stages.models.build` gives.

    Args:
        model: resnet18, alexnet, model_a or model_b.
        image_size: pixels a side; the first two take any.

    Returns:
        A module from float images (N, 3, image_size, image_size) to logits (N, 10).
    """
    if model == "resnet18":
        network = torchvision.models.resnet18()
        network.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        network.fc = nn.Linear(network.fc.in_features, 10)
        return network
    if model == "alexnet":
        network = torchvision.models.alexnet()
        network.classifier[6] = nn.Linear(network.classifier[6].in_features, 10)
        return network
    network, channels, size = nn.Sequential(), 3, image_size
    for number, filters in enumerate({"model_a": (8,), "model_b": (8, 16)}[model], start=1):
        network.add_module(f"conv{number}", nn.Conv2d(channels, filters, 3, padding=1))
        network.add_module(f"relu{number}", nn.ReLU())
        network.add_module(f"pool{number}", nn.MaxPool2d(2))
        channels, size = filters, size // 2
    network.add_module("flatten", nn.Flatten())
    network.add_module("fc1", nn.Linear(channels * size**2, 64))
    network.add_module("relu", nn.ReLU())
    network.add_module("fc2", nn.Linear(64, 10))
    return network


class Digits(Dataset):
    """(N, 28, 28) uint8 images and (N,) labels, given out as torchvision's MNIST does."""

    def __init__(self, pixels: Tensor, labels: Tensor, image_size: int):
        """Set up the transforms to (3, image_size, image_size) float32 in [-1, 1]."""
        self.pixels, self.labels = pixels, labels
        self.transform = transforms.Compose(
            [
                transforms.Resize((image_size, image_size)),
                transforms.Grayscale(num_output_channels=3),
                transforms.ToTensor(),
                transforms.Normalize((0.5,) * 3, (0.5,) * 3),
            ]
        )

    def __len__(self) -> int:
        """Count the images."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Transform one image."""
        return self.transform(Image.fromarray(self.pixels[index].numpy())), int(self.labels[index])


def fit(
    network: nn.Module, data: Dataset, batch_size: int, lr: float, epochs: int, progress: Progress
) -> None:
    """Train all of `network`, on the device where it is; `progress` is told of every batch."""
    device = next(network.parameters()).device
    loader = DataLoader(data, batch_size=batch_size, shuffle=True)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    network.train()
    for _ in range(epochs):
        total = 0.0
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            optimizer.zero_grad()
            loss = criterion(network(images), labels)
            loss.backward()
            optimizer.step()
            total += loss.item()
            progress.step(len(labels), loss)
