"""What a training has produced so far, and its curves on disk."""

import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from stages.system import outputs

INTERVAL = 10.0  # seconds between two writes of the curves while training, at least


@dataclass
class History:
    """The losses of a training; the validation figures are None if no image is held out."""

    steps_per_epoch: int
    losses: Tensor  # (steps,) the mean loss of each batch; 0 for steps that are not done
    # epoch, train_loss, validation_loss, validation_accuracy
    epochs: list[tuple[int, float, float | None, float | None]] = field(default_factory=list)
    done: int = 0  # steps
    due: float = field(default_factory=lambda: time.monotonic() + INTERVAL)

    @property
    def diverged(self) -> bool:
        return bool(self.epochs) and not math.isfinite(self.epochs[-1][1])

    def state_dict(self) -> dict[str, Any]:
        return {"epochs": self.epochs, "losses": self.losses, "done": self.done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.epochs, self.losses, self.done = state["epochs"], state["losses"], state["done"]

    def curve(self) -> list[tuple[int, float, float]]:
        """Average over 100 equal windows: (last step, epochs done by then, mean loss) each."""
        rows, end = [], 0
        for window in self.losses[: self.done].cpu().tensor_split(min(100, self.done)):
            end += len(window)
            rows.append((end, round(end / self.steps_per_epoch, 4), window.mean().item()))
        return rows

    def write(self, run: str) -> None:
        """Write the curves of at least one step to plots/runs/."""
        folder = Path("plots/runs") / run
        header = ["epoch", "train_loss", "validation_loss", "validation_accuracy"]
        outputs.write_csv(folder / "loss.csv", header, self.epochs)
        outputs.write_csv(folder / "steps.csv", ["step", "epoch", "loss"], self.curve())

    def write_if_due(self, run: str) -> None:
        """Write the curves so far now and then, so that plots are live."""
        if time.monotonic() >= self.due:
            self.write(run)
            self.due = time.monotonic() + INTERVAL
