"""A disk that is full or may not be written: one sentence, nothing partial, and it can go on."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import refusal, run_stage
from fault_table import assert_told

# A stage, a folder that it writes, and too little room for it there (None: for nothing).
FULL = {
    "weights": (["stages.weights", "resnet18"], "data/weights", "1m"),
    "train": (["stages.train", "model_b"], "data/models", "100k"),
    "train's curves": (["stages.train", "model_b"], "plots/runs/model_b", "4k"),
    "evaluate": (["stages.evaluate", "model_b"], "plots/runs/model_b", "20k"),
    "report": (["stages.report"], "plots", "100k"),
}
# As `stages.fetch`, but needs no network: a folder stands for the mirrors.
FETCH = """
from pathlib import Path
from stages import fetch
from stages.system import errors
def shelf(names):
    return {name: Path("shelf", name).read_bytes() for name in names}
fetch.SOURCES = {"a shelf": shelf}
errors.run(fetch.main)
"""


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Mount a disk of `size` over a folder.

    It skips where this user cannot mount anything.
    """
    if os.geteuid():
        pytest.skip("mounting a small disk needs root")
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def files(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.parametrize("name", FULL)
def test_a_full_disk(name: str, workspace: Path) -> None:
    command, folder, size = FULL[name]
    if name == "evaluate":
        assert run_stage("stages.train", "model_b", cwd=workspace).returncode == 0
    place = workspace / folder
    if name != "report":
        shutil.rmtree(place, ignore_errors=True)
    with small_disk(place, size):
        full = run_stage(*command, cwd=workspace)
        sentence = refusal(full)
        left = files(place)
    assert_told(f"the disk is full: {name}", sentence, workspace)
    assert not any(path.endswith(".part") for path in left)
    assert run_stage(*command, cwd=workspace).returncode == 0
    whole = files(place)
    # On the full disk the report has no runs to read, so its figures are other ones.
    assert name == "report" or all(whole[path] == content for path, content in left.items())


def test_a_full_disk_under_mnist(workspace: Path, mnist: Path) -> None:
    (workspace / "shelf").symlink_to(mnist)
    shutil.rmtree(workspace / "data/mnist")

    def fetch() -> subprocess.CompletedProcess:
        command = [sys.executable, "-c", FETCH]
        return subprocess.run(command, cwd=workspace, capture_output=True, text=True)

    with small_disk(workspace / "data/mnist", "10m"):
        assert_told("the disk is full: fetch", refusal(fetch()), workspace)
        assert not files(workspace / "data/mnist")
    assert fetch().returncode == 0
    assert files(workspace / "data/mnist") == files(mnist)


def as_ordinary_user(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    """Run Python as somebody whom a folder's rights stop: they do not stop root."""
    command = [sys.executable, *arguments]
    if not os.geteuid():
        if not shutil.which("setpriv"):
            pytest.skip("running a stage without root's privileges needs setpriv")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


@pytest.fixture
def locked(workspace: Path) -> Iterator[Callable[[bool], None]]:
    """Return a function that takes everybody's right to write results, or gives it back."""

    def lock(locked: bool) -> None:
        for name in ("data", "metrics", "plots"):
            for path in [workspace / name, *(workspace / name).rglob("*")]:
                if path.is_dir():
                    path.chmod(0o555 if locked else 0o755)

    yield lock
    lock(False)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("fetch", ["-c", FETCH]),
        ("weights", ["-m", "stages.weights", "resnet18"]),
        ("train", ["-m", "stages.train", "model_b"]),
        ("evaluate", ["-m", "stages.evaluate", "model_b"]),
        ("report", ["-m", "stages.report"]),
    ],
)
def test_without_the_right_to_write(
    name: str, command: list[str], workspace: Path, mnist: Path, locked: Callable
) -> None:
    if name == "evaluate":
        assert run_stage("stages.train", "model_b", cwd=workspace).returncode == 0
    if name == "fetch":
        (workspace / "shelf").symlink_to(mnist)
        (workspace / "data/mnist/t10k-labels-idx1-ubyte").unlink()
    before = results(workspace)
    locked(True)
    sentence = refusal(as_ordinary_user(*command, cwd=workspace))
    assert_told(f"no right to write: {name}", sentence, workspace)
    assert results(workspace) == before
    locked(False)
    assert as_ordinary_user(*command, cwd=workspace).returncode == 0


def results(workspace: Path) -> dict[str, bytes]:
    found = {}
    for name in ("data", "metrics", "plots"):
        found |= {f"{name}/{path}": text for path, text in files(workspace / name).items()}
    return found


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("params.yaml", ["stages.train", "model_b"]),
        ("metrics/test/model_a.json", ["stages.report"]),
        ("data/mnist/train-labels-idx1-ubyte", ["stages.train", "model_b"]),
        ("data/models/model_b.pt", ["stages.evaluate", "model_b"]),
    ],
)
def test_without_the_right_to_read(name: str, command: list[str], workspace: Path) -> None:
    if "models" in name:
        assert run_stage("stages.train", "model_b", cwd=workspace).returncode == 0
    (workspace / name).chmod(0)
    sentence = refusal(as_ordinary_user("-m", *command, cwd=workspace))
    assert_told(f"no right to read: {name}", sentence)
    (workspace / name).chmod(0o644)
    assert as_ordinary_user("-m", *command, cwd=workspace).returncode == 0
