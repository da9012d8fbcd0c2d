"""Killed at any moment, also inside a write, a stage leaves whole files and can be run again."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import run_stage, set_params
from fault_table import assert_told

KILL = str(Path(__file__).with_name("kill"))
# A stage, the stages before it, and how many files it writes.
STAGES = {
    "weights": (["weights", "resnet18"], [], 1),
    "train": (["train", "model_b"], [], 5),
    "evaluate": (["evaluate", "model_b"], [["train", "model_b"]], 3),
    "report": (["report"], [], 7),
}


def results(workspace: Path) -> dict[str, bytes]:
    """Return what lies where the pipeline's results do, but for parts of files, which are none."""
    folders = ["data/mnist", "data/models", "data/weights", "metrics", "plots"]
    files = [path for folder in folders for path in (workspace / folder).rglob("*")]
    return {
        str(path.relative_to(workspace)): path.read_bytes()
        for path in files
        if path.is_file() and not path.name.endswith(".part")
    }


def remove(workspace: Path, names: set[str]) -> None:
    for name in names:
        (workspace / name).unlink(missing_ok=True)


def kill_after(seconds: float, arguments: list[str], workspace: Path) -> None:
    process = subprocess.Popen([sys.executable, "-m", *arguments], cwd=workspace)
    time.sleep(seconds)
    process.kill()
    process.wait()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_is_killed_leaves_whole_files_and_can_be_run_again(
    stage: str, workspace: Path
) -> None:
    (name, *arguments), before, writes = STAGES[stage]
    command = [f"stages.{name}", *arguments]
    chance = random.Random(stage)
    for earlier in before:
        run_stage(f"stages.{earlier[0]}", *earlier[1:], cwd=workspace)
    start = results(workspace)
    began = time.time()
    assert run_stage(*command, cwd=workspace).returncode == 0
    took = time.time() - began
    undisturbed = results(workspace)
    made = {name for name in undisturbed if (workspace / name).stat().st_mtime > began}
    assert len(made) == writes

    def check() -> None:
        for path, content in results(workspace).items():
            assert content in (undisturbed.get(path), start.get(path)), f"{path} is partial"

    rename = 2 * chance.randint(1, writes)  # each file is opened, then renamed
    for step in (rename - 1, rename):
        remove(workspace, made)
        killed = run_stage(*command, cwd=workspace, PYTHONPATH=KILL, KILL_AT=str(step))
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        check()
    assert list(workspace.rglob("*.part"))
    remove(workspace, made)
    kill_after(chance.uniform(0.3, 1) * took, command, workspace)
    check()
    assert run_stage(*command, cwd=workspace).returncode == 0
    assert results(workspace) == undisturbed
    assert not list(workspace.rglob("*.part"))


# Needs no network: three of the four files are right, and this stands for a mirror.
FETCH = """
from pathlib import Path
from stages import fetch
from stages.system import errors
def shelf(names):
    return {name: Path("shelf", name).read_bytes() for name in names}
fetch.SOURCES = {"a shelf": shelf}
errors.run(fetch.main)
"""


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_fetch_that_is_killed(step: int, workspace: Path, mnist: Path) -> None:
    right = results(workspace)
    (workspace / "shelf").symlink_to(mnist)
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (workspace / "data/mnist" / name).write_bytes(b"damaged")
    damaged = results(workspace)

    def fetch(**environment: str) -> int:
        command = [sys.executable, "-c", FETCH]
        return subprocess.run(command, cwd=workspace, env=os.environ | environment).returncode

    assert fetch(PYTHONPATH=KILL, KILL_AT=str(step)) == -signal.SIGKILL
    for path, content in results(workspace).items():
        assert content in (right[path], damaged[path]), f"{path} is partial"
    assert fetch() == 0
    assert results(workspace) == right
    assert not list(workspace.rglob("*.part"))


def test_dvc_itself_killed_and_run_again(repository, workspace: Path) -> None:
    set_params(workspace, train_images=2000)
    repository.do("dvc", "repro", "evaluate@model_b")
    repository.commit("undisturbed")
    chance = random.Random(0)
    for _ in range(3):
        for path in ("data/models/model_b.pt", "metrics/test/model_b.json"):
            (workspace / path).unlink(missing_ok=True)
        process = repository.start("dvc", "repro", "--force", "evaluate@model_b")
        time.sleep(chance.uniform(1, 6))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    done = repository.do("dvc", "repro", "evaluate@model_b")
    assert "Traceback" not in done
    assert repository.do("git", "status", "--porcelain") == ""
    assert "up to date" in repository.do("dvc", "status", "evaluate@model_b")


def test_two_at_once(repository) -> None:
    trace = repository.root / "first"
    first = repository.start("dvc", "repro", "--force", "train@model_b", stdout=trace.open("w"))
    while "Running stage 'fetch'" not in trace.read_text():
        time.sleep(0.05)
    second = repository.run("dvc", "repro", "--force", "train@model_b")
    assert first.wait() == 0
    assert second.returncode == 255
    assert "Traceback" not in second.stderr
    # DVC holds one lock while it looks what to do, another while a stage runs.
    moment = "looks" if "acquire lock" in second.stderr else "works"
    assert_told(f"a second `dvc repro` while one {moment}", second.stderr, repository.root)
    trace.unlink()
    repository.commit("what the first made")
    repository.do("dvc", "repro", "train@model_b")
    assert repository.do("git", "status", "--porcelain") == ""
