"""Test results of each run with several seeds: how far the seed alone moves a figure."""

import csv
import math
from pathlib import Path
from typing import Any, NamedTuple

from stages.results.runs import WORKING_TREE, Source, parsed

PATH = Path("data/seeds.csv")
COLUMNS = ["run", "seed", "accuracy", "loss", "errors"]
CORRUPT = (
    f"is corrupt, its columns have to be {','.join(COLUMNS)}: restore it with `git checkout {PATH}`"
)


class Seeds(NamedTuple):
    """A run's test results by seed; none if it was not measured."""

    results: dict[int, dict[str, float]]  # a loss that was not finite is nan

    def values(self, figure: str) -> list[float]:
        """Return the finite values of "accuracy" or "loss"; [] if they say nothing of the noise."""
        found = [result[figure] for result in self.results.values()]
        found = [value for value in found if math.isfinite(value)]
        return found if len(set(found)) > 1 else []

    def has(self, test: dict[str, Any]) -> bool:
        """Say whether a run's test metrics are those of one of the seeds, to the last digit."""
        known = [(result["errors"], result["loss"]) for result in self.results.values()]
        return (test.get("errors"), test.get("loss")) in known


def read(source: Source = WORKING_TREE) -> dict[str, Seeds]:
    """Return what seeds.csv has, by run; raise a UserError if it is corrupt."""
    return parsed(str(PATH), _by_run, source, CORRUPT)


def _by_run(text: str) -> dict[str, Seeds]:
    header, *rows = csv.reader(text.splitlines() or [",".join(COLUMNS)], strict=True)
    if header != COLUMNS:
        raise ValueError(text)
    found: dict[str, Seeds] = {}
    for run, seed, accuracy, loss, errors in rows:
        figures = {"accuracy": float(accuracy), "loss": float(loss or "nan"), "errors": int(errors)}
        # of a seed that was measured again, the last result counts
        found.setdefault(run, Seeds({})).results[int(seed)] = figures
    return found
