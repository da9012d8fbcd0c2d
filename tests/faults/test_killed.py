"""Killed at any moment, a stage leaves whole files, and what was trained before is not lost."""

import os
import pty
import resource
import shutil
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from helpers import assert_told

from stages.system import outputs

OUTPUTS = {
    "train": ["data/models/model_b.pt", "data/settings/model_b.json", "metrics/train/model_b.json",
              "plots/runs/model_b/loss.csv", "plots/runs/model_b/steps.csv"],
    "evaluate": ["data/predictions/model_b.csv", "metrics/test/model_b.json",
                 "plots/runs/model_b/confusion.csv"],
}  # fmt: skip
SOME_BYTES = 20


@pytest.mark.parametrize(
    ("step", "number"), [("open", signal.SIGXFSZ), ("os.rename", signal.SIGKILL)]
)
def test_killed_while_it_writes(step: str, number: int, tmp_path: Path) -> None:
    """Killed in the middle of a file, or with a file whole but not yet in its place."""
    path = tmp_path / "out"
    outputs.write_bytes(path, b"before")

    def end(event: str, arguments: tuple) -> None:
        if event != step or not str(arguments[0]).endswith(".part"):
            return
        if step == "os.rename":
            os.kill(os.getpid(), signal.SIGKILL)
        # the kernel ends the process as SIGKILL would, once this many bytes are written
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (SOME_BYTES, most))

    child = os.fork()
    if not child:
        sys.addaudithook(end)
        outputs.write_bytes(path, bytes(1000))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -number
    (part,) = tmp_path.glob(".*.part")
    assert part.stat().st_size == (SOME_BYTES if step == "open" else 1000)
    assert path.read_bytes() == b"before"
    outputs.write_bytes(path, b"after")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"out": b"after"}


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_stage_changes_no_result_in_place(name: str, trained, stage) -> None:
    before = {path: (trained.root / path).stat().st_ino for path in OUTPUTS[name]}
    stage(name, "model_b", code=0)
    assert not [path for path in before if (trained.root / path).stat().st_ino == before[path]]
    trained.assert_undisturbed()


def start(trained, *command: str, **pipes: int) -> subprocess.Popen:
    """Start a command in a process group of its own, as a terminal does."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(command, cwd=trained.root, env=os.environ | {"PATH": path}, text=True,
                            start_new_session=True, **pipes)  # fmt: skip


def read(terminal: int) -> str:
    """Return what was written to a terminal next, "" once nobody has it open."""
    try:
        return os.read(terminal, 1000).decode(errors="replace")
    except OSError:
        return ""


def stop_training(trained, number: int) -> str:
    """Start a training with DVC, send both a signal and return what the terminal shows."""
    ours, theirs = pty.openpty()  # a training shows its bar on a terminal only
    termios.tcsetwinsize(theirs, (24, 80))
    dvc = start(trained, "dvc", "repro", "train@model_b", stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = ""
    while chunk := read(ours):
        if ", loss " in chunk and ", loss " not in shown:
            os.killpg(dvc.pid, number)
        shown += chunk
    os.close(ours)
    assert dvc.wait() != 0
    return shown


def test_a_stopped_training_resumes_and_costs_no_other_training(trained) -> None:
    trained.set_params(models__model_b__epochs=1000)
    assert_told("Ctrl-C while a model trains", stop_training(trained, signal.SIGINT))
    assert "resuming at step" in stop_training(trained, signal.SIGKILL)  # as a power cut does
    shutil.rmtree(trained.root / "data/checkpoints")
    trained.assert_lost_and_restored()


def test_two_at_once(trained) -> None:
    again = ["dvc", "repro", "--force", "--single-item", "fetch"]
    first = start(trained, *again, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    while "Running stage" not in first.stdout.readline():
        assert first.poll() is None
    os.killpg(first.pid, signal.SIGSTOP)  # for as long as the second takes
    second = trained.run(*again)
    os.killpg(first.pid, signal.SIGCONT)
    assert second.returncode == 255
    assert_told("a second `dvc repro` while another is running", second.stderr)
    first.communicate()
    assert first.returncode == 0
    trained.assert_undisturbed()
