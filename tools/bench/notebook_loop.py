"""The notebook's way of training, rewritten.

Each image goes through PIL whenever it is used, no worker processes load ahead, batches have three
channels in PyTorch's default memory format, Adam has its default settings and the loss is fetched
at every step.
"""

from pathlib import Path
from typing import Any

import torch
from PIL import Image
from ruamel.yaml import YAML
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from stages.system.progress import Progress


def facts() -> dict[str, Any]:
    """Read the notebook's configuration and, by run, what it recorded."""
    return YAML(typ="safe").load(Path("data/notebook.yaml"))


def recipe() -> dict[str, Any]:
    """Return how the notebook trains, apart from sizes: params of ours."""
    recorded = facts()["configuration"]
    return {key: recorded[key] for key in ("batch_size", "schedule", "beta2", "clip_norm")}


class Digits(Dataset):
    """(N, 28, 28) uint8 images and (N,) labels, item by item like torchvision's MNIST."""

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
        """Return the number of images."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Transform one image."""
        return self.transform(Image.fromarray(self.pixels[index].numpy())), int(self.labels[index])


def fit(
    network: nn.Module, data: Dataset, batch_size: int, lr: float, epochs: int, progress: Progress
) -> None:
    """Train all of `network` on its device; `progress` is told of every batch."""
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
