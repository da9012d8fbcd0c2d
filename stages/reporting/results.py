"""The results of all runs, read from metrics/ and plots/ and checked."""

import csv
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.system import files
from stages.system.errors import UserError

TEST_IMAGES = 10_000
LARGEST_FILE = 10_000_000  # bytes; what a run writes has thousands
# The notebook's networks, as text shows them.
NAMES = {
    "resnet18": "ResNet18",
    "alexnet": "AlexNet",
    "model_a": "Model A",
    "model_b": "Model B",
}
PARAMS = [
    "epochs",
    "batch_size",
    "lr",
    "schedule",
    "precision",
    "seed",
    "train_images",
    "validation_images",
]
LOSS_HEADER = ["epoch", "train_loss", "validation_loss", "validation_accuracy"]
STEPS_HEADER = ["step", "loss"]


@dataclass(frozen=True)
class Training:
    """A metrics/train file; None where there was no validation or the loss was not finite."""

    loss: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    epochs: int
    parameters: int


@dataclass(frozen=True)
class Evaluation:
    """A metrics/test file: `accuracy` a fraction, `errors` out of the 10,000 test images."""

    accuracy: float | None
    errors: int | None


@dataclass(frozen=True)
class Run:
    """What is known of one run; None or empty where a file is missing.

    Attributes:
        settings: the options and params that it was trained with, in one flat mapping, and
            "model", the network's name.
        losses: (epoch, training, validation) loss, a row an epoch.
        steps: (step, loss), a row for each window of steps, in order.
    """

    name: str
    train: Training | None = None
    test: Evaluation | None = None
    settings: dict[str, Any] | None = None
    losses: tuple[tuple[int, float | None, float | None], ...] = ()
    steps: tuple[tuple[int, float | None], ...] = ()

    @property
    def errors(self) -> int | None:
        """Misclassified test images."""
        return self.test.errors if self.test else None

    @property
    def accuracy(self) -> float | None:
        """Test accuracy, a fraction."""
        return self.test.accuracy if self.test else None

    @property
    def final_loss(self) -> float | None:
        """Training loss at the end, infinite if it was not finite, None if not recorded."""
        return _or_infinite(self.train.loss) if self.train else None

    @property
    def first_epoch_loss(self) -> float | None:
        """Mean training loss of epoch 1, infinite if it was not finite, None if not recorded."""
        return _or_infinite(self.losses[0][1]) if self.losses else None

    def early_loss(self, steps: int) -> float | None:
        """Mean training loss of the first `steps` steps, at least one window; None if unknown."""
        if not self.steps:
            return None
        early = [loss for step, loss in self.steps if step <= steps] or [self.steps[0][1]]
        return math.fsum(map(_or_infinite, early)) / len(early)

    @property
    def missing(self) -> list[str]:
        """The files that this run lacks."""
        folder = f"plots/runs/{self.name}"
        parts = {
            f"metrics/train/{self.name}.json": self.train,
            f"metrics/test/{self.name}.json": self.test,
            f"{folder}/settings.json": self.settings,
            f"{folder}/loss.csv": self.losses,
            f"{folder}/steps.csv": self.steps,
        }
        return [path for path, value in parts.items() if not value]


@dataclass(frozen=True)
class Recorded:
    """What the notebook recorded of one run: `accuracy` a fraction, `loss` a figure an epoch."""

    accuracy: float
    loss: tuple[float, ...]
    parameters: int | None


@dataclass(frozen=True)
class Notebook:
    """The notebook's configuration and its recorded runs by name."""

    configuration: dict[str, Any]
    runs: dict[str, Recorded]


def read_notebook(path: Path) -> Notebook:
    """Read data/notebook.yaml.

    Raises:
        UserError: it is missing or not what this version expects.
    """
    try:
        content = YAML(typ="safe").load(path)
        runs = {name: _recorded(content["runs"][name]) for name in NAMES}
        return Notebook(dict(content["configuration"]), runs)
    except (OSError, YAMLError, UnicodeDecodeError, *_WRONG) as error:
        raise UserError(
            f"{path} is missing or damaged, but the report needs the notebook's figures: "
            f"restore it with `git checkout {path}`"
        ) from error


def read_runs(root: Path, models: list[str]) -> dict[str, Run]:
    """Read every run found under `root`, in the order of `models`, then by name.

    Raises:
        UserError: a file that is there is damaged; it is named.
    """
    places = [
        *root.glob("metrics/train/*.json"),
        *root.glob("metrics/test/*.json"),
    ]
    names = {path.stem for path in places}
    for name in ("loss.csv", "steps.csv", "settings.json"):
        names |= {path.parent.name for path in root.glob(f"plots/runs/*/{name}")}

    def order(name: str) -> tuple[int, str]:
        model = name.split("-")[0]
        return (models.index(model) if model in models else len(models), name)

    return {name: _read_run(root, name) for name in sorted(names, key=order)}


def _read_run(root: Path, name: str) -> Run:
    folder = root / "plots/runs" / name
    return Run(
        name=name,
        train=_read(root / f"metrics/train/{name}.json", _train),
        test=_read(root / f"metrics/test/{name}.json", _test),
        settings=_read(folder / "settings.json", _settings),
        losses=_read(folder / "loss.csv", _losses) or (),
        steps=_read(folder / "steps.csv", _steps) or (),
    )


def _recorded(run: dict[str, Any]) -> Recorded:
    loss = tuple(float(value) for value in run["loss"])
    return Recorded(float(run["accuracy"]), loss, run.get("parameters"))


_WRONG = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
_WRONG += (csv.Error,)


def _read(path: Path, parse: Callable[[str], Any]) -> Any:
    """Return the parsed file, or None if there is none."""
    try:
        return parse(files.read(path, LARGEST_FILE).decode())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): check its rights") from error
    except _WRONG as error:
        raise UserError(
            f"{path} is damaged, it is not what a run writes: delete it and run `dvc repro`"
        ) from error


def _train(text: str) -> Training:
    content = _json(text)
    return Training(
        _number(content["loss"]),
        _number(content["validation_loss"]),
        _number(content["validation_accuracy"]),
        _count(content["epochs"]),
        _count(content["parameters"]),
    )


def _test(text: str) -> Evaluation:
    content = _json(text)
    accuracy, errors = _number(content["accuracy"]), content["errors"]
    if accuracy is None or errors is None:
        return Evaluation(None, None)
    if not 0 <= accuracy <= 1 or _count(errors) > TEST_IMAGES:
        raise ValueError(text)
    return Evaluation(accuracy, errors)


def _settings(text: str) -> dict[str, Any]:
    content = _json(text)
    settings = {"model": content["model"], **content["options"], **content["params"]}
    if any(type(settings[key]) not in (int, float, str) for key in ("model", *PARAMS)):
        raise TypeError(text)
    if min(_count(settings[key]) for key in ("train_images", "batch_size", "epochs")) < 1:
        raise ValueError(text)
    return settings


def _losses(text: str) -> tuple[tuple[int, float | None, float | None], ...]:
    return tuple(
        (int(epoch), _cell(train), _cell(validation))
        for epoch, train, validation, _ in _table(text, LOSS_HEADER)
    )


def _steps(text: str) -> tuple[tuple[int, float | None], ...]:
    return tuple((int(step), _cell(loss)) for step, loss in _table(text, STEPS_HEADER))


def _json(text: str) -> dict[str, Any]:
    return json.loads(text)


def _table(text: str, header: list[str]) -> list[list[str]]:
    rows = list(csv.reader(text.splitlines()))
    if rows[0] != header or not text.endswith("\n"):  # the last line may have been cut short
        raise ValueError(text)
    return rows[1:]


def _cell(text: str) -> float | None:
    return _number(float(text)) if text else None


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return float(value) if math.isfinite(value) else None


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(value)
    return value


def _or_infinite(loss: float | None) -> float:
    return math.inf if loss is None else loss
