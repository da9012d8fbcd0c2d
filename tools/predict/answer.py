"""What a network says to an image, and whether it is sure enough to be believed."""

import torch
from torch import Tensor, nn

from stages.mnist import images
from stages.system.errors import UserError

SURE = 0.8  # the least probability of an answer: docs/measured/pictures.md


@torch.inference_mode()
def ask(network: nn.Module, image: Tensor) -> list[float]:
    """Ask a network in eval mode for the digit on (28, 28) uint8; return ten probabilities."""
    logits = network(images.prepare(image[None], network.image_size))
    return logits.softmax(1)[0].tolist()


def ranked(probabilities: list[float]) -> list[int]:
    """Return the digits, the most likely first."""
    return sorted(range(10), key=lambda digit: -probabilities[digit])


def sure(probabilities: list[float]) -> int:
    """Return the digit.

    Raises:
        UserError: its probability is less than SURE; what a picture "could be".
    """
    first, second = ranked(probabilities)[:2]
    if probabilities[first] < SURE:
        likely = (f"{one} ({100 * probabilities[one]:.1f} %)" for one in (first, second))
        raise UserError(f"could be {' or '.join(likely)}: expected a clearer picture of one digit")
    return first
