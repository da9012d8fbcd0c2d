"""VGG-16 (Simonyan and Zisserman 2014, arXiv:1409.1556) as torchvision builds it, ten classes."""

import torchvision
from torch import nn

from stages.models import layers

MINIMUM_IMAGE_SIZE = 32
OPTIONS = {}
HEAD = "classifier.6"
IMAGENET = torchvision.models.VGG16_Weights.IMAGENET1K_V1


def build(image_size: int) -> nn.Module:
    network = torchvision.models.vgg16(num_classes=10)
    layers.pool_first(network.features)
    layers.convert_layers(network)
    return network
