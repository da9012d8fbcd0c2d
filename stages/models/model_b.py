"""Model B of the notebook: two convolutions, one hidden layer."""

from torch import Tensor, nn

from stages.models import layers

MINIMUM_IMAGE_SIZE = 4
OPTIONS = {"activation": tuple(layers.ACTIVATIONS)}


class ModelB(nn.Module):
    """conv1 3x3 (3 to 8) - act - pool - conv2 3x3 (16) - act - pool - fc1 (64) - act - fc2 (10)."""

    def __init__(self, image_size: int, activation: str):
        """Initialise the layers in PyTorch's default way."""
        super().__init__()
        self.activation = layers.ACTIVATIONS[activation]()
        self.pool = nn.MaxPool2d(2)
        self.conv1 = layers.ConvPool2d(3, 8, kernel_size=3, padding=1)
        self.conv2 = layers.Conv2d(8, 16, kernel_size=3, padding=1)
        self.fc1 = nn.Linear(16 * (image_size // 4) ** 2, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, 3 or 1, image_size, image_size) floats to (N, 10) logits."""
        # pooled before the activation: the same for a monotonic one, on a quarter of the values
        x = self.activation(self.conv1(images))
        x = self.activation(self.pool(self.conv2(x)))
        x = self.activation(self.fc1(x.flatten(1)))
        return self.fc2(x)


def build(image_size: int, activation: str = "relu") -> nn.Module:
    """Build the network for (N, 3 or 1, image_size, image_size) float images, (N, 10) logits."""
    return ModelB(image_size, activation)
