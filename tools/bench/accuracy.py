"""From a cold start to the notebook's test accuracy: a whole run against the notebook's ten epochs.

python -m tools.bench.accuracy [--runs resnet18 ...] [--seeds 0 1 2] [--seconds 20]

Trains what is committed, in a clone. Seconds are those of the whole training command, with data and
starting weights present. The notebook's are extrapolated: the images of its ten epochs over the
images/s of its loop, measured before each training. Every test result goes to data/seeds.csv: next
to the run's earlier ones if its committed result is among these, else (other code) in their place.
"""

from stages.system import errors

if __name__ == "__main__":
    errors.run_module(__spec__.name)

import argparse
import json
import shlex
import sys
from pathlib import Path
from statistics import median
from typing import Any

from dvc.repo import Repo
from ruamel.yaml import YAML

from stages.results import runs, seeds
from stages.system import outputs
from tools.bench import notebook, speed, workspace


def main() -> None:
    facts, rows = notebook.facts(), []
    names = list(YAML(typ="safe").load(Path("dvc.yaml"))["vars"][0]["runs"])
    parser = argparse.ArgumentParser(description="Measure the time to the notebook's accuracy.")
    parser.add_argument("--runs", nargs="+", choices=names, default=names, help="default: all")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="default: 0 1 2")
    parser.add_argument("--seconds", type=float, default=20, help="to time the notebook's loop")
    arguments = parser.parse_args()
    with workspace.cloned() as root:
        for run in arguments.runs:
            tests, loops = [], []
            for seed in arguments.seeds:
                print("measuring", run, "seed", seed, file=sys.stderr)
                if run in facts["runs"]:
                    loops.append(speed.measure(run, "notebook", "loop", arguments.seconds))
                tests.append(train(root, run, seed))
            keep(run, tests)
            if loops:
                rows.append(compare(run, tests, loops, facts))
    if rows:
        note = f"Seeds {', '.join(map(str, arguments.seeds))}; default params; median (range)."
        workspace.write("accuracy", note, rows)


def train(root: Path, run: str, seed: int) -> dict[str, Any]:
    """Train and test a run in a clone; return its test metrics and the seconds of the training."""
    workspace.set_params(root, seed=seed)
    workspace.run(root, "dvc", "repro", "fetch", "weights")
    with Repo(root) as repo:
        stages = {out.def_path: stage for stage in repo.index.stages for out in stage.outs}
    if f"data/models/{run}.pt" not in stages:
        raise errors.UserError(f"{run} is not in the last commit's dvc.yaml: commit it first")
    _, seconds = workspace.run(root, *shlex.split(stages[f"data/models/{run}.pt"].cmd))
    workspace.run(root, "python", "-m", "stages.evaluate", run)
    metrics = json.loads((root / f"metrics/test/{run}.json").read_text())
    return {"run": run, "seed": seed, "seconds": seconds} | metrics


def keep(run: str, tests: list[dict[str, Any]]) -> None:
    """Write a run's test results to seeds.csv; a loss that is not finite is empty or nan."""
    known = seeds.read()
    earlier = known.get(run, seeds.Seeds({}))
    kept = earlier.results if earlier.has(runs.read([run])[run].test) else {}
    known[run] = seeds.Seeds(kept | {test["seed"]: test for test in tests})
    rows = [
        [name, seed, result["accuracy"], result["loss"], result["errors"]]
        for name, measured in sorted(known.items())
        for seed, result in sorted(measured.results.items())
    ]
    outputs.write_csv(seeds.PATH, seeds.COLUMNS, rows)


def compare(run: str, tests: list[dict], loops: list[float], facts: dict) -> dict[str, str]:
    """Make a row of the table; no ratio unless every seed reaches the notebook's accuracy."""
    theirs, goal = facts["configuration"], facts["runs"][run]["accuracy"]
    seconds, accuracies = ([test[key] for test in tests] for key in ("seconds", "accuracy"))
    reached = sum(accuracy >= goal for accuracy in accuracies)
    expected = theirs["epochs"] * theirs["train_images"] / median(loops)
    return {
        "run": run,
        "seconds": spread(seconds, 1),
        "test accuracy": spread(accuracies, 4),
        "notebook's": f"{goal:.4f}",
        "seeds that reach it": f"{reached} of {len(tests)}",
        "notebook, images/s": spread(loops, 1),
        "notebook, seconds": f"{expected:,.0f}",
        "ratio": f"{expected / median(seconds):.0f}" if reached == len(tests) else "not reached",
    }


def spread(values: list[float], digits: int) -> str:
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
