"""What a training has produced so far, and its curves on disk."""

import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from stages.system import outputs

MAX_ROWS = 100  # in steps.csv
INTERVAL = 10.0  # seconds between two writes of the curves, at least


@dataclass
class History:
    """The losses of a training; the validation figures are None if no image is held out."""

    steps_per_epoch: int
    losses: Tensor  # (steps,) the mean loss of each batch; 0 for steps that are not done
    # epoch, train_loss, validation_loss, validation_accuracy
    epochs: list[tuple[int, float, float | None, float | None]] = field(default_factory=list)
    done: int = 0  # steps

    @property
    def diverged(self) -> bool:
        return bool(self.epochs) and not math.isfinite(self.epochs[-1][1])

    def state_dict(self) -> dict[str, Any]:
        return {"epochs": list(self.epochs), "losses": self.losses, "done": self.done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.epochs, self.done = list(state["epochs"]), state["done"]
        self.losses.copy_(state["losses"])

    def curve(self) -> list[tuple[int, float, float]]:
        """Average over MAX_ROWS equal windows: (last step, epochs done by then, mean loss) each."""
        rows, end = [], 0
        for window in self.losses[: self.done].cpu().tensor_split(min(MAX_ROWS, self.done)):
            end += len(window)
            rows.append((end, round(end / self.steps_per_epoch, 4), window.mean().item()))
        return rows


class Curves:
    """A run's curves in plots/runs/, also written while it trains, so that plots are live."""

    def __init__(self, run: str):
        self.folder = Path("plots/runs") / run
        self._next = time.monotonic() + INTERVAL

    def write_if_due(self, history: History) -> None:
        if time.monotonic() >= self._next:
            self.write(history)
            self._next = time.monotonic() + INTERVAL

    def write(self, history: History) -> None:
        """Write the curves so far, of at least one step."""
        header = ["epoch", "train_loss", "validation_loss", "validation_accuracy"]
        outputs.write_csv(self.folder / "loss.csv", header, history.epochs)
        outputs.write_csv(self.folder / "steps.csv", ["step", "epoch", "loss"], history.curve())
