"""The whole pipeline, three stages at a time, gives what `dvc repro` gave."""

import shutil
from pathlib import Path


def test_the_same_results_and_nothing_left_to_do(pipeline, tmp_path: Path) -> None:
    clone = pipeline.repository.clone(tmp_path / "clone")
    shutil.copytree(pipeline.repository.root / "data/raw", clone.root / "data/raw")
    printed = clone.do("python", "-m", "tools.repro", "--jobs", "3")
    assert len([line for line in printed.splitlines() if " done in " in line]) == 24
    assert clone.do("git", "status", "--porcelain") == ""  # dvc.lock has every file's hash
    assert clone.stages_run("dvc", "repro") == set()
