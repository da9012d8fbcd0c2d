"""`make lab` is the notebook's configuration, and each of its values reaches the training."""

import json
import shlex
from pathlib import Path

import pytest
from helpers import OFFICIAL, stand_in
from ruamel.yaml import YAML

FEWER = {"train_images": 32, "epochs": 1}  # all other values are those of `make lab`
TRANSFER, TRAIN = ["resnet18", "alexnet"], ["model_a", "model_b"]
STAGES = [f"weights@{model}" for model in TRANSFER]
STAGES += [f"transfer@{model}" for model in TRANSFER] + [f"train@{model}" for model in TRAIN]


@pytest.mark.slow
def test_each_value_of_the_notebook_reaches_the_training(pipeline, tmp_path: Path) -> None:
    copy = pipeline.repository.copy(tmp_path / "copy")
    for model in OFFICIAL:
        stand_in(tmp_path / "hub", model)
    (line,) = [line for line in copy.do("make", "-n", "lab").splitlines() if "exp run" in line]
    command = [*shlex.split(line), "-S", f"train_images={FEWER['train_images']}"]
    for model in TRANSFER + TRAIN:
        command += ["-S", f"models.{model}.epochs={FEWER['epochs']}"]
    # Testing 10,000 images of 224 pixels takes minutes, so the stages are named, without evaluate.
    ran = copy.stages_run(*command, "--single-item", *STAGES, TORCH_HOME=str(tmp_path / "hub"))
    assert ran == set(STAGES)
    notebook = YAML(typ="safe").load(copy.root / "data/notebook.yaml")["configuration"] | FEWER
    for run in TRANSFER + TRAIN:
        settings = json.loads((copy.root / f"data/settings/{run}.json").read_text())
        used = settings["params"] | settings["options"]
        assert used.pop("seed") == 0
        del used["kernels"], used["threads"]
        assert used == {key: value for key, value in notebook.items() if key in used}
        assert {"image_size", "lr", "schedule", "batch_size", "validation_images"} <= set(used)
        assert ("weights" in used and "mode" in used) == (run in TRANSFER)
