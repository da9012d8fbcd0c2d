"""dvc.lock is merged stage by stage, in the form in which DVC writes it."""

import shutil
from pathlib import Path

import pytest
from helpers import ROOT, Repository, do, refusal, run

from tools.merge_lock import merge

LOCK = (ROOT / "dvc.lock").read_text()


def changed(how: str, *stages: str) -> str:
    """Return dvc.lock as it is on a side that changed these stages' commands."""
    text = LOCK
    for stage in stages:
        before, after = text.split(f"cmd: python -m stages.{stage}\n")
        text = f"{before}cmd: {how}\n{after}"
    return text


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged", "conflict"),
    [
        (1, 1, 2, 2, False),
        (1, 2, 1, 2, False),
        (1, 2, 2, 2, False),  # both alike
        (1, 2, 3, 2, True),
        (None, None, 1, 1, False),  # added by one
        (None, 1, 2, 1, True),  # added by both
        (1, 1, None, None, False),  # removed
        (1, None, 2, None, True),  # removed by one, changed by the other
    ],
)
def test_a_stage_comes_from_the_side_that_changed_it(base, ours, theirs, merged, conflict) -> None:
    versions = [{} if stage is None else {"a": stage} for stage in (base, ours, theirs, merged)]
    assert merge(*versions[:3]) == (versions[3], ["a"] if conflict else [])


def test_a_conflict_is_named_and_ours_is_kept(tmp_path) -> None:
    ours, theirs = changed("ours", "fetch"), changed("theirs", "fetch", "train model_a")
    merged = ours.replace("cmd: python -m stages.train model_a\n", "cmd: theirs\n")
    for base, other, named, expected in (
        (LOCK, theirs, "fetch", merged),
        ("", LOCK, "fetch", ours),  # both sides added the file
        (LOCK, f"<<<<<<< HEAD\n{LOCK}", "dvc.lock", ours),
    ):
        paths = [tmp_path / name for name in ("base", "ours", "theirs")]
        for path, text in zip(paths, (base, ours, other), strict=True):
            path.write_text(text)
        assert named in refusal(run(ROOT, "python", "-m", "tools.merge_lock", *map(str, paths)))
        assert paths[1].read_text() == expected


@pytest.mark.parametrize("folder", [".", "a larger/repository"])
def test_git_merges_what_both_sides_changed_and_leaves_the_rest(folder, tmp_path: Path) -> None:
    repository, inner = Repository(tmp_path), tmp_path / folder
    for name in ("tools", "stages"):
        shutil.copytree(ROOT / name, inner / name)
    for name in ("Makefile", "dvc.lock", ".gitattributes"):
        shutil.copy(ROOT / name, inner)
    repository.begin()
    do(inner, "make", "merge-driver")
    for branch, stage in (("ours", "train model_a"), ("theirs", "evaluate model_a")):
        repository.do("git", "switch", "--quiet", "--create", branch, "main")
        (inner / "dvc.lock").write_text(changed("new", stage))
        repository.commit(branch)
    repository.do("git", "merge", "--quiet", "--no-edit", "ours")
    assert (inner / "dvc.lock").read_text() == changed("new", "train model_a", "evaluate model_a")
