"""From a cold start to the notebook's test accuracy: a whole run beside the notebook's ten epochs.

python -m benchmarks.time_to_accuracy [--runs resnet18 ...] [--seeds 0 1 2] [--seconds 20]

Seconds are those of `python -m stages.train <run>` with the default params and the data on disk,
from the start of the process to its end. What the notebook takes is its images times epochs over
the images/s of its loop, measured before each of these runs. There is no ratio unless every seed
reaches the notebook's accuracy, and no row of a run that the notebook has not. Each single test
result goes to seeds.csv beside the table, in place of those that the run had there: how far the
seed alone moves it is the noise that `make review` holds a change against.
"""

import argparse
import csv
import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import notebook_loop, rates, results, workspace
from review import noise
from stages.system import errors, files
from stages.training import params

COLUMNS = ["run", "seconds, median", "seconds, range", "test accuracy, median",
           "test accuracy, range", "notebook's", "seeds that reach it", "notebook, images/s",
           "images/s, range", "notebook, seconds for all epochs", "ratio"]  # fmt: skip


def main() -> None:
    """Train and test each run with each seed, in a copy of the repository."""
    runs = sorted(path.stem for path in Path("metrics/test").glob("*.json"))
    parser = argparse.ArgumentParser(description="Measure the time to the notebook's accuracy.")
    parser.add_argument("--runs", nargs="+", choices=runs, default=runs)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--seconds", type=float, default=20, help="to measure the notebook's loop")
    options = parser.parse_args()
    facts, weights = notebook_loop.facts(), params.read()["weights"]
    rows, measured = [], []
    with workspace.copied() as copy, rates.Worker(rates.Notebook) as notebook:
        for run in options.runs:
            speeds, seconds, metrics = [], [], []
            for seed in options.seeds:
                print("measuring", run, "seed", seed, file=sys.stderr)
                if run in facts["runs"]:
                    speeds.append(speed(notebook, run, facts["configuration"], options.seconds))
                copy.set(seed=seed)
                seconds.append(train(copy, run, run in weights))
                metrics.append(json.loads((copy.root / f"metrics/test/{run}.json").read_text()))
                one = {"run": run, "seed": seed} | metrics[-1]
                measured.append([str(one[column]) for column in noise.COLUMNS])
            if speeds:
                rows.append(beside(facts, run, metrics, seconds, speeds))
    keep(measured)
    if rows:
        note = f"Seeds {', '.join(map(str, options.seeds))}; default params."
        results.report("time_to_accuracy", note, COLUMNS, rows)


def speed(notebook: rates.Worker, run: str, theirs: dict[str, Any], seconds: float) -> float:
    """Measure the images/s of the notebook's loop at its configuration."""
    size = {"image_size": theirs["image_size"]}
    return notebook.call("rate", run, size, theirs["batch_size"], "fp32", seconds)


def train(copy: workspace.Workspace, run: str, pretrained: bool) -> float:
    """Train and test a run, after its starting weights; return the training's seconds."""
    if pretrained:
        copy.python("-m", "stages.weights", run)
    seconds = copy.python("-m", "stages.train", run).seconds
    copy.python("-m", "stages.evaluate", run)
    return seconds


def keep(measured: list[list[str]]) -> None:
    """Write test results to seeds.csv, in place of those of the same runs."""
    known = []
    if noise.PATH.exists():
        with noise.PATH.open(newline="") as file:
            known = list(csv.reader(file))[1:]
    new = {row[0] for row in measured}
    rows = [row for row in known if row[0] not in new] + measured
    files.write_csv(noise.PATH, noise.COLUMNS, sorted(rows, key=lambda row: (row[0], int(row[1]))))


def beside(
    facts: dict[str, Any],
    run: str,
    metrics: list[dict[str, Any]],
    seconds: list[float],
    speeds: list[float],
) -> list[str | float]:
    """Make a row of the table: what the run took with each seed, and the notebook."""
    theirs, goal = facts["configuration"], facts["runs"][run]["accuracy"]
    accuracies = [one["accuracy"] for one in metrics]
    reached = sum(accuracy >= goal for accuracy in accuracies)
    expected = theirs["epochs"] * theirs["train_images"] / median(speeds)
    ratio = expected / median(seconds) if reached == len(accuracies) else "not reached"
    return [
        run,
        median(seconds),
        results.spread(seconds, 1),
        f"{median(accuracies):.4f}",
        results.spread(accuracies, 4),
        f"{goal:.4f}",
        f"{reached} of {len(accuracies)}",
        median(speeds),
        results.spread(speeds, 1),
        expected,
        ratio,
    ]


if __name__ == "__main__":
    errors.run(main)
