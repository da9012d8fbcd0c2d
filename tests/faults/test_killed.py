"""Killed at any moment, a stage leaves whole files, and what was trained before is not lost."""

import os
import pty
import shutil
import signal
import subprocess
import termios
from contextlib import suppress

from helpers import assert_told


def test_a_stage_changes_no_result_in_place(trained, stage) -> None:
    paths = [trained.root / name for name in trained.undisturbed if "/model_b." in name]
    paths.remove(trained.root / "plots/mistakes/model_b.png")
    before = {path: path.stat().st_ino for path in paths}
    stage("train", "model_b", code=0)
    stage("evaluate", "model_b", code=0)
    assert not [path for path in paths if path.stat().st_ino == before[path]]
    trained.assert_undisturbed()


def start(trained, *command: str, **pipes: int) -> subprocess.Popen:
    """Start a command in its own process group, as a terminal does."""
    options = {"cwd": trained.root, "text": True, "start_new_session": True}
    return subprocess.Popen(command, **options, **pipes)


def stop_training(trained, number: int) -> str:
    """Start a training with DVC, send both a signal and return what the terminal shows."""
    ours, theirs = pty.openpty()  # a training shows its bar on a terminal only
    termios.tcsetwinsize(theirs, (24, 80))
    command = ["env", "--default-signal=HUP", "dvc", "repro", "train@model_b"]
    dvc = start(trained, *command, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = ""
    # until nobody has it open (OSError) or it is closed here (ValueError)
    with suppress(OSError, ValueError), os.fdopen(ours, "rb", buffering=0) as terminal:
        while chunk := terminal.read(1000).decode(errors="replace"):
            if ", loss " in chunk and ", loss " not in shown:
                if number == signal.SIGHUP:  # this is what sends it
                    terminal.close()
                os.killpg(dvc.pid, number)
            shown += chunk
    assert dvc.wait() != 0
    return shown


def test_a_stopped_training_resumes_and_costs_no_other_training(trained) -> None:
    trained.set_params(models__model_b__epochs=1000)
    stop_training(trained, signal.SIGHUP)
    stopped = stop_training(trained, signal.SIGINT)
    assert "resuming at step" in stopped
    assert_told("Ctrl-C while a model trains", stopped)
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
