"""A run's results, as `stages.train` and `stages.evaluate` wrote them."""

import csv
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.system.errors import UserError

TEST_IMAGES = 10_000
WORKING_TREE = "the working tree"

Read = Callable[[str], bytes | None]


class Epoch(NamedTuple):
    """A row of loss.csv; None where the loss was not finite or no image was held out."""

    epoch: int
    train_loss: float | None
    validation_loss: float | None
    validation_accuracy: float | None


class Window(NamedTuple):
    """A row of steps.csv: the mean loss of the steps up to this one, None if it was not finite."""

    step: int
    epoch: float
    loss: float | None


@dataclass(frozen=True)
class Run:
    """One run's results; a part whose file is missing is empty.

    Attributes:
        train: metrics/train/<run>.json; None where no image was held out or a loss not finite.
        test: metrics/test/<run>.json, likewise.
        settings: the network's options and the training's params in one mapping, and "model".
        epochs: of loss.csv.
        steps: of steps.csv.
        mistakes: the test images that it gets wrong, by their place; None if not known.
        accuracies: with each of several seeds, its own among them; empty if not measured.
    """

    name: str
    train: dict[str, Any]
    test: dict[str, Any]
    settings: dict[str, Any]
    epochs: list[Epoch]
    steps: list[Window]
    mistakes: frozenset[int] | None = None
    accuracies: tuple[float, ...] = ()

    @property
    def accuracy(self) -> float | None:
        """Test accuracy, a fraction."""
        return self.test.get("accuracy")

    @property
    def errors(self) -> int | None:
        """Misclassified images of the 10,000 test images."""
        return self.test.get("errors")

    @property
    def final_loss(self) -> float | None:
        """Mean training loss over the last epoch, infinite if it was not finite."""
        return _or_infinite(self.train["loss"]) if "loss" in self.train else None

    @property
    def first_epoch_loss(self) -> float | None:
        """Mean training loss over epoch 1, infinite if it was not finite."""
        return _or_infinite(self.epochs[0].train_loss) if self.epochs else None

    def early_loss(self, steps: int) -> float | None:
        """Mean training loss of the first `steps` steps, of one window of them at least."""
        early = [window.loss for window in self.steps if window.step <= steps]
        early = early or [window.loss for window in self.steps[:1]]
        return math.fsum(map(_or_infinite, early)) / len(early) if early else None

    @property
    def missing(self) -> list[str]:
        """The files that this run lacks."""
        parts = (self.train, self.test, self.settings, self.epochs, self.steps)
        return [path for path, part in zip(files(self.name), parts, strict=True) if not part]


def files(run: str) -> dict[str, Callable[[str], Any]]:
    """Return what parses each file with a run's results, by path, in the order of `Run`'s parts."""
    return {
        f"metrics/train/{run}.json": _metrics,
        f"metrics/test/{run}.json": _metrics,
        f"data/settings/{run}.json": _settings,
        f"plots/runs/{run}/loss.csv": _rows(Epoch),
        f"plots/runs/{run}/steps.csv": _rows(Window),
    }


def names() -> list[str]:
    """List the runs of dvc.yaml."""
    return list(YAML(typ="safe").load(Path("dvc.yaml"))["vars"][0]["runs"])


def on_disk(path: str) -> bytes | None:
    """Return the bytes of a file below the working directory, None if there is no such file."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        return None


def read(
    names: Iterable[str], content: Read = on_disk, where: str = WORKING_TREE
) -> dict[str, Run]:
    """Read the results of the runs `names`, in this order.

    Args:
        names: of the runs.
        content: returns the bytes of the file at a path, None if there is no such file.
        where: what a message calls the place that `content` reads from.

    Raises:
        UserError: a file is not what a stage writes.
    """
    return {
        name: Run(name, *(parsed(*file, content, where) for file in files(name).items()))
        for name in names
    }


def parsed(
    path: str,
    parse: Callable[[str], Any],
    content: Read = on_disk,
    where: str = WORKING_TREE,
    wrong: str = "is corrupt or was edited: restore it with git, or delete it and run `dvc repro`",
) -> Any:
    """Return what `parse` makes of a file's text; of no file what it makes of "".

    Raises:
        UserError: it cannot; `wrong` is what the message says of the file.
    """
    try:
        return parse((content(path) or b"").decode())
    except (AttributeError, LookupError, TypeError, ValueError, csv.Error, YAMLError) as error:
        raise UserError(f"{path} in {where} {wrong}") from error


def _metrics(text: str) -> dict[str, Any]:
    metrics = json.loads(text) if text else {}
    figures = {key: _figure(value) for key, value in metrics.items()}
    accuracy, errors = figures.get("accuracy"), figures.get("errors")
    if not 0 <= (accuracy or 0) <= 1 or not 0 <= (errors or 0) <= TEST_IMAGES:
        raise ValueError(text)
    return figures


def _settings(text: str) -> dict[str, Any]:
    if not text:
        return {}
    content = json.loads(text)
    return {"model": content["model"]} | content["options"] | content["params"]


def _rows(kind: type[NamedTuple]) -> Callable[[str], list]:
    def parse(text: str) -> list:
        if not text:
            return []
        header, *rows = csv.reader(text.splitlines(), strict=True)
        if tuple(header) != kind._fields or not text.endswith("\n"):  # cut short
            raise ValueError(text)
        numbers = [[_figure(float(cell)) if cell else None for cell in row] for row in rows]
        return [kind(int(first), *rest) for first, *rest in numbers]

    return parse


def _figure(value: Any) -> float | None:
    """Return a number, None for one that is not finite.

    Raises:
        TypeError: it is neither a number nor None.
    """
    if value is not None and not isinstance(value, int | float):
        raise TypeError(value)
    return value if value is None or math.isfinite(value) else None


def _or_infinite(loss: float | None) -> float:
    return math.inf if loss is None else loss
