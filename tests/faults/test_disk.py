"""A disk that is full or may not be used: one sentence, all results kept, and it can go on."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import refusal
from downloads import FETCH_FROM_A_SHELF
from fault_table import assert_told

LABELS = "data/mnist/t10k-labels-idx1-ubyte"
STAGES = {
    "fetch": ["-c", FETCH_FROM_A_SHELF],
    "train": ["-m", "stages.train", "model_b"],
    "evaluate": ["-m", "stages.evaluate", "model_b"],
    "report": ["-m", "stages.report"],
}


def start(trained, stage: str, mnist: Path, *before: str) -> subprocess.CompletedProcess:
    return trained.run(*before, sys.executable, *STAGES[stage], SHELF=str(mnist))


@contextmanager
def full_disk(folder: Path, room: int, aside: Path) -> Iterator[None]:
    """Let what is in a folder lie on a disk that has `room` bytes left.

    It skips where this user cannot mount anything.
    """
    if os.geteuid():
        pytest.skip("mounting a small disk needs root")
    shutil.copytree(folder, aside)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        size = shutil.disk_usage(folder).used + room
        subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(
    ("stage", "folder", "room"),
    [
        ("fetch", "data/mnist", 4096),
        ("train", "data/models", 100_000),
        ("evaluate", "plots/runs/model_b", 4096),
        ("report", "plots", 4096),
    ],
)
def test_a_full_disk(stage, folder, room, trained, mnist: Path, tmp_path: Path) -> None:
    if stage == "fetch":
        (trained.root / LABELS).unlink()
    before = trained.results()
    with full_disk(trained.root / folder, room, tmp_path / "aside"):
        sentence = refusal(start(trained, stage, mnist))
        assert trained.results() == before
        assert not list(trained.root.rglob("*.part"))
    assert start(trained, stage, mnist).returncode == 0
    trained.assert_undisturbed()
    assert_told(f"the disk is full: {stage}", sentence)


def as_ordinary_user() -> list[str]:
    """What to put before a command so that a file's rights stop it: root they do not stop."""
    if os.geteuid():
        return []
    if not shutil.which("setpriv"):
        pytest.skip("running a stage without root's privileges needs setpriv")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


@pytest.fixture
def locked(trained) -> Iterator[None]:
    """Take everybody's right to write results, and give it back."""
    places = [trained.root / name for name in ("data", "metrics", "plots")]
    folders = [path for place in places for path in [place, *place.rglob("*")] if path.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    yield
    for folder in folders:
        folder.chmod(0o755)


@pytest.mark.parametrize("stage", ["train", "evaluate", "report"])
def test_no_right_to_write(stage: str, trained, mnist: Path, locked: None) -> None:
    sentence = refusal(start(trained, stage, mnist, *as_ordinary_user()))
    assert_told(f"no right to write: {stage}", sentence)
    trained.assert_undisturbed()


def test_no_right_to_write_what_is_fetched(trained, mnist: Path) -> None:
    folder = (trained.root / LABELS).parent
    (trained.root / LABELS).unlink()
    before = trained.results()
    folder.chmod(0o555)
    sentence = refusal(start(trained, "fetch", mnist, *as_ordinary_user()))
    folder.chmod(0o755)
    assert trained.results() == before
    assert start(trained, "fetch", mnist, *as_ordinary_user()).returncode == 0
    trained.assert_undisturbed()
    assert_told("no right to write: fetch", sentence)


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("params.yaml", "train"),
        ("metrics/test/model_a.json", "report"),
        ("data/mnist/train-labels-idx1-ubyte", "train"),
        ("data/models/model_b.pt", "evaluate"),
    ],
)
def test_no_right_to_read(name: str, stage: str, trained, mnist: Path) -> None:
    path = trained.root / name
    path.chmod(0)
    sentence = refusal(start(trained, stage, mnist, *as_ordinary_user()))
    path.chmod(0o644)
    assert_told(f"no right to read: {name}", sentence)
    trained.assert_undisturbed()
