"""Stages side by side, in a pipeline that takes no time; tests/pipeline runs the real one."""

import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from helpers import ROOT, Repository, assert_told, refusal

# `good` and `bad` run side by side
PIPELINE = """
stages:
  first: {cmd: echo 1 > first, outs: [first]}
  last: {cmd: cat good bad > last, deps: [good, bad], outs: [last]}
  good: {cmd: echo $CUDA_VISIBLE_DEVICES > good, deps: [first], outs: [good]}
  bad: {cmd: BAD, deps: [first], outs: [bad]}
  after: {cmd: cp good after, deps: [good], outs: [after]}
"""
# Ctrl-C makes it leave a file
WAITS = "trap 'touch kept; exit 130' INT; touch started; until cp go bad; do sleep 0.1; done"
COMMAND = ["python", "-m", "tools.repro", "--jobs"]


@pytest.fixture
def small(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path)
    repository.do("git", "init", "--quiet")
    repository.do("dvc", "init", "--quiet")
    return repository


def reproduce(repository: Repository, bad: str, jobs: str = "3") -> subprocess.CompletedProcess:
    (repository.root / "dvc.yaml").write_text(PIPELINE.replace("BAD", bad))
    return repository.run(*COMMAND, jobs, PYTHONPATH=str(ROOT), CUDA_VISIBLE_DEVICES="0,1")


def start(repository: Repository, *command: str, **pipes: int) -> subprocess.Popen:
    """Start a command and return once a stage waits."""
    (repository.root / "dvc.yaml").write_text(PIPELINE.replace("BAD", f'"{WAITS}"'))
    environment = {"cwd": repository.root, "env": os.environ | {"PYTHONPATH": str(ROOT)}}
    process = subprocess.Popen(command, text=True, **environment, **pipes)
    while not (repository.root / "started").exists():
        assert process.poll() is None
        time.sleep(0.05)
    return process


MEMORY = "; error: killed, most likely for lack of memory: lower JOBS or batch_size"


def test_a_failure_holds_up_only_what_needs_it(small: Repository) -> None:
    sentence = "error: bad failed (see .dvc/tmp/repro/bad.log), so last did not run: correct this"
    for bad, told in (
        ("'echo error: no luck; exit 1'", "; error: no luck"),
        ("kill -9 $$", MEMORY),
        ("exit 137", MEMORY),  # what a shell says of its child
    ):
        result = reproduce(small, bad)
        assert refusal(result) == f"{sentence} and run again"
        assert re.search(rf"^bad failed after \d+ s{told}$", result.stdout, re.MULTILINE)
    assert (small.root / "after").read_text() == "0\n"  # one of the two GPUs
    again = reproduce(small, "cp first bad", "100000")
    assert again.returncode == 0, again.stderr
    (warning,) = again.stderr.splitlines()
    assert warning.startswith("warning: JOBS is 100000, but there is memory for ")
    printed = [line.split(" in ")[0] for line in again.stdout.splitlines()]
    assert printed == ["bad started", "bad done", "last started", "last done"]
    assert reproduce(small, "cp first bad").stdout == "Data and pipelines are up to date.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_every_stage(number: int, small: Repository) -> None:
    process = start(small, *COMMAND, "2", stderr=subprocess.PIPE)
    process.send_signal(number)
    assert "error: interrupted; run the same command again" in process.communicate()[1]
    assert process.returncode == 128 + number
    assert (small.root / "kept").exists()


@pytest.mark.parametrize("prefix", ["env --default-signal=HUP", "nohup"])
def test_a_closed_terminal_is_a_ctrl_c_unless_nohup(prefix: str, small: Repository) -> None:
    ours, theirs = pty.openpty()
    command = ["setsid", "--ctty", *prefix.split(), *COMMAND, "2"]
    process = start(small, *command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.close(ours)
    if prefix == "nohup":
        (small.root / "go").touch()
    assert (process.wait() == 0) == (prefix == "nohup")
    assert (small.root / "kept").exists() == (prefix != "nohup")
    assert reproduce(small, "cp first bad").returncode == 0


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_second_one_is_refused_and_the_first_unharmed(jobs: str, small: Repository) -> None:
    first = start(small, *COMMAND, jobs)
    second = small.run(*COMMAND, "2", PYTHONPATH=str(ROOT))
    assert f"(process {first.pid})" in refusal(second)
    assert_told("a second `make repro` while another is running", second.stderr)
    (small.root / "go").touch()
    assert first.wait() == 0
    assert "up to date" in small.do(*COMMAND, "2", PYTHONPATH=str(ROOT))


def test_what_plain_dvc_says_of_a_killed_stage(small: Repository) -> None:
    result = reproduce(small, "kill -9 $$", "1")
    assert_told("a stage is killed, most likely for lack of memory", result.stderr)


def test_a_wrong_number_or_pipeline_is_refused(small: Repository) -> None:
    for jobs in ("0", "many"):
        sentence = f"JOBS is '{jobs}', expected a number such as 2: correct or omit it"
        assert refusal(reproduce(small, "cp first bad", jobs)) == f"error: {sentence}"
    assert "dvc.yaml" in refusal(reproduce(small, "["))
    assert not (small.root / "first").exists()
