"""Seconds and peak memory of the pipeline by stage: portable and native kernels, side by side.

python -m tools.bench.pipeline [--jobs N] [stage ...]

Each time everything runs, in a copy with an empty cache: one stage after another with portable and
with native kernels, then side by side as `make repro` does. A stage's seconds are those of its
command; hashing and caching are DVC's own. pipeline.png shows when each stage ran.
"""

import argparse
import os
import shlex
import subprocess
import sys
import time
from statistics import median
from typing import Any, NamedTuple

from stages.system import errors, outputs
from stages.system.errors import UserError
from tools import repro
from tools.bench import table, timeline, workspace
from tools.bench.workspace import Usage

REPEATS = 3


class Run(NamedTuple):
    """A whole run: its seconds, what each stage's command used, dvc.lock, an idle run's seconds."""

    seconds: float
    used: dict[str, Usage]
    lock: bytes
    idle: float

    @property
    def figures(self) -> dict[str, float]:
        """Return the seconds of each stage and of everything."""
        each = {stage: one.seconds for stage, one in self.used.items()}
        return each | {"all": self.seconds, "all, with nothing to do": self.idle}


def main() -> None:
    """Run all stages, or those named and what they need, in each way."""
    parser = argparse.ArgumentParser(description="Measure a full run of the pipeline by stage.")
    parser.add_argument("--jobs", type=int, default=repro.room(repro.gpus()), help="side by side")
    parser.add_argument("stages", nargs="*", help="all unless given")
    arguments = parser.parse_args()
    jobs, stages = arguments.jobs, arguments.stages
    alone = [measure(kernels, 1, stages) for kernels in ("portable", "native")]
    note, rows = compare("pipeline", jobs, alone[0], measure("portable", jobs, stages))
    for one in rows:
        portable, native = (run.figures[one["stage"]] for run in alone)
        one |= {"native kernels, s": native, "portable / native": portable / native}
    table.write("pipeline", (note, rows))


def compare(name: str, jobs: int, alone: Run, beside: Run) -> tuple[str, list[dict[str, Any]]]:
    """Make a table of one stage after another and `jobs` at once, and the picture <name>.png.

    Raises:
        UserError: the results are not the same.
    """
    if beside.lock != alone.lock:
        raise UserError(f"JOBS={jobs} gave other results than JOBS=1: compare the stages' files")
    picture = timeline.draw({"JOBS=1": alone.used, f"JOBS={jobs}": beside.used})
    outputs.write_bytes(table.FOLDER / f"{name}.png", picture)
    peaks = {stage: one.mebibytes for stage, one in alone.used.items()}
    peaks["all"] = max(peaks.values())
    rows = [
        {
            "stage": stage,
            "peak memory, MiB": peaks.get(stage, ""),
            "JOBS=1, s": seconds,
            f"JOBS={jobs}, s": beside.figures[stage],
            "ratio": beside.figures[stage] / seconds,
        }
        for stage, seconds in alone.figures.items()
    ]
    note = (
        f"MNIST is in data/raw; with nothing to do: median of {REPEATS}. The results with JOBS=1 "
        f"and JOBS={jobs} are the same."
    )
    return note, rows


def measure(kernels: str, jobs: int, stages: list[str]) -> Run:
    """Run the pipeline in a copy.

    Raises:
        UserError: it failed, or ran something again that was done.
    """
    with workspace.copied() as copy:
        subprocess.run(["git", "init", "--quiet"], cwd=copy.root, check=True)
        copy.set(kernels=kernels)
        command = ["-m", "tools.repro", "--jobs", str(jobs), *stages]
        environment = log_python(copy)
        seconds = run(copy, environment, command)
        names = {stage["cmd"]: name for name, stage in copy.stages().items()}
        used = {names[shlex.join(["python", *one.arguments])]: one for one in copy.usages()}
        copy.log.write_text("")
        idle = median(run(copy, environment, command) for _ in range(REPEATS))
        if copy.usages():
            raise UserError("stages ran again, expected none: see `dvc status`")
        return Run(seconds, used, (copy.root / "dvc.lock").read_bytes(), idle)


def log_python(copy: workspace.Workspace) -> dict[str, str]:
    """Return an environment whose `python` notes in the copy's log what it used."""
    folder = copy.root.with_name("bin")
    folder.mkdir()
    command = shlex.join(map(str, [sys.executable, workspace.USAGE, copy.log, sys.executable]))
    (folder / "python").write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    (folder / "python").chmod(0o755)
    return os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def run(copy: workspace.Workspace, environment: dict[str, str], command: list[str]) -> float:
    """Run python in the copy and return its seconds."""
    start = time.perf_counter()
    python = [sys.executable, *command]
    if subprocess.run(python, cwd=copy.root, env=environment, stdout=sys.stderr).returncode:
        raise UserError("the pipeline failed in a copy of the repository, for the reason above")
    return time.perf_counter() - start


if __name__ == "__main__":
    errors.run(main)
