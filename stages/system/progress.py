"""A progress bar while a network trains; silent unless standard error is a terminal."""

import sys
import time

from torch import Tensor
from tqdm import tqdm


class Progress(tqdm):
    """A bar over the images of all epochs of a run: loss, images/s and the time left."""

    def __init__(self, run: str, images: int):
        # disable=None: shown only if standard error is a terminal
        super().__init__(total=images, desc=run, unit=" images", disable=None, smoothing=0.05)
        self._shown = 0.0

    def resume(self, step: int, steps: int) -> None:
        """Report that the run resumes after `step` of its `steps`, and start the bar there."""
        self.write(f"resuming at step {step} of {steps}", file=sys.stderr)
        self.initial = self.n = round(self.total * step / steps)
        self.refresh()

    def step(self, images: int, loss: Tensor) -> None:
        """Count a batch; copies the loss from the device at most twice a second."""
        if self.disable:
            return
        now = time.monotonic()
        if now - self._shown > 0.5:
            self._shown = now
            self.set_postfix_str(f"loss {loss.item():.4f}", refresh=False)
        self.update(images)
