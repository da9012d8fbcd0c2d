"""What the pipeline leaves behind, and that it leaves the same a second time."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from helpers import ROOT, RUNS, Repository, copy_repository, do

from stages import models


@pytest.mark.parametrize("run", sorted(RUNS))
def test_a_run_leaves_what_the_contract_says(run: str, pipeline) -> None:
    root = pipeline.repository.root
    train = json.loads((root / f"metrics/train/{run}.json").read_text())
    test = json.loads((root / f"metrics/test/{run}.json").read_text())
    assert set(train) == {"loss", "validation_loss", "validation_accuracy", "epochs", "parameters"}
    assert set(test) == {"accuracy", "loss", "errors"}
    content = torch.load(root / f"data/models/{run}.pt", weights_only=True)
    settings = json.loads((root / f"data/settings/{run}.json").read_text())
    assert settings == {key: content[key] for key in ("model", "options", "params")}
    assert content["model"] == run.partition("-")[0]
    if variant := run.partition("-")[2]:
        values = settings["params"] | settings["options"]
        assert f"lr{values['lr']}" == variant or values["activation"] == variant
    network = models.load(root / f"data/models/{run}.pt")
    assert sum(p.numel() for p in network.parameters()) == train["parameters"]
    assert (root / f"plots/mistakes/{run}.png").exists()


def test_nothing_partial_and_nothing_of_this_machine_is_left(pipeline) -> None:
    root = pipeline.repository.root
    assert not list(root.rglob("*.part"))
    for folder in ("metrics", "plots", "data/models"):
        for path in (root / folder).rglob("*"):
            assert path.is_dir() or str(root).encode() not in path.read_bytes()


@pytest.mark.slow
def test_a_second_run_gives_the_same_bytes_side_by_side(pipeline, mnist, tmp_path: Path) -> None:
    clone = pipeline.repository.clone(tmp_path / "clone")
    shutil.copytree(mnist, clone.root / "data/raw")
    printed = clone.do("make", "--silent", "--assume-old=.venv/.installed", "repro", "JOBS=3")
    assert printed.count(" done in ") == 24
    assert clone.do("git", "status", "--porcelain") == ""  # dvc.lock has every file's hash
    assert clone.stages_run("dvc", "repro") == set()


def test_the_committed_results_are_those_of_the_committed_code(tmp_path: Path, mnist) -> None:
    there = Repository(copy_repository(tmp_path, mnist))
    there.do("git", "init", "--quiet")
    assert "Running stage" not in there.do("dvc", "repro", "--dry", "--allow-missing")


def test_the_results_in_git_are_small_enough_to_read() -> None:
    names = do(ROOT, "git", "ls-files", "--", "metrics", "plots", ":!*.png").split()
    assert sum(len((ROOT / name).read_text().splitlines()) for name in names) < 4000
