"""What networks say to an image, and whether that is sure enough for an answer."""

import torch
from torch import Tensor, nn

from stages.mnist import images
from stages.system.errors import UserError
from tools.predict import likeness

# The least of an answer: docs/measured/pictures.md
LIKE = 0.5  # likeness to a digit, whichever
SURE = 0.8  # probability


@torch.inference_mode()
def ask(networks: dict[str, nn.Module], image: Tensor) -> dict[str, list[float]]:
    """Return each network's ten probabilities; UserError if (28, 28) uint8 looks like no digit."""
    if likeness.measure(image) < LIKE:
        raise UserError("does not look like a digit: expected a picture of one, from 0 to 9")
    logits = {run: it(images.prepare(image[None], it.image_size)) for run, it in networks.items()}
    return {run: one.softmax(1)[0].tolist() for run, one in logits.items()}


def best(probabilities: list[float]) -> int:
    """Return the most likely digit; UserError if its probability is below SURE."""
    first, second = sorted(range(10), key=lambda digit: -probabilities[digit])[:2]
    if probabilities[first] < SURE:
        likely = (f"{digit} ({100 * probabilities[digit]:.1f} %)" for digit in (first, second))
        raise UserError(f"could be {' or '.join(likely)}: expected a clearer picture of one digit")
    return first
