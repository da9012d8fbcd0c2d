"""dvc.lock is merged stage by stage, in the form in which DVC writes it."""

import subprocess
from pathlib import Path

import pytest
from helpers import ROOT, refusal, run_stage

from tools.merge_lock import merge

LOCK = (ROOT / "dvc.lock").read_text()


def changed(how: str, *stages: str) -> str:
    """Return dvc.lock as it is on a side that changed these stages' commands."""
    text = LOCK
    for stage in stages:
        command = f"cmd: python -m stages.{stage}\n"
        assert text.count(command) == 1
        text = text.replace(command, f"cmd: {how}\n")
    return text


def drive(folder: Path, *texts: str) -> tuple[subprocess.CompletedProcess, str]:
    """Call the driver as git does; return also what it leaves as the merged file."""
    paths = [folder / name for name in ("base", "ours", "theirs")]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return run_stage("tools.merge_lock", *map(str, paths), cwd=ROOT), paths[1].read_text()


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged", "conflict"),
    [
        pytest.param(1, 1, 2, 2, False, id="theirs"),
        pytest.param(1, 2, 1, 2, False, id="ours"),
        pytest.param(1, 2, 2, 2, False, id="both-alike"),
        pytest.param(1, 2, 3, 2, True, id="both"),
        pytest.param(None, None, 1, 1, False, id="added"),
        pytest.param(None, 1, 2, 1, True, id="added-by-both"),
        pytest.param(1, 1, None, None, False, id="removed"),
        pytest.param(1, None, 1, None, False, id="removed-by-us"),
        pytest.param(1, None, 2, None, True, id="removed-and-changed"),
    ],
)
def test_a_stage_comes_from_the_side_that_changed_it(base, ours, theirs, merged, conflict) -> None:
    versions = [{} if stage is None else {"a": stage} for stage in (base, ours, theirs, merged)]
    assert merge(*versions[:3]) == (versions[3], ["a"] if conflict else [])


def test_the_file_holds_what_both_sides_changed_and_is_otherwise_the_same(tmp_path: Path) -> None:
    ours, theirs = changed("new", "train model_a"), changed("new", "evaluate model_a")
    result, merged = drive(tmp_path, LOCK, ours, theirs)
    assert result.returncode == 0, result.stderr
    assert merged == changed("new", "train model_a", "evaluate model_a")


def test_a_stage_that_both_changed_is_a_conflict_and_the_others_merge(tmp_path: Path) -> None:
    ours, theirs = changed("ours", "fetch"), changed("theirs", "fetch", "train model_a")
    result, merged = drive(tmp_path, LOCK, ours, theirs)
    assert "fetch" in refusal(result)
    assert merged == ours.replace("cmd: python -m stages.train model_a\n", "cmd: theirs\n")


def test_a_file_that_both_added(tmp_path: Path) -> None:
    result, merged = drive(tmp_path, "", LOCK, changed("new", "fetch"))
    assert "fetch" in refusal(result)
    assert merged == LOCK


def test_a_file_with_conflict_markers_is_a_conflict(tmp_path: Path) -> None:
    result, merged = drive(tmp_path, LOCK, changed("new", "fetch"), f"<<<<<<< HEAD\n{LOCK}")
    assert "dvc.lock" in refusal(result)
    assert merged == changed("new", "fetch")
