"""From MNIST's bytes to what a network reads."""

from torch import Tensor
from torch.nn import functional


def prepare(images: Tensor, image_size: int) -> Tensor:
    """Resize and normalise as the notebook does: bilinear, mean 0.5, standard deviation 0.5.

    Args:
        images: (N, 28, 28) uint8, on any device.
        image_size: pixels per side of the result.

    Returns:
        (N, 1, image_size, image_size) float32 in [-1, 1]. The one channel stands for three copies.
    """
    x = images.unsqueeze(1).float().div_(127.5).sub_(1)
    if image_size == 28:
        return x
    # antialias only when shrinking, as PIL does in the notebook
    return functional.interpolate(
        x, (image_size, image_size), mode="bilinear", antialias=image_size < 28
    )
