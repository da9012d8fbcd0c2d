"""Model B of the notebook: two convolutions, one hidden layer."""

from torch import nn

from stages.models import layers

MINIMUM_IMAGE_SIZE = 4
OPTIONS = {"activation": tuple(layers.ACTIVATIONS)}


def build(image_size: int, activation: str = "relu") -> nn.Module:
    act = layers.ACTIVATIONS[activation]
    network = nn.Sequential()
    # pooling before the monotonic activation: same result, a quarter of the work
    network.conv1 = layers.ConvPool2d(3, 8, kernel_size=3, padding=1)
    network.act1 = act()
    network.conv2 = layers.Conv2d(8, 16, kernel_size=3, padding=1)
    network.pool2 = nn.MaxPool2d(2)
    network.act2 = act()
    network.flatten = nn.Flatten()
    network.fc1 = layers.Linear(16 * (image_size // 4) ** 2, 64)
    network.act3 = act()
    network.fc2 = layers.Linear(64, 10)
    return network
