"""`make lab` is the notebook's configuration, and each of its values reaches the training."""

import json
import shlex
from pathlib import Path

import pytest
from helpers import OFFICIAL, stand_in
from ruamel.yaml import YAML

FEWER = {"train_images": 32, "epochs": 1}  # two cores; all else is as `make lab` says
TRANSFER, TRAIN = ["resnet18", "alexnet"], ["model_a", "model_b"]
STAGES = [f"weights@{model}" for model in TRANSFER]
STAGES += [f"transfer@{model}" for model in TRANSFER] + [f"train@{model}" for model in TRAIN]


@pytest.fixture(scope="module")
def lab(pipeline, module_path: Path) -> Path:
    """Run what `make lab` would run, but for the images and epochs, and return its folder."""
    copy = pipeline.repository.copy(module_path / "copy")
    hub = module_path / "hub"
    for model in OFFICIAL:
        stand_in(hub, model)
    printed = copy.do("make", "--dry-run", "lab").splitlines()
    (line,) = [line for line in printed if line.startswith("dvc exp run ")]
    command = [fewer(word) for word in shlex.split(line)]
    assert sum(word.endswith("=1") for word in command) == 4
    # Testing 10,000 images of 224 pixels takes minutes, so the stages are named, without evaluate.
    ran = copy.stages_run(*command, "--single-item", *STAGES, "report", TORCH_HOME=str(hub))
    assert ran == {*STAGES, "report"}
    return copy.root


def fewer(word: str) -> str:
    """Return a word of the command with fewer images or epochs, if it sets one of these."""
    key, equals, _ = word.partition("=")
    short = key.rpartition(".")[2]
    return f"{key}={FEWER[short]}" if equals and short in FEWER else word


@pytest.mark.parametrize("run", TRANSFER + TRAIN)
def test_each_value_of_the_notebook_reaches_the_training(run: str, lab: Path) -> None:
    settings = json.loads((lab / f"data/settings/{run}.json").read_text())
    notebook = YAML(typ="safe").load((lab / "data/notebook.yaml").read_text())["configuration"]
    used = settings["params"] | settings["options"]
    assert used.pop("seed") == 0
    del used["kernels"], used["threads"]
    assert used == {key: value for key, value in (notebook | FEWER).items() if key in used}
    assert {"image_size", "lr", "schedule", "batch_size", "validation_images"} <= set(used)
    assert ("weights" in used and "mode" in used) == (run in TRANSFER)


def test_the_report_says_what_it_shows(lab: Path) -> None:
    lines = (lab / "plots/report.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "|" in line]
    assert any("trained like the notebook's (epochs, training images): " in line for line in lines)
    header = next(row for row in rows if row[:2] == ["run", "image size, px"])
    (resnet,) = [row for row in rows if row[0] == "`resnet18`" and len(row) == len(header)]
    said = dict(zip(header, resnet, strict=True))
    assert said["image size, px"] == "224"
    assert (said["schedule"], said["learning rate"], said["batch"]) == ("constant", "0.001", "32")
    assert (said["training images"], said["validation images"]) == ("32", "0")
    assert (said["initial weights"], said["mode"], said["stem"]) == (
        "imagenet",
        "finetune",
        "fresh",
    )
