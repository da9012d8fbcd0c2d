from pathlib import Path

import pytest
import torch
from helpers import rows
from small import fit, network
from torch import nn

from stages.training import history
from stages.training.checkpoint import Checkpoint
from stages.training.history import History


def test_curves_are_means_over_equal_windows() -> None:
    found = History(500, torch.arange(1000.0), done=1000).curve()
    assert (len(found), found[0], found[-1]) == (100, (10, 0.02, 4.5), (1000, 2, 994.5))
    assert History(2, torch.arange(4.0), done=2).curve() == [(1, 0.5, 0), (2, 1, 1)]


def test_curves_grow_while_it_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three steps in each of two epochs; what lies there when a step or a validation begins."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(history, "INTERVAL", 0)
    net, seen = network(), []

    def look(module: nn.Module, inputs: tuple) -> None:
        curves = [Path("plots/runs/run", name) for name in ("steps.csv", "loss.csv")]
        seen.append([len(rows(curve)) if curve.exists() else None for curve in curves])

    net.register_forward_pre_hook(look)
    fit(net, checkpoint=Checkpoint("run", "same"))
    assert seen == [[None, None], [1, 0], [2, 0], [3, 0], [3, 0], [4, 1], [5, 1], [6, 1]]
