"""What checkpoints cost a training: with them and without, in turn.

python -m benchmarks.checkpoints [--runs resnet18 ...] [--rounds 1]

Default params, so that each training lasts as long as in the pipeline. The share is the time
within the checkpoint's own code, from the fingerprint to the removal, of the whole training. The
ratio of the two trainings' seconds holds all else too, and the noise of the machine.
"""

import argparse
import json
import sys
from statistics import median

from benchmarks import results, workspace
from stages.system import errors
from stages.training import params

COLUMNS = ["run", "without, seconds", "with, seconds", "ratio", "within the checkpoint's code",
           "share", "writings"]  # fmt: skip
WITHOUT = """
from stages import train
from stages.system import errors

train.fingerprint = lambda *_: ""
train.Checkpoint = lambda *_: None
errors.run(train.main)
"""
WITH = """
import json
import time
from pathlib import Path
from stages import train
from stages.system import errors
from stages.training.checkpoint import Checkpoint

cost = {"seconds": 0, "writings": 0}

def timed(function):
    def call(*arguments):
        start = time.monotonic()
        try:
            return function(*arguments)
        finally:
            cost["seconds"] += time.monotonic() - start
    return call

def counted(*arguments):
    cost["writings"] += 1
    return save(*arguments)

save, Checkpoint.save = Checkpoint.save, counted
for name in ("resume", "save_if_due", "remove"):
    setattr(Checkpoint, name, timed(getattr(Checkpoint, name)))
train.fingerprint = timed(train.fingerprint)
errors.run(train.main)
Path("cost.json").write_text(json.dumps(cost))
"""


def main() -> None:
    """Train each run both ways, in a copy of the repository."""
    values = params.read()
    parser = argparse.ArgumentParser(description="Measure what checkpoints cost.")
    parser.add_argument("--runs", nargs="+", choices=values["models"], default=values["models"])
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    rows = []
    with workspace.copied() as copy:
        for run in options.runs:
            if run in values["weights"]:
                copy.python("-m", "stages.weights", run)
            without, watched, within = [], [], []
            for number in range(options.rounds):
                print("measuring", run, "round", number + 1, file=sys.stderr)
                without.append(copy.python("-c", WITHOUT, run).seconds)
                watched.append(copy.python("-c", WITH, run).seconds)
                cost = json.loads((copy.root / "cost.json").read_text())
                within.append(cost["seconds"])
            ratio = f"{median(watched) / median(without):.3f}"
            share = f"{median(within) / median(watched):.2%}"
            rows.append([run, median(without), median(watched), ratio, median(within), share])
            rows[-1].append(cost["writings"])
    results.report("checkpoints", f"Rounds: {options.rounds}.", COLUMNS, rows)


if __name__ == "__main__":
    errors.run(main)
