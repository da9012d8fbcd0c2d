import signal
from pathlib import Path

import pytest
import torch
from helpers import rows, run_here, set_params

from stages import train
from stages.system.interrupts import Interrupted
from stages.system.progress import Progress
from stages.training import checkpoint
from stages.training.history import History

CURVES = Path("plots/runs/model_b")


def test_curves_are_means_over_equal_windows() -> None:
    found = History(500, torch.arange(1000.0), done=1000).curve()
    assert (len(found), found[0], found[-1]) == (100, (10, 0.02, 4.5), (1000, 2, 994.5))
    assert History(2, torch.arange(4.0), done=2).curve() == [(1, 0.5, 0), (2, 1, 1)]


def test_curves_grow_while_it_trains_but_are_no_result_yet(here: Path, monkeypatch) -> None:
    """Interrupted at its sixth step, the second of epoch 2."""
    set_params(here, models__model_b__epochs=2)
    seen, step = [], Progress.step

    def look(self: Progress, images: int, loss: torch.Tensor) -> None:
        if CURVES.exists():
            seen.append((len(rows(CURVES / "steps.csv")), len(rows(CURVES / "loss.csv"))))
        if len(seen) == 5:
            signal.raise_signal(signal.SIGTERM)
        step(self, images, loss)

    with monkeypatch.context() as context, pytest.raises(Interrupted, match="to resume"):
        context.setattr(checkpoint, "INTERVAL", 0)
        context.setattr(checkpoint, "MAX_OVERHEAD", float("inf"))
        context.setattr(Progress, "step", look)
        run_here(train, "model_b")
    assert seen == [(1, 0), (2, 0), (3, 0), (4, 0), (5, 1)]
    assert not (Path("metrics").exists() or Path("data/models").exists())
    run_here(train, "model_b")
    assert (len(rows(CURVES / "steps.csv")), len(rows(CURVES / "loss.csv"))) == (8, 2)
