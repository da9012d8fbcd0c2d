"""What the pipeline leaves behind, and that it leaves the same a second time."""

import csv
import json
import shutil
import subprocess
from pathlib import Path

import torch
from helpers import ROOT, Repository, copy_repository
from test_invalidation import RUNS
from test_make import READY

from stages import models


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_run_leaves_what_the_contract_says(pipeline) -> None:
    root = pipeline.repository.root
    assert {path.stem for path in (root / "data/models").iterdir()} >= RUNS
    for run in RUNS:
        train = json.loads((root / f"metrics/train/{run}.json").read_text())
        test = json.loads((root / f"metrics/test/{run}.json").read_text())
        assert set(train) == {"loss", "validation_loss", "validation_accuracy", "epochs",
                              "parameters"}  # fmt: skip
        assert set(test) == {"accuracy", "loss", "errors"}
        cells = table(root / f"plots/runs/{run}/confusion.csv")
        assert sum(int(cell["count"]) for cell in cells) == 10000
        wrong = sum(int(cell["count"]) for cell in cells if cell["actual"] != cell["predicted"])
        assert wrong == test["errors"] == round((1 - test["accuracy"]) * 10000)
        predictions = table(root / f"data/predictions/{run}.csv")
        assert [len(predictions), *predictions[0]] == [10000, "predicted", "probability"]
        epochs = table(root / f"plots/runs/{run}/loss.csv")
        assert len(epochs) == train["epochs"]
        assert float(epochs[-1]["train_loss"]) == train["loss"]
        steps = table(root / f"plots/runs/{run}/steps.csv")
        assert float(steps[-1]["epoch"]) == train["epochs"]
        content = torch.load(root / f"data/models/{run}.pt", weights_only=True)
        settings = json.loads((root / f"data/settings/{run}.json").read_text())
        assert settings == {key: content[key] for key in ("model", "options", "params")}
        assert content["model"] == run.partition("-")[0]
        network = models.load(root / f"data/models/{run}.pt")
        assert sum(p.numel() for p in network.parameters()) == train["parameters"]
        assert (root / f"plots/mistakes/{run}.png").exists()
    settings = {
        run: json.loads((root / f"data/settings/{run}.json").read_text())
        for run in ("model_b-lr0.1", "model_a-tanh", "resnet18")
    }
    assert settings["model_b-lr0.1"]["params"]["lr"] == 0.1
    assert settings["model_a-tanh"]["options"]["activation"] == "tanh"
    assert settings["resnet18"]["params"]["weights"] == "random"


def test_nothing_partial_and_nothing_of_this_machine_is_left(pipeline) -> None:
    root = pipeline.repository.root
    assert not list(root.rglob("*.part"))
    for folder in ("metrics", "plots", "data/models"):
        for path in (root / folder).rglob("*"):
            assert path.is_dir() or str(root).encode() not in path.read_bytes()


def test_a_second_run_gives_the_same_bytes_side_by_side(pipeline, mnist, tmp_path) -> None:
    clone = pipeline.repository.clone(tmp_path / "clone")
    shutil.copytree(mnist, clone.root / "data/raw")
    printed = clone.do("make", *READY, "repro", "JOBS=3")
    assert len([line for line in printed.splitlines() if " done in " in line]) == 24
    assert clone.do("git", "status", "--porcelain") == ""  # dvc.lock has every file's hash
    assert clone.stages_run("dvc", "repro") == set()


def test_the_committed_results_are_those_of_the_committed_code(tmp_path, mnist) -> None:
    copy_repository(tmp_path, mnist)
    there = Repository(tmp_path)
    there.do("git", "init", "--quiet")
    assert "Running stage" not in there.do("dvc", "repro", "--dry", "--allow-missing")


def test_the_results_in_git_are_small_enough_to_read() -> None:
    command = ["git", "ls-files", "--", "metrics", "plots"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    texts = [path for path in map(ROOT.joinpath, listed.split()) if path.suffix != ".png"]
    assert sum(len(path.read_text().splitlines()) for path in texts) < 4000
