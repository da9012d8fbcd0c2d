"""What a network says to an image, and whether that is sure enough for an answer."""

import torch
from torch import Tensor, nn

from stages.mnist import images
from stages.system.errors import UserError
from tools.predict import likeness

# The least of an answer: docs/measured/pictures.md
LIKE = 0.5  # likeness to a digit, whichever
SURE = 0.8  # probability


@torch.inference_mode()
def ask(network: nn.Module, image: Tensor) -> list[float]:
    """Return (28, 28) uint8's ten probabilities; UserError if it does not look like a digit."""
    if likeness.measure(image) < LIKE:
        raise UserError("does not look like a digit: expected a picture of one, from 0 to 9")
    logits = network(images.prepare(image[None], network.image_size))
    return logits.softmax(1)[0].tolist()


def best(probabilities: list[float]) -> int:
    """Return the most likely digit; UserError if its probability is below SURE."""
    first, second = sorted(range(10), key=lambda digit: -probabilities[digit])[:2]
    if probabilities[first] < SURE:
        likely = (f"{digit} ({100 * probabilities[digit]:.1f} %)" for digit in (first, second))
        raise UserError(f"could be {' or '.join(likely)}: expected a clearer picture of one digit")
    return first
