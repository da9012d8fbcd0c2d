"""The four networks (and VGG-16) as the notebook writes them: no identity used, three channels."""

import torch
import torchvision
from torch import nn


class PlainA(nn.Module):
    def __init__(self, size: int, activation: nn.Module):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.fc1 = nn.Linear(8 * (size // 2) ** 2, 64)
        self.fc2 = nn.Linear(64, 10)
        self.activation, self.pool = activation, nn.MaxPool2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.activation(self.conv1(x)))
        return self.fc2(self.activation(self.fc1(x.flatten(1))))


class PlainB(nn.Module):
    def __init__(self, size: int, activation: nn.Module):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc1 = nn.Linear(16 * (size // 4) ** 2, 64)
        self.fc2 = nn.Linear(64, 10)
        self.activation, self.pool = activation, nn.MaxPool2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.activation(self.conv1(x)))
        x = self.pool(self.activation(self.conv2(x)))
        return self.fc2(self.activation(self.fc1(x.flatten(1))))


ACTIVATIONS = {"relu": nn.ReLU(), "sigmoid": nn.Sigmoid(), "tanh": nn.Tanh()}


def build(name: str, image_size: int, activation: str = "relu", **_: str | float) -> nn.Module:
    if name in ("model_a", "model_b"):
        return {"model_a": PlainA, "model_b": PlainB}[name](image_size, ACTIVATIONS[activation])
    return getattr(torchvision.models, name)(num_classes=10)
