"""Test results of each run with several seeds: how far the seed alone moves a figure."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.results.runs import WORKING_TREE, Source, parsed

PATH = Path("data/seeds.csv")
COLUMNS = ["run", "seed", "accuracy", "loss", "errors"]
CORRUPT = (
    f"is corrupt, its columns have to be {','.join(COLUMNS)}: restore it with `git checkout {PATH}`"
)


@dataclass(frozen=True)
class Seeds:
    """A run's test results by seed; none if it was not measured."""

    results: dict[str, dict[str, float]]

    def values(self, figure: str) -> list[float]:
        """Return the finite values of "accuracy" or "loss"; [] if they say nothing of the noise."""
        found = [result[figure] for result in self.results.values()]
        found = [value for value in found if math.isfinite(value)]
        return found if len(set(found)) > 1 else []

    def has(self, test: dict[str, Any]) -> bool:
        """Say whether a run's test metrics are those of one of the seeds, to the last digit."""
        known = [(result["errors"], result["loss"]) for result in self.results.values()]
        return (test.get("errors"), test.get("loss")) in known


def rows(source: Source = WORKING_TREE) -> list[dict[str, str]]:
    """Read the rows of seeds.csv, [] if there is none; raise a UserError if it is corrupt."""
    return parsed(str(PATH), _rows, source, CORRUPT)


def read(source: Source = WORKING_TREE) -> dict[str, Seeds]:
    """Return what seeds.csv has, by run; see `rows`."""
    by_run: dict[str, Seeds] = {}
    for row in rows(source):
        # of a seed that was measured again, the last result counts
        by_run.setdefault(row["run"], Seeds({})).results[row["seed"]] = _figures(row)
    return by_run


def _rows(text: str) -> list[dict[str, str]]:
    header, *cells = csv.reader(text.splitlines() or [",".join(COLUMNS)], strict=True)
    found = [dict(zip(COLUMNS, row, strict=True)) for row in cells]
    if header != COLUMNS or not all(row["seed"].isdecimal() and _figures(row) for row in found):
        raise ValueError(text)
    return found


def _figures(row: dict[str, str]) -> dict[str, float]:
    """Read a row's numbers; an empty cell is a loss that was not finite."""
    return {name: float(row[name] or "nan") for name in ("accuracy", "loss", "errors")}
