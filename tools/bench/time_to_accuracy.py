"""From a cold start to the notebook's test accuracy: a whole run against the notebook's ten epochs.

python -m tools.bench.time_to_accuracy [--runs resnet18 ...] [--seeds 0 1 2] [--seconds 20]

Seconds are those of the whole training command with the default params, data and starting weights
on disk. The notebook's are extrapolated: the images of its ten epochs over the images/s of its
loop, measured before each of these trainings. There is no ratio unless every seed reaches the
notebook's accuracy, and no row for a run that the notebook does not have. Every test result goes to
seeds.csv, where report and review take the seed noise from: next to the run's earlier ones if its
committed result is among these, else, as they come from other code, in their place.
"""

import argparse
import sys
from statistics import median
from typing import Any

from stages.results import runs, seeds
from stages.results.seeds import Seeds
from stages.system import errors, outputs
from tools.bench import notebook_loop, rates, table, workspace


def main() -> None:
    """Train and test each run with each seed, in a copy of the repository."""
    known, facts, rows, names = seeds.rows(), notebook_loop.facts(), [], runs.names()
    parser = argparse.ArgumentParser(description="Measure the time to the notebook's accuracy.")
    parser.add_argument("--runs", nargs="+", choices=names, default=names)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--seconds", type=float, default=20, help="to measure the notebook's loop")
    arguments = parser.parse_args()
    theirs = facts["configuration"]
    with workspace.copied() as copy, rates.process() as process:
        for run in arguments.runs:
            case = (run, theirs["image_size"], theirs["batch_size"], arguments.seconds)
            tests, seconds, speeds = [], [], []
            for seed in arguments.seeds:
                print("measuring", run, "seed", seed, file=sys.stderr)
                if run in facts["runs"]:
                    speeds.append(process.submit(rates.notebook, *case).result())
                copy.set(seed=seed)
                seconds.append(copy.train(run))
                tests.append({"run": run, "seed": seed} | copy.test(run))
            again = arguments.seeds if is_current(run) else [int(row["seed"]) for row in known]
            kept = [row for row in known if row["run"] != run or int(row["seed"]) not in again]
            known = kept + tests
            write_seeds(known)
            if speeds:
                accuracies = [test["accuracy"] for test in tests]
                rows.append(compare(run, facts, accuracies, seconds, speeds))
    if rows:
        note = f"Seeds {', '.join(map(str, arguments.seeds))}; default params; median (range)."
        table.write("time_to_accuracy", (note, rows))


def is_current(run: str) -> bool:
    """Say whether seeds.csv has a run's committed result, which says that the code is the same."""
    return seeds.read().get(run, Seeds({})).has(runs.read([run])[run].test)


def write_seeds(rows: list[dict[str, Any]]) -> None:
    """Write test results to seeds.csv; a loss that is not finite is an empty cell."""
    rows = sorted(rows, key=lambda row: (row["run"], int(row["seed"])))
    cells = [[row[column] for column in seeds.COLUMNS] for row in rows]
    outputs.write_csv(seeds.PATH, seeds.COLUMNS, cells)


def compare(
    run: str,
    facts: dict[str, Any],
    accuracies: list[float],
    seconds: list[float],
    speeds: list[float],
) -> dict[str, Any]:
    """Make a row of the table from a run's values with each seed."""
    theirs, goal = facts["configuration"], facts["runs"][run]["accuracy"]
    reached = [accuracy >= goal for accuracy in accuracies]
    expected = theirs["epochs"] * theirs["train_images"] / median(speeds)
    return {
        "run": run,
        "seconds": spread(seconds, 1),
        "test accuracy": spread(accuracies, 4),
        "notebook's": f"{goal:.4f}",
        "seeds that reach it": f"{sum(reached)} of {len(reached)}",
        "notebook, images/s": spread(speeds, 1),
        "notebook, seconds": expected,
        "ratio": expected / median(seconds) if all(reached) else "not reached",
    }


def spread(values: list[float], digits: int) -> str:
    """Format the median, and the least and greatest value."""
    middle, least, most = (f"{f(values):.{digits}f}" for f in (median, min, max))
    return f"{middle} ({least} to {most})"


if __name__ == "__main__":
    errors.run(main)
