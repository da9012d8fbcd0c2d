"""A progress bar while a network trains; silent unless standard error is a terminal."""

import sys

from torch import Tensor
from tqdm import tqdm


class Progress(tqdm):
    """A bar over the images of all epochs of a run: loss, images/s and the time left."""

    def __init__(self, run: str, images: int):
        # disable=None: shown only if standard error is a terminal
        super().__init__(total=images, desc=run, unit=" images", disable=None, mininterval=0.5)

    def resume(self, step: int, steps: int) -> None:
        self.write(f"resuming at step {step} of {steps}", file=sys.stderr)
        self.initial = self.n = round(self.total * step / steps)
        self.refresh()

    def step(self, images: int, loss: Tensor) -> None:
        """Count a batch; copies the loss from the device at most twice a second."""
        if self.update(images):  # the bar was drawn, at most once in mininterval
            self.set_postfix_str(f"loss {loss.item():.4f}")
