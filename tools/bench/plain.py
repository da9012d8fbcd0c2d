"""The networks in plain PyTorch, as the notebook has them: nothing of `stages.models` is used."""

import torchvision
from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}
FILTERS = {"model_a": (8,), "model_b": (8, 16)}


def build(model: str, image_size: int, activation: str = "relu", **_: str | float) -> nn.Module:
    """Build a network that takes the same state dict as the one of `stages.models.build`.

    Args:
        model: resnet18, alexnet, vgg16, model_a or model_b.
        image_size: pixels a side, for the last two; the others take any.
        activation: relu, sigmoid or tanh, for the last two.

    Returns:
        A module from float images (N, 3, image_size, image_size) to logits (N, 10), with weights
        initialised by torchvision's or PyTorch's default.
    """
    if model not in FILTERS:
        network = getattr(torchvision.models, model)(num_classes=10)
        if model == "resnet18":
            network.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        return network
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
