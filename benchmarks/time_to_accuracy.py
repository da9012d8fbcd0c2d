"""From a cold start to the notebook's test accuracy: a whole run beside the notebook's ten epochs.

python -m benchmarks.time_to_accuracy [--models resnet18 ...] [--seeds 0 1 2] [--seconds 4]

Seconds are those of `python -m stages.train <run>` with the default params and the data on disk,
from the start of the process to its end. What the notebook takes is its images times epochs over
the images/s of its loop, measured before each of these runs. There is no ratio unless every seed
reaches the notebook's accuracy.
"""

import argparse
import json
import sys
from statistics import median

from benchmarks import notebook_loop, rates, results, workspace
from stages.system import errors
from stages.training import params

COLUMNS = ["run", "seconds, median", "seconds, range", "test accuracy, median",
           "test accuracy, range", "notebook's", "seeds that reach it", "notebook, images/s",
           "notebook, seconds for all epochs", "ratio"]  # fmt: skip


def main() -> None:
    """Train and test each run with each seed, in a copy of the repository."""
    parser = argparse.ArgumentParser(description="Measure the time to the notebook's accuracy.")
    facts = notebook_loop.facts()
    parser.add_argument("--models", nargs="+", choices=facts["runs"], default=list(facts["runs"]))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--seconds", type=float, default=4, help="to measure the notebook's loop")
    options = parser.parse_args()
    weights = params.read()["weights"]
    theirs = facts["configuration"]
    rows = []
    with workspace.copied() as copy, rates.Worker(rates.Notebook) as notebook:
        for run in options.models:
            speeds, seconds, accuracies = [], [], []
            for seed in options.seeds:
                print("measuring", run, "seed", seed, file=sys.stderr)
                case = (run, theirs["image_size"], theirs["batch_size"], "fp32")
                speeds.append(notebook.call("rate", *case, options.seconds))
                copy.set(seed=seed)
                if run in weights:
                    copy.python("-m", "stages.weights", run)
                seconds.append(copy.python("-m", "stages.train", run).seconds)
                copy.python("-m", "stages.evaluate", run)
                metrics = json.loads((copy.root / f"metrics/test/{run}.json").read_text())
                accuracies.append(metrics["accuracy"])
            goal = facts["runs"][run]["accuracy"]
            reached = sum(accuracy >= goal for accuracy in accuracies)
            expected = theirs["epochs"] * theirs["train_images"] / median(speeds)
            rows.append(
                [
                    run,
                    median(seconds),
                    results.spread(seconds, 1),
                    f"{median(accuracies):.4f}",
                    results.spread(accuracies, 4),
                    f"{goal:.4f}",
                    f"{reached} of {len(accuracies)}",
                    median(speeds),
                    expected,
                    expected / median(seconds) if reached == len(accuracies) else "not reached",
                ]
            )
    note = f"Seeds {', '.join(map(str, options.seeds))}; default params."
    results.report("time_to_accuracy", note, COLUMNS, rows)


if __name__ == "__main__":
    errors.run(main)
