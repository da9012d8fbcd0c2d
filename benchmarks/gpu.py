"""All that a GPU is measured by: the pipeline, images/s, the notebook's trainings end to end.

python -m benchmarks.gpu [--runs resnet18 ...] [--epochs 1] [--images 60000]

Each of the notebook's trainings is the whole training command in its configuration, but from random
weights, which needs no network and takes as long. The epochs of its ten that are not trained, and
all ten of its loop, are extrapolated from images/s.
"""

import argparse
import sys
from typing import Any

from benchmarks import machine, notebook_loop, pipeline, table, throughput, workspace
from stages.system import errors
from tools import repro

SECONDS, ROUNDS = 1.0, 1  # of each measurement of images/s


def main() -> None:
    """Measure on whichever device PyTorch finds."""
    facts = notebook_loop.facts()
    known, most = list(facts["runs"]), facts["configuration"]["epochs"]
    parser = argparse.ArgumentParser(description="Measure the pipeline on a GPU.")
    parser.add_argument("--runs", nargs="+", choices=known, default=known)
    parser.add_argument(
        "--epochs", type=int, choices=range(1, most + 1), default=1, help="that are trained"
    )
    parser.add_argument("--images", type=int, default=60000, help="of each epoch")
    options = parser.parse_args()
    runs, jobs = options.runs, max(2, repro.room(repro.gpus()))
    stages = [] if runs == known else [f"evaluate@{run}" for run in runs]
    alone, beside = (pipeline.measure("portable", number, stages) for number in (1, jobs))
    speeds = throughput.measure(runs, SECONDS, ROUNDS)
    trainings = [training(run, options.epochs, options.images, speeds[1]) for run in runs]
    compared = pipeline.compare("gpu", jobs, alone, beside)
    table.write("gpu", compared, speeds, summarize(trainings, options.epochs, options.images))


def summarize(
    trainings: list[dict[str, Any]], epochs: int, images: int
) -> tuple[str, list[dict[str, Any]]]:
    """Make the table of the notebook's trainings, with a row of all."""
    total = {"run": "all"}
    for column in list(trainings[0])[1:]:
        total[column] = sum(row[column] for row in trainings)
    for row in [*trainings, total]:
        for precision in machine.precisions():
            row[f"{precision}, ratio"] = row["notebook's loop, s"] / row[f"{precision}, s"]
    note = (
        f"The notebook's ten epochs of {images:,} images: seconds of the whole training command. "
        f"Trained for {epochs}, the rest extrapolated."
    )
    return note, [*trainings, total]


def training(run: str, epochs: int, images: int, speeds: list[dict[str, Any]]) -> dict[str, Any]:
    """Make a row on one of the notebook's trainings, in each precision that was measured."""
    theirs, row = notebook_loop.facts()["configuration"], {"run": run}
    left = (theirs["epochs"] - epochs) * images
    for speed in speeds:
        if speed["network"] != run or not speed["configuration"].startswith("notebook"):
            continue
        print("training", run, speed["precision"], file=sys.stderr)
        with workspace.copied() as copy:
            copy.set(
                **notebook_loop.recipe(),
                **{f"models__{run}__image_size": theirs["image_size"]},
                **{f"models__{run}__epochs": epochs},
                train_images=images,
                validation_images=0,
                precision=speed["precision"],
                kernels="portable" if speed["precision"] == "fp32" else "native",
            )
            if run == "alexnet":
                copy.set(models__alexnet__dropout=theirs["dropout"])
            seconds = copy.train(run)
        row["notebook's loop, s"] = theirs["epochs"] * images / speed["notebook (fp32), images/s"]
        row[f"{speed['precision']}, s"] = seconds + left / speed["ours, images/s"]
    return row


if __name__ == "__main__":
    errors.run(main)
