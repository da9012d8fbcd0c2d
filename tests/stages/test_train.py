"""A training, from its command line to its files, in this process."""

import json
from pathlib import Path

import pytest
import torch
from helpers import results, rows, run_here, set_params
from killed import OUTPUTS

from stages import models, train, weights
from stages.system.errors import UserError
from stages.training import run
from stages.training.recipe import Recipe

HERE = Path()
START = Path("data/weights/resnet18.pt")


def load(path: str) -> dict:
    return json.loads(Path(path).read_text())


def train_resnet18(**values: object) -> dict[str, torch.Tensor]:
    """Train it at 28 pixels, with these values for it in params.yaml; return its tensors."""
    values = {"image_size": 28, "epochs": 1} | values
    set_params(HERE, **{f"models__resnet18__{key}": value for key, value in values.items()})
    run_here(train, "resnet18")
    return models.read(Path("data/models/resnet18.pt"))["state_dict"]


def test_what_it_writes(here: Path, capsys: pytest.CaptureFixture) -> None:
    """64 images in batches of 16: 4 steps in each of 4 epochs."""
    run_here(train, "model_b", "--activation", "tanh", "--lr", "0.01")
    assert capsys.readouterr().err == ""  # no bar where there is no terminal
    name = "model_b-tanh-lr0.01"
    assert set(results(here, *OUTPUTS, "data/checkpoints")) == {
        f"data/models/{name}.pt", f"data/settings/{name}.json", f"metrics/train/{name}.json",
        f"plots/runs/{name}/loss.csv", f"plots/runs/{name}/steps.csv",
    }  # fmt: skip
    metrics, settings = load(f"metrics/train/{name}.json"), load(f"data/settings/{name}.json")
    epochs, steps = (rows(f"plots/runs/{name}/{curve}.csv") for curve in ("loss", "steps"))
    assert [row["epoch"] for row in epochs] == ["1", "2", "3", "4"]
    assert metrics == {
        "loss": float(epochs[-1]["train_loss"]),
        "validation_loss": float(epochs[-1]["validation_loss"]),
        "validation_accuracy": float(epochs[-1]["validation_accuracy"]),
        "epochs": 4,
        "parameters": 224 + 1168 + 16 * 7 * 7 * 64 + 64 + 650,
    }
    assert (metrics["validation_accuracy"] * 32).is_integer()
    assert [float(row["epoch"]) for row in steps] == [step / 4 for step in range(1, 17)]
    assert sum(float(row["loss"]) for row in steps[12:]) / 4 == pytest.approx(metrics["loss"])
    assert settings["options"] == {"image_size": 28, "activation": "tanh"}
    assert settings["params"]["lr"] == 0.01
    content = models.read(Path(f"data/models/{name}.pt"))
    assert {key: content[key] for key in settings} == settings


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU computes bf16 with either kernels")
def test_bf16_needs_native_kernels_and_gives_the_same_bytes_twice(here: Path) -> None:
    set_params(here, precision="bf16")
    with pytest.raises(UserError, match="set kernels to native"):
        run_here(train, "model_b")
    set_params(here, kernels="native")
    run_here(train, "model_b")
    first = results(here, *OUTPUTS)
    run_here(train, "model_b")
    assert results(here, *OUTPUTS) == first
    assert load("data/settings/model_b.json")["params"]["precision"] == "bf16"


def test_a_training_that_diverges_ends_with_its_epoch(here: Path) -> None:
    network, options = models.build("resnet18", stem="pretrained"), {"stem": "pretrained"}
    torch.nn.init.constant_(network.fc.weight, float("nan"))
    models.save(START, network, "resnet18", options, {})
    train_resnet18(epochs=5)
    metrics = load("metrics/train/resnet18.json")
    assert (metrics["loss"], metrics["epochs"], metrics["diverged"]) == (None, 1, True)
    assert [row["epoch"] for row in rows("plots/runs/resnet18/loss.csv")] == ["1"]
    assert [row["loss"] for row in rows("plots/runs/resnet18/steps.csv")] == ["nan"] * 4


def test_extraction_changes_only_the_head(here: Path) -> None:
    run_here(weights, "resnet18")
    before, after = models.read(START)["state_dict"], train_resnet18(mode="extract")
    different = {key for key in after if not torch.equal(after[key], before[key])}
    assert different == {"fc.weight", "fc.bias"}
    settings = load("data/settings/resnet18.json")
    assert settings["options"]["stem"] == "pretrained"
    assert settings["params"]["weights"] == "random"


@pytest.mark.parametrize(("stem", "kept"), [("fresh", False), ("pretrained", True)])
def test_the_stem_starts_as_the_params_say(stem: str, kept: bool, here: Path) -> None:
    run_here(weights, "resnet18")
    set_params(here, lr=1e-12, seed=1)  # so small that the network stays as it started
    before, after = models.read(START)["state_dict"], train_resnet18(stem=stem)
    for name, same in [("conv1.weight", kept), ("layer1.0.conv1.weight", True)]:
        assert torch.allclose(after[name], before[name], atol=1e-6) is same


def test_the_images_held_out_are_not_trained_on() -> None:
    recipe = Recipe("run", "model_b", {}, {"train_images": 6, "validation_images": 3})
    data = run.split(recipe, torch.arange(10) + 10, torch.arange(10))
    assert data.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert data.validation_labels.tolist() == [7, 8, 9]
    assert data.inputs.tolist() == [10, 11, 12, 13, 14, 15]
    assert data.validation_inputs.tolist() == [17, 18, 19]
