"""Test results of each run with several seeds, which say how far the seed alone moves a figure.

Each run has its own noise, not one pooled over all, because the networks differ in how much the
seed matters.
"""

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from results.runs import parsed
from results.statistics import seed_noise

PATH = Path("benchmarks/results/seeds.csv")
COLUMNS = ["run", "seed", "accuracy", "loss", "errors"]


@dataclass(frozen=True)
class Noise:
    """The largest differences that are still noise; None where they are not known.

    Attributes:
        seeds: how many it was measured with.
        accuracy: of two test accuracies, a fraction.
        loss: of two test losses, nats.
    """

    seeds: int
    accuracy: float | None
    loss: float | None


def rows(path: Path = PATH) -> list[dict[str, str]]:
    """Read the rows of seeds.csv; [] if there is no such file.

    Raises:
        UserError: the file is corrupt.
    """
    wrong = (
        f"is corrupt, its columns have to be {','.join(COLUMNS)}: restore it with "
        f"`git checkout {path}`"
    )
    return parsed(str(path), _rows, wrong=wrong)


def noise(path: Path = PATH) -> dict[str, Noise]:
    """Return the noise of each run that seeds.csv has.

    Raises:
        UserError: the file is corrupt.
    """
    by_run: dict[str, dict[str, dict[str, str]]] = {}
    for row in rows(path):
        by_run.setdefault(row["run"], {})[row["seed"]] = row  # measured again: the last counts
    return {
        run: Noise(len(found), *(_bound(found.values(), one) for one in ("accuracy", "loss")))
        for run, found in by_run.items()
    }


def _rows(text: str) -> list[dict[str, str]]:
    header, *cells = csv.reader(text.splitlines() or [",".join(COLUMNS)], strict=True)
    if header != COLUMNS:
        raise ValueError(text)
    found = [dict(zip(COLUMNS, row, strict=True)) for row in cells]
    for row in found:
        _ = int(row["seed"]), _figure(row["accuracy"]), _figure(row["loss"])
    return found


def _bound(found: Iterable[dict[str, str]], column: str) -> float | None:
    values = [_figure(row[column]) for row in found]
    return seed_noise([value for value in values if math.isfinite(value)])


def _figure(cell: str) -> float:
    """Read a cell; an empty one is a loss that was not finite."""
    return float(cell) if cell else math.nan
