"""Killed at any moment, also inside a write, a stage leaves whole files and can be run again."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from downloads import FETCH_FROM_A_SHELF
from fault_table import assert_told

KILL = str(Path(__file__).with_name("kill"))
# A stage, and the results that it writes, in their order.
STAGES = {
    "train": (["-m", "stages.train", "model_b"],
              ["metrics/train/model_b.json",
               *[f"plots/runs/model_b/{name}" for name in ("loss.csv", "steps.csv",
                                                           "settings.json")],
               "data/models/model_b.pt"]),
    "evaluate": (["-m", "stages.evaluate", "model_b"],
                 ["metrics/test/model_b.json", "plots/runs/model_b/confusion.csv",
                  "plots/runs/model_b/mistakes.png"]),
    "report": (["-m", "stages.report"], ["plots/accuracy.png", "plots/report.md"]),
    "fetch": (["-c", FETCH_FROM_A_SHELF],
              ["data/mnist/t10k-images-idx3-ubyte", "data/mnist/t10k-labels-idx1-ubyte"]),
}  # fmt: skip

# Where kill/sitecustomize.py kills, and by which signal.
INSIDE = ("open", signal.SIGXFSZ)
BEFORE_THE_RENAMING = ("os.rename", signal.SIGKILL)


@pytest.mark.parametrize(
    ("stage", "step", "number"),
    [
        ("fetch", *INSIDE),
        ("fetch", *BEFORE_THE_RENAMING),
        ("train", *INSIDE),
        ("train", *BEFORE_THE_RENAMING),
        ("evaluate", *INSIDE),
        ("report", *BEFORE_THE_RENAMING),
    ],
)
def test_killed_while_it_writes(stage: str, step: str, number: int, trained, mnist: Path) -> None:
    """Killed within a file, or with a file whole but not yet in its place."""
    arguments, writes = STAGES[stage]
    command = [sys.executable, *arguments]
    for name in writes:
        (trained.root / name).unlink()
    left = trained.results()
    at = random.Random(f"{stage} {step}").randint(1, len(writes))
    kill = {"PYTHONPATH": KILL, "KILL_AT": f"{step} {at}", "PYTHONDONTWRITEBYTECODE": "1"}
    killed = trained.run(*command, SHELF=str(mnist), **kill)
    assert killed.returncode == -number, killed.stderr
    assert "error" not in killed.stderr
    (part,) = trained.root.rglob("*.part")
    assert (part.stat().st_size == 20) == ((step, number) == INSIDE)
    assert left.items() <= trained.results().items() <= trained.undisturbed.items()
    assert trained.run(*command, SHELF=str(mnist)).returncode == 0
    trained.assert_undisturbed()


def start(trained, *command: str, output: int | None = subprocess.DEVNULL) -> subprocess.Popen:
    """Start a command of the virtual environment, in a process group of its own."""
    command = [str(Path(sys.executable).with_name(command[0])), *command[1:]]
    return subprocess.Popen(command, cwd=trained.root, start_new_session=True, text=True,
                            stdout=output, stderr=subprocess.DEVNULL)  # fmt: skip


def test_killed_together_with_dvc(trained) -> None:
    """As a machine that goes down kills both; tests/test_resume.py has more moments of a stage."""
    moments = random.Random(0)
    command = ["dvc", "repro", "train@model_b"]
    seconds, resumed = 0.0, 0
    for number in range(4):
        for name in STAGES["train"][1]:
            (trained.root / name).unlink()  # else there would be nothing to run
        began = time.monotonic()
        process = start(trained, *command)
        if number:  # the first shows how long it takes
            time.sleep(moments.uniform(0, seconds))
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        seconds = seconds or time.monotonic() - began
        assert trained.results().items() <= trained.undisturbed.items()
        resumed += bool(trained.stages_run(*command))
        trained.assert_undisturbed()
    assert resumed, "every kill came after the end"


def test_two_at_once(trained) -> None:
    again = ["dvc", "repro", "--force", "--single-item", "fetch"]
    first = start(trained, *again, output=subprocess.PIPE)
    while "Running stage" not in first.stdout.readline():
        assert first.poll() is None
    os.killpg(first.pid, signal.SIGSTOP)  # for as long as the second takes
    second = trained.run(*again)
    os.killpg(first.pid, signal.SIGCONT)
    assert second.returncode == 255
    assert "Traceback" not in second.stderr
    first.communicate()
    assert first.returncode == 0
    assert trained.stages_run("dvc", "repro", "evaluate@model_b") == set()
    trained.assert_undisturbed()
    assert_told("a second `dvc repro` while one works", second.stderr, trained.root)
