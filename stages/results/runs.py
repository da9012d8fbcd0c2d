"""A run's results, as `stages.train` and `stages.evaluate` wrote them."""

import csv
import json
import math
from bisect import bisect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from ruamel.yaml.error import YAMLError

from stages.system.errors import UserError

TEST_IMAGES = 10_000
CORRUPT = "is corrupt or was edited: restore it with git, or delete it and run `dvc repro`"


class Source:
    """Where results are read: here the working directory."""

    name = "the working tree"

    def read(self, path: str) -> bytes | None:
        """Return a file's content, None if there is no such file."""
        return Path(path).read_bytes() if Path(path).exists() else None


WORKING_TREE = Source()


@dataclass(frozen=True)
class Run:
    """One run's results; what has no file is empty. `settings` is "model", options and params."""

    name: str
    train: dict[str, Any] = field(default_factory=dict)
    test: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    # Columns of loss.csv and steps.csv: infinite where a cell is empty or not finite.
    epochs: dict[str, Sequence[float]] = field(default_factory=dict)
    steps: dict[str, Sequence[float]] = field(default_factory=dict)  # losses are window means
    # What the report adds, as far as it is known.
    mistakes: frozenset[int] | None = None  # places of the test images that the run gets wrong
    accuracies: Sequence[float] = ()  # test accuracy with several seeds, its own among them
    label: str = ""  # what tells it apart from the runs that it is compared with

    @property
    def accuracy(self) -> float | None:
        return self.test.get("accuracy")

    @property
    def mean_accuracy(self) -> float | None:
        """Mean test accuracy over its seeds, else its own."""
        return fmean(self.accuracies) if self.accuracies else self.accuracy

    @property
    def errors(self) -> int | None:
        return self.test.get("errors")

    @property
    def final_loss(self) -> float | None:
        """Mean training loss over the last epoch, infinite if it was not finite."""
        if "loss" not in self.train:
            return None
        return math.inf if self.train["loss"] is None else self.train["loss"]

    @property
    def first_epoch_loss(self) -> float | None:
        """Mean training loss over epoch 1, infinite if it was not finite."""
        return self.epochs["train_loss"][0] if self.epochs else None

    def early_loss(self, steps: int) -> float | None:
        """Mean training loss over the first `steps` steps, or over the first window if longer."""
        if not self.steps:
            return None
        windows = max(1, bisect(self.steps["step"], steps))
        return fmean(self.steps["loss"][:windows])


def read(names: Iterable[str], source: Source = WORKING_TREE) -> dict[str, Run]:
    """Read the results of runs; raise a UserError that names a corrupt file and where it is."""
    found = {}
    for name in names:
        parts = (parsed(path.format(name), parse, source) for path, parse in FILES.values())
        found[name] = Run(name, *parts)
    return found


def parsed(path: str, parse: Callable, source: Source = WORKING_TREE, wrong: str = CORRUPT) -> Any:
    """Return what `parse` makes of a file's text, or of "" if there is no file.

    If it cannot, raise a UserError that says what is `wrong` and what to do.
    """
    try:
        return parse((source.read(path) or b"").decode())
    except (AttributeError, LookupError, TypeError, ValueError, csv.Error, YAMLError) as error:
        raise UserError(f"{path} in {source.name} {wrong}") from error


def _metrics(text: str) -> dict[str, Any]:
    metrics = {
        key: value if value is not None and math.isfinite(value) else None
        for key, value in json.loads(text or "{}").items()
    }
    accuracy, errors = metrics.get("accuracy") or 0, metrics.get("errors") or 0
    if not 0 <= accuracy <= 1 or not 0 <= errors <= TEST_IMAGES:
        raise ValueError(text)
    return metrics


def _settings(text: str) -> dict[str, Any]:
    if not text:
        return {}
    saved = json.loads(text)
    return {"model": saved["model"]} | saved["options"] | saved["params"]


def _columns(names: list[str], text: str) -> dict[str, Sequence[float]]:
    text = text or ",".join(names) + "\n"
    header, *rows = csv.reader(text.splitlines(), strict=True)
    if header != names or not text.endswith("\n"):  # cut short
        raise ValueError(text)
    if not rows:  # no file, or a training that was stopped in its first epoch
        return {}
    numbers = np.array([[cell or "inf" for cell in row] for row in rows], float)
    numbers[~np.isfinite(numbers)] = np.inf
    return dict(zip(names, numbers.T.tolist(), strict=True))


LOSSES = ["epoch", "train_loss", "validation_loss", "validation_accuracy"]
FILES = {  # by the part of a Run that they hold, in its order, and what parses them
    "train": ("metrics/train/{}.json", _metrics),
    "test": ("metrics/test/{}.json", _metrics),
    "settings": ("data/settings/{}.json", _settings),
    "epochs": ("plots/runs/{}/loss.csv", partial(_columns, LOSSES)),
    "steps": ("plots/runs/{}/steps.csv", partial(_columns, ["step", "epoch", "loss"])),
}
