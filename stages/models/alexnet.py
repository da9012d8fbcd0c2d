"""AlexNet (Krizhevsky 2014, arXiv:1404.5997) as torchvision builds it, with ten classes."""

import torchvision
from torch import nn

from stages.models import layers

MINIMUM_IMAGE_SIZE = 63
OPTIONS = {}
HEAD = "classifier.6"
IMAGENET = torchvision.models.AlexNet_Weights.IMAGENET1K_V1


def build(image_size: int) -> nn.Module:
    """Build the network for (N, 3 or 1, H, W) float images of 63 pixels or more, (N, 10) logits."""
    network = torchvision.models.alexnet(num_classes=10)
    layers.pool_first(network.features)
    layers.adopt(network)
    return network
