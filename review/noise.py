"""How far two runs that differ in nothing but the seed may lie apart.

Both sides of a review are one run each. If a figure varies with the seed normally, with standard
deviation sigma, the difference of two such runs varies with sqrt(2) sigma. s estimates sigma from
n seeds with n - 1 degrees of freedom, so difference / (sqrt(2) s) follows Student's t with n - 1
degrees of freedom: this is the two-sample t-test of one run against one, with the variance known
from n others. A difference beyond t(0.975, n - 1) sqrt(2) s happens by the seed alone once in
twenty times.

Two runs with the same seed are no exception: once anything else differs, they share nothing but
their first weights. Each run has its own s, not one pooled over all, because the networks differ in
how much the seed matters. The test images are the same for both sides, so that drawing others would
give other figures is no part of it.
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from statistics import stdev

from stages.system.errors import UserError

PATH = Path("benchmarks/results/seeds.csv")
COLUMNS = ["run", "seed", "accuracy", "loss", "errors"]

# t(0.975) for 1, 2, ... 10 degrees of freedom: NIST/SEMATECH e-Handbook of Statistical Methods,
# section 1.3.6.7.2. More seeds than eleven are judged by the last, a little too strictly.
T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


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


def bound(values: list[float]) -> float | None:
    """Return how far two more such values may lie apart, None for fewer than two or all equal."""
    if len(values) < 2:
        return None
    return T[min(len(values) - 1, len(T)) - 1] * math.sqrt(2) * stdev(values) or None


def read(path: Path = PATH) -> dict[str, Noise]:
    """Read the noise of each run from test results over several seeds; {} if there is no file.

    Raises:
        UserError: the file is damaged.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            table = csv.DictReader(file)
            rows = list(table)
        if table.fieldnames != COLUMNS or any(None in (*row, *row.values()) for row in rows):
            raise ValueError(table.fieldnames)
        seeds: dict[str, dict[int, dict[str, str]]] = {}
        for row in rows:
            seeds.setdefault(row["run"], {})[int(row["seed"])] = row
        return {
            run: Noise(len(found), _bound(found, "accuracy"), _bound(found, "loss"))
            for run, found in seeds.items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, csv.Error) as error:
        raise UserError(
            f"{path} is damaged, its columns have to be {','.join(COLUMNS)}: restore it with "
            f"`git checkout {path}`"
        ) from error


def _bound(seeds: dict[int, dict[str, str]], column: str) -> float | None:
    values = [float(row[column]) for row in seeds.values() if row[column]]
    return bound([value for value in values if math.isfinite(value)])
