"""What a training has produced so far, and its curves on disk."""

import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stages.system import outputs

ROWS = 100  # of a curve, at most
INTERVAL = 10.0  # seconds between two writes of the curves, at least


@dataclass
class History:
    """What training produced.

    Attributes:
        steps_per_epoch: batches in an epoch.
        epochs: a row per epoch: epoch, train_loss, validation_loss, validation_accuracy; the last
            two None where nothing is held out.
        losses: (steps,) the mean loss of each batch; those of steps not done are 0.
        done: number of steps done.
    """

    steps_per_epoch: int
    epochs: list[tuple[int, float, float | None, float | None]] = field(default_factory=list)
    losses: Tensor = field(default_factory=lambda: torch.empty(0))
    done: int = 0

    @property
    def diverged(self) -> bool:
        """Whether the loss of the last epoch is not finite."""
        return bool(self.epochs) and not math.isfinite(self.epochs[-1][1])

    def state_dict(self) -> dict[str, Any]:
        """Return all of it, for a checkpoint."""
        return {"epochs": list(self.epochs), "losses": self.losses, "done": self.done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore from a checkpoint of a run with as many steps."""
        self.epochs, self.done = list(state["epochs"]), state["done"]
        self.losses.copy_(state["losses"])

    def curve(self) -> list[tuple[int, float, float]]:
        """Average the loss over equal windows of the steps done, ROWS at most.

        Returns:
            (last step, epochs done by then, mean loss) of each window.
        """
        losses = self.losses[: self.done].cpu()
        windows = losses.tensor_split(min(ROWS, self.done))
        ends = torch.tensor([len(window) for window in windows]).cumsum(0).tolist()
        return [
            (end, round(end / self.steps_per_epoch, 4), window.mean().item())
            for end, window in zip(ends, windows, strict=True)
        ]


class Curves:
    """A run's curves in plots/, rewritten while it trains: plots of them are live."""

    def __init__(self, run: str):
        """Write to plots/runs/<run>/."""
        self.folder = Path("plots/runs") / run
        self._next = time.monotonic() + INTERVAL

    def write_if_due(self, history: History) -> None:
        """Write the curves so far if INTERVAL says that it is time."""
        if time.monotonic() >= self._next:
            self.write(history)
            self._next = time.monotonic() + INTERVAL

    def write(self, history: History) -> None:
        """Write the curves of what is done, one step at least."""
        header = ["epoch", "train_loss", "validation_loss", "validation_accuracy"]
        outputs.write_csv(self.folder / "loss.csv", header, history.epochs)
        outputs.write_csv(self.folder / "steps.csv", ["step", "epoch", "loss"], history.curve())
