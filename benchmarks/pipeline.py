"""Seconds and peak memory of `dvc repro`, stage by stage, with portable and with native kernels.

python -m benchmarks.pipeline [stage ...]

In a copy with an empty cache. A stage's seconds are those of its command; hashing and caching are
DVC's own.
"""

import argparse
import os
import shlex
import subprocess
import sys
import time
from statistics import median
from typing import Any

from benchmarks import table, workspace
from stages.system import errors
from stages.system.errors import UserError

KERNELS = ("portable", "native")
REPEATS = 3


def main() -> None:
    """Run all stages, or those named and what they need, then again with nothing to do."""
    parser = argparse.ArgumentParser(description="Measure a full `dvc repro` by stage.")
    parser.add_argument("stages", nargs="*", help="all unless given")
    targets = parser.parse_args().stages
    used, totals = {}, {}
    with workspace.copied() as copy:
        subprocess.run(["git", "init", "--quiet"], cwd=copy.root, check=True)
        (copy.root / "data/mnist").rename(copy.root / "data/raw")  # DVC would empty data/mnist
        environment = log_python(copy)
        for kernels in KERNELS:
            copy.set(kernels=kernels)
            copy.log.write_text("")
            totals[kernels] = reproduce(copy, environment, "--force", *targets)
            used[kernels] = {shlex.join(["python", *one.arguments]): one for one in copy.usages()}
        copy.log.write_text("")
        idle = median(reproduce(copy, environment, *targets) for _ in range(REPEATS))
        if copy.usages():
            raise UserError("`dvc repro` ran stages again, expected none: see `dvc status`")
        names = {stage["cmd"]: name for name, stage in copy.stages().items()}
    rows = [
        row(names[command], [used[kernels][command].seconds for kernels in KERNELS], one.mebibytes)
        for command, one in used["portable"].items()
    ]
    commands = {kernels: sum(one.seconds for one in used[kernels].values()) for kernels in KERNELS}
    rows.append(row("DVC's own", [totals[kernels] - commands[kernels] for kernels in KERNELS]))
    peak = max(one.mebibytes for one in used["portable"].values())
    rows.append(row("all", list(totals.values()), peak))
    rows.append(row(f"all, with nothing to do (median of {REPEATS})", [idle]))
    note = "`dvc repro --force` with each, one after the other, with MNIST in data/raw."
    table.write("pipeline", note, rows)


def row(stage: str, seconds: list[float], mebibytes: float | str = "") -> dict[str, Any]:
    """Make a row of the table; `seconds` are portable, then native."""
    portable, native = seconds if len(seconds) == 2 else (*seconds, "")
    return {
        "stage": stage,
        "portable, s": portable,
        "native, s": native,
        "ratio": portable / native if native else "",
        "peak memory, MiB": mebibytes,
    }


def log_python(copy: workspace.Workspace) -> dict[str, str]:
    """Return an environment whose `python` notes in the copy's log what it used."""
    folder = copy.root.with_name("bin")
    folder.mkdir()
    command = shlex.join(map(str, [sys.executable, workspace.USAGE, copy.log, sys.executable]))
    (folder / "python").write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    (folder / "python").chmod(0o755)
    return os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def reproduce(copy: workspace.Workspace, environment: dict[str, str], *arguments: str) -> float:
    """Run `dvc repro` and return its seconds."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "dvc", "repro", *arguments]
    if subprocess.run(command, cwd=copy.root, env=environment, stdout=sys.stderr).returncode:
        raise UserError("`dvc repro` failed in a copy of the repository, for the reason above")
    return time.perf_counter() - start


if __name__ == "__main__":
    errors.run(main)
