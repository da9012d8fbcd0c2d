"""ResNet-18 (He et al. 2015, arXiv:1512.03385) as torchvision builds it, with ten classes."""

import torchvision
from torch import nn

from stages.models import layers

MINIMUM_IMAGE_SIZE = 1
OPTIONS = {"stem": ("fresh", "pretrained")}
STEM, HEAD = "conv1", "fc"
IMAGENET = torchvision.models.ResNet18_Weights.IMAGENET1K_V1


def build(image_size: int, stem: str = "fresh") -> nn.Module:
    network = torchvision.models.resnet18(num_classes=10)
    if stem == "fresh":  # as the notebook: PyTorch's default initialisation, not torchvision's
        network.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
    # relu(pool(x)) = pool(relu(x)), and the smaller map is a quarter of the work
    network.relu, network.maxpool = network.maxpool, network.relu
    layers.convert_layers(network)
    return network
