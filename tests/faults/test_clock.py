"""The clock is no input of the pipeline."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run_stage

STAGES = [["weights", "resnet18"], ["train", "model_b"], ["evaluate", "model_b"], ["report"]]


def results(workspace: Path) -> dict[Path, bytes]:
    folders = ("data", "metrics", "plots")
    files = [path for name in folders for path in (workspace / name).rglob("*")]
    return {path: path.read_bytes() for path in files if path.is_file()}


def test_another_day_gives_the_same_bytes(workspace: Path) -> None:
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        pytest.skip("needs libfaketime, Debian's package faketime")
    made = []
    for day in ("1999-12-31 23:59:58", "2037-02-01 12:00:00"):
        fake = {"LD_PRELOAD": str(library), "FAKETIME": f"@{day}"}
        code = "import datetime; print(datetime.date.today().year)"
        command = [sys.executable, "-c", code]
        year = subprocess.run(command, env=os.environ | fake, capture_output=True, text=True)
        assert year.stdout.strip() in (day[:4], "2000")
        for stage, *arguments in STAGES:
            done = run_stage(f"stages.{stage}", *arguments, cwd=workspace, **fake)
            assert done.returncode == 0, done.stderr
        made.append(results(workspace))
    assert made[0] == made[1]
