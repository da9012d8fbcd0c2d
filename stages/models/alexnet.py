"""AlexNet (Krizhevsky 2014, arXiv:1404.5997) as torchvision builds it, with ten classes."""

import torchvision
from torch import nn

from stages.models import layers

MINIMUM_IMAGE_SIZE = 63
OPTIONS = {"dropout": (0, 0.5)}
HEAD = "classifier.6"
IMAGENET = torchvision.models.AlexNet_Weights.IMAGENET1K_V1


def build(image_size: int, dropout: float = 0.5) -> nn.Module:
    """`dropout` is the probability of dropping an input of the first two linear layers."""
    network = torchvision.models.alexnet(num_classes=10, dropout=dropout)
    # He et al. (2015, arXiv:1502.01852): preserves the variance of activations from layer to layer,
    # which PyTorch's default shrinks.
    for layer in network.features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    layers.pool_first(network.features)
    layers.convert_layers(network)
    if not dropout:  # which would sit between the pooling and the linear layer
        layers.fuse_avgpool(network, "classifier.1")
    return network
