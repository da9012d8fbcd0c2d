"""Stages side by side, in a pipeline that takes no time; tests/pipeline runs the real one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import ROOT, Repository, refusal

from tools import repro

# `first`, then `good` and `bad` side by side, then what needs these
PIPELINE = """
stages:
  first: {cmd: echo 1 > first, outs: [first]}
  last: {cmd: cat good bad > last, deps: [good, bad], outs: [last]}
  good: {cmd: cp first good, deps: [first], outs: [good]}
  bad: {cmd: BAD, deps: [first], outs: [bad]}
  after: {cmd: cp good after, deps: [good], outs: [after]}
"""
WAITS = """
import signal, sys, time
from pathlib import Path

def keep(number, frame):
    Path("kept").touch()
    sys.exit(130)

signal.signal(signal.SIGINT, keep)
Path("started").touch()
time.sleep(600)
"""
COMMAND = [sys.executable, "-m", "tools.repro", "--jobs"]


@pytest.fixture
def small(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path)
    (tmp_path / "waits.py").write_text(WAITS)
    repository.do("git", "init", "--quiet")
    repository.do("dvc", "init", "--quiet")
    return repository


def reproduce(repository: Repository, bad: str, jobs: str = "3") -> subprocess.CompletedProcess:
    (repository.root / "dvc.yaml").write_text(PIPELINE.replace("BAD", bad))
    return repository.run(*COMMAND, jobs, PYTHONPATH=str(ROOT))


def order(printed: str) -> list[str]:
    return [line.rsplit(" in ")[0] for line in printed.splitlines()]


@pytest.mark.parametrize(
    ("bad", "told"),
    [("'echo error: no luck; exit 1'", "error: no luck"), ("kill -9 $$", "failed after")],
)
def test_what_does_not_need_a_stage_that_failed_runs(
    bad: str, told: str, small: Repository
) -> None:
    result = reproduce(small, bad)
    assert refusal(result) == (
        "error: bad failed (see .dvc/tmp/repro/bad.log), so last did not run: correct this and "
        "run again"
    )
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("bad failed")]
    assert told in line
    assert (small.root / "after").read_text() == "1\n"
    again = reproduce(small, "cp first bad")
    assert again.returncode == 0, again.stderr
    assert order(again.stdout) == ["bad started", "bad done", "last started", "last done"]
    done = reproduce(small, "cp first bad")
    assert (done.stdout, done.stderr) == ("Data and pipelines are up to date.\n", "")
    assert "up to date" in small.do("dvc", "status")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_every_stage(number: int, small: Repository) -> None:
    (small.root / "dvc.yaml").write_text(PIPELINE.replace("BAD", f"{sys.executable} waits.py"))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*COMMAND, "2"], cwd=small.root, env=environment, stderr=subprocess.PIPE, text=True
    )
    while not (small.root / "started").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    assert "error: interrupted; run the same command again" in process.communicate()[1]
    assert process.returncode == 128 + number
    assert (small.root / "kept").exists()


@pytest.mark.parametrize(
    ("stage", "jobs", "sentence"),
    [
        ("cp first bad", "0", "JOBS is '0', expected a number such as 2"),
        ("cp first bad", "many", "JOBS is 'many', expected a number such as 2"),
        ("[", "2", "dvc.yaml"),
    ],
)
def test_what_cannot_be_read(stage: str, jobs: str, sentence: str, small: Repository) -> None:
    assert sentence in refusal(reproduce(small, stage, jobs))
    assert not (small.root / "first").exists()


@pytest.mark.parametrize(
    ("cores", "gpus", "processes", "gibibytes", "jobs"),
    [
        (1, "", "1", 64, 1),
        (2, "", "1", 64, 2),
        (16, "", "1", 64, 9),
        (16, "", "1", 7, 2),
        (16, "", "1", 1, 1),
        (16, "", "2", 64, 1),
        (16, "-1", "1", 64, 9),
        (16, "0", "1", 64, 4),
        (16, "0 1", "1", 64, 8),
        (4, "0 1", "1", 64, 4),
    ],
)
def test_as_many_as_there_is_room_for(
    cores: int, gpus: str, processes: str, gibibytes: int, jobs: int, monkeypatch
) -> None:
    class Memory:
        available = gibibytes * 2**30

    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PROCESSES", processes)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpus.replace(" ", ","))
    monkeypatch.setattr(repro.psutil, "virtual_memory", Memory)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    assert repro.room(repro.gpus()) == jobs


def test_gpus_are_those_that_nvidia_smi_names(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert repro.gpus() == []
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 0; echo 1\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    assert repro.gpus() == ["0", "1"]
