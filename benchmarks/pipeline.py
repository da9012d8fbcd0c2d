"""Seconds and peak memory of `dvc repro`, stage by stage, in a copy with an empty cache.

python -m benchmarks.pipeline [stage ...]

A stage's seconds run from DVC's line that announces it to the next one; what its command did not
take is DVC's: hashing and caching. Start-up is, for a training, the same command with two images
and one epoch, its writing included; for other stages the import of their module.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from ruamel.yaml import YAML

from benchmarks import results, workspace
from stages.system import errors
from stages.system.errors import UserError

COLUMNS = ["stage", "seconds", "of these DVC", "of these start-up", "peak memory, MiB"]
REPEATS = 3


def main() -> None:
    """Run all stages, or those named and what they need, then once more with nothing to do."""
    parser = argparse.ArgumentParser(description="Measure a full `dvc repro` by stage.")
    parser.add_argument("stages", nargs="*", help="all unless given")
    targets = parser.parse_args().stages
    with workspace.copied() as copy:
        subprocess.run(["git", "init", "--quiet"], cwd=copy.root, check=True)
        environment = shim(copy)
        started, announced = time.perf_counter(), []
        for moment, line in reproduce(copy, environment, "--force", *targets):
            if name := re.match(r"Running stage '(.+)'", line):
                announced.append((name[1], moment))
            elif line.startswith("> "):
                announced[-1] += (line.removeprefix("> python ").split(),)
        ended = time.perf_counter()
        usages = copy.usages()
        idle = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            list(reproduce(copy, environment, *targets))
            idle.append(time.perf_counter() - start)
        if len(copy.usages()) > len(usages):
            raise UserError("`dvc repro` ran stages again: expected none, see `dvc status`")
        shorten(copy)
        moments = [moment for _, moment, _ in announced[1:]] + [ended]
        rows = []
        for (name, start, command), end, used in zip(announced, moments, usages, strict=True):
            print("start-up of", name, file=sys.stderr)
            short = command if command[1] == "stages.train" else ["-c", f"import {command[1]}"]
            dvc = end - start - used.seconds
            rows.append([name, end - start, dvc, copy.python(*short).seconds, used.mebibytes])
    most = max(row[4] for row in rows)
    own = ended - started - sum(used.seconds for used in usages)
    rows.append(["all", ended - started, own, sum(row[3] for row in rows), most])
    rows.append(
        [f"all, with nothing to do (median of {REPEATS})", median(idle), median(idle), "", ""]
    )
    results.report("pipeline", "`dvc repro --force`, data/mnist present.", COLUMNS, rows)


def shim(copy: workspace.Workspace) -> dict[str, str]:
    """Put a `python` first on the path that notes what each command takes."""
    folder = copy.root.parent / "bin"
    folder.mkdir()
    command = f"exec '{sys.executable}' '{workspace.USAGE}' '{copy.log}' '{sys.executable}' \"$@\""
    (folder / "python").write_text(f"#!/bin/sh\n{command}\n")
    (folder / "python").chmod(0o755)
    return os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def reproduce(
    copy: workspace.Workspace, environment: dict[str, str], *arguments: str
) -> Iterator[tuple[float, str]]:
    """Run `dvc repro`; give each line that it prints as it comes, with the moment.

    Raises:
        UserError: it failed.
    """
    command = [sys.executable, "-u", "-m", "dvc", "repro", *arguments]
    with subprocess.Popen(
        command,
        cwd=copy.root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout:
            yield time.perf_counter(), line.rstrip()
            last = line
    if process.returncode:
        raise UserError(f"`dvc repro` failed in a copy of the repository: {last.rstrip()}")


def shorten(copy: workspace.Workspace) -> None:
    """Set params.yaml to two images and one epoch."""
    values = YAML(typ="safe").load(Path(copy.root / "params.yaml"))
    epochs = {f"models__{model}__epochs": 1 for model in values["models"]}
    copy.set(train_images=2, validation_images=0, **epochs)


if __name__ == "__main__":
    errors.run(main)
