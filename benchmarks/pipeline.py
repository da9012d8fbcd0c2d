"""Seconds and peak memory of `dvc repro`, stage by stage, in a copy with an empty cache.

python -m benchmarks.pipeline [stage ...]

A stage's seconds are those of its command; hashing and caching are DVC's own.
"""

import argparse
import os
import shlex
import subprocess
import sys
import time
from statistics import median

from benchmarks import table, workspace
from stages.system import errors
from stages.system.errors import UserError

REPEATS = 3


def main() -> None:
    """Run all stages, or those named and what they need, then again with nothing to do."""
    parser = argparse.ArgumentParser(description="Measure a full `dvc repro` by stage.")
    parser.add_argument("stages", nargs="*", help="all unless given")
    targets = parser.parse_args().stages
    with workspace.copied() as copy:
        subprocess.run(["git", "init", "--quiet"], cwd=copy.root, check=True)
        (copy.root / "data/mnist").rename(copy.root / "data/raw")  # DVC would empty data/mnist
        environment = log_python(copy)
        total = reproduce(copy, environment, "--force", *targets)
        used = copy.usages()
        idle = median(reproduce(copy, environment, *targets) for _ in range(REPEATS))
        if len(copy.usages()) > len(used):
            raise UserError("`dvc repro` ran stages again, expected none: see `dvc status`")
        names = {stage["cmd"]: name for name, stage in copy.stages().items()}
    rows = [(names[shlex.join(["python", *arguments])], *rest) for arguments, *rest in used]
    rows.append(("DVC's own", total - sum(one.seconds for one in used), ""))
    rows.append(("all", total, max(one.mebibytes for one in used)))
    rows.append((f"all, with nothing to do (median of {REPEATS})", idle, ""))
    columns = ["stage", "seconds", "peak memory, MiB"]
    note = "`dvc repro --force`, with MNIST in data/raw."
    table.write("pipeline", note, [dict(zip(columns, row, strict=True)) for row in rows])


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
