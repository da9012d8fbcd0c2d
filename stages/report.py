"""Stage `report`: write plots/report.md and its pictures, every run next to the notebook's figures.

python -m stages.report --RUN ARCHITECTURE ...

So DVC writes the mapping `runs` of dvc.yaml into a command: a run that leaves it leaves the report.
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import csv
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from stages.mnist import pins
from stages.reporting import accuracy, comparisons, curves, mistakes, notebook, tables
from stages.reporting.comparisons import Comparison
from stages.reporting.notebook import NAMES
from stages.results import seeds
from stages.results.runs import TEST_IMAGES, Run, parsed, read
from stages.results.statistics import interval
from stages.system import errors, outputs


def main() -> None:
    """Read all results below the working directory and write the report.

    Raises:
        UserError: a file that it reads is corrupt, or MNIST's test images are missing.
    """
    runs = read(option.removeprefix("--") for option in sys.argv[1::2])
    mistaken, wrong = mistakes_of(runs)
    measured = seeds.read()
    for name, run in runs.items():
        known = measured.get(name, seeds.Seeds({}))
        of_seeds = tuple(known.values("accuracy")) if known.has(run.test) else ()
        runs[name] = replace(run, mistakes=wrong.get(name), accuracies=of_seeds)
    recorded = notebook.read()
    compared = comparisons.every(runs)
    small_cnns = [panel(compared[name], name) for name in ("Model A", "Model B")]
    contents = {
        "accuracy.png": accuracies(runs, recorded),
        "transfer.png": curves.draw("ResNet18 and AlexNet", [panel(compared["transfer"])]),
        "small_cnns.png": curves.draw("Model A and Model B", [panel(compared["small"])]),
        "activations.png": curves.draw("Activation functions", small_cnns),
        "learning_rates.png": curves.draw("Model B: learning rates", [panel(compared["rates"])]),
        "notebook.png": with_notebook(runs, recorded),
        "report.md": tables.report(runs, recorded, mistaken.keys()).encode(),
        **{f"mistakes/{name}.png": picture for name, picture in mistaken.items()},
    }
    for name, content in contents.items():
        outputs.write_bytes(Path("plots", name), content)


def panel(compared: Comparison, title: str = "") -> curves.Panel:
    """Return a comparison as a panel of curves, training loss over epochs."""
    drawn, missing = [], [f"no results for {key}" for key in compared.missing]
    # A setting keeps its colour in every panel, even where another one is missing.
    places = list(dict.fromkeys([*compared.expected, *compared.runs]))
    for key, run in compared.runs.items():
        if run.steps and run.epochs:
            train = [(step.epoch, step.loss) for step in run.steps]
            validation = [(epoch.epoch, epoch.validation_loss) for epoch in run.epochs]
            drawn.append(curves.Curve(key, train, validation, places.index(key)))
        else:
            missing.append(f"no loss curves for {key}")
    return curves.Panel(title, drawn, missing)


def with_notebook(runs: dict[str, Run], recorded: dict[str, Run]) -> bytes:
    """Draw the notebook's loss curves and ours over them."""

    def curve(run: Run | None, colour: int) -> curves.Curve | None:
        points = [(epoch.epoch, epoch.train_loss) for epoch in run.epochs] if run else []
        return curves.Curve(NAMES[run.name], points, (), colour) if points else None

    pairs = [
        (curve(theirs, i), curve(runs.get(name), i))
        for i, (name, theirs) in enumerate(recorded.items())
    ]
    return curves.reference("Training loss: the notebook's and ours", pairs)


def accuracies(runs: dict[str, Run], recorded: dict[str, Run]) -> bytes:
    """Draw every run's test error with its interval and the notebook's."""
    rows = [
        accuracy.Row(
            name,
            run.errors / TEST_IMAGES,
            *interval(run.errors),
            1 - recorded[name].accuracy if name in recorded else None,
        )
        for name, run in runs.items()
        if run.errors is not None
    ]
    missing = [name for name, run in runs.items() if run.errors is None]
    return accuracy.draw("Test error of every run", rows, missing)


def mistakes_of(runs: Iterable[str]) -> tuple[dict[str, bytes], dict[str, frozenset[int]]]:
    """Draw the mistakes of those runs that have predictions, and list them.

    Raises:
        UserError: predictions or MNIST's test files are missing or corrupt.
    """
    images = np.frombuffer(pins.read(pins.FOLDER / pins.TEST_IMAGES), np.uint8, offset=16).reshape(
        -1, 28, 28
    )
    labels = np.frombuffer(pins.read(pins.FOLDER / pins.TEST_LABELS), np.uint8, offset=8)
    pictures, mistaken = {}, {}
    for run in runs:
        path = f"data/predictions/{run}.csv"
        predicted, probability = parsed(path, _predictions)
        if len(predicted):
            wrong = np.flatnonzero(predicted != labels)
            mistaken[run] = frozenset(wrong.tolist())
            title = f"{run}: most confident of its {len(wrong)} mistakes"
            arrays = images, labels, predicted, probability
            pictures[run] = mistakes.draw(title, *(array[wrong] for array in arrays))
    return pictures, mistaken


def _predictions(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Return predicted, int (10000,), and probability, float (10000,); empty ones of no text."""
    header, *rows = csv.reader(text.splitlines() or ["predicted,probability"])
    predicted = np.array([int(digit) for digit, _ in rows])
    probability = np.array([float(given or "nan") for _, given in rows])
    if header != ["predicted", "probability"] or len(rows) not in (0, TEST_IMAGES):
        raise ValueError(text)
    return predicted, probability
