"""A training, from its command line to its files, in this process."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from helpers import rows, run_here, set_params

from stages import models, train, weights
from stages.system.errors import UserError
from stages.training import recipe

HERE = Path()
START = Path("data/weights/resnet18.pt")


def outputs() -> dict[str, bytes]:
    folders = ["data/models", "data/settings", "data/checkpoints", "metrics", "plots"]
    paths = [path for folder in folders for path in Path(folder).rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in paths}


def train_resnet18(**values: object) -> dict[str, torch.Tensor]:
    """Train it at 28 pixels, with these values of its own in recipe.yaml."""
    values = {"image_size": 28, "epochs": 1} | values
    set_params(HERE, **{f"models__resnet18__{key}": value for key, value in values.items()})
    run_here(train, "resnet18")
    return models.read(Path("data/models/resnet18.pt"))["state_dict"]


@pytest.mark.parametrize(("precision", "kernels"), [("fp32", "portable"), ("bf16", "native")])
def test_the_same_bytes_twice(
    precision: str, kernels: str, here: Path, capsys: pytest.CaptureFixture
) -> None:
    set_params(here, precision=precision, kernels=kernels)
    run, arguments = "model_b-tanh-lr0.01", ["model_b", "--activation", "tanh", "--lr", "0.01"]
    run_here(train, *arguments)
    first = outputs()
    run_here(train, *arguments)
    assert outputs() == first
    assert set(first) == {
        f"data/models/{run}.pt", f"data/settings/{run}.json", f"metrics/train/{run}.json",
        f"plots/runs/{run}/loss.csv", f"plots/runs/{run}/steps.csv",
    }  # fmt: skip
    assert capsys.readouterr().err == ""  # no bar where there is no terminal
    settings = json.loads(first[f"data/settings/{run}.json"])
    assert settings["options"] == {"image_size": 28, "activation": "tanh"}
    assert (settings["params"]["lr"], settings["params"]["precision"]) == (0.01, precision)
    content = models.read(Path(f"data/models/{run}.pt"))
    assert {key: content[key] for key in settings} == settings


def test_bf16_on_a_cpu_needs_native_kernels(here: Path) -> None:
    set_params(here, precision="bf16")
    with pytest.raises(UserError, match="set kernels to native"):
        run_here(train, "model_b")


def test_metrics_and_curves(here: Path) -> None:
    """64 images in batches of 16: 4 steps in each of 3 epochs."""
    run_here(train, "model_b")
    metrics = json.loads(Path("metrics/train/model_b.json").read_text())
    epochs, steps = (rows(f"plots/runs/model_b/{name}.csv") for name in ("loss", "steps"))
    assert [row["epoch"] for row in epochs] == ["1", "2", "3"]
    assert metrics == {
        "loss": float(epochs[-1]["train_loss"]),
        "validation_loss": float(epochs[-1]["validation_loss"]),
        "validation_accuracy": float(epochs[-1]["validation_accuracy"]),
        "epochs": 3,
        "parameters": 224 + 1168 + 16 * 7 * 7 * 64 + 64 + 650,
    }
    assert (metrics["validation_accuracy"] * 32).is_integer()
    assert list(steps[0]) == ["step", "epoch", "loss"]
    assert [float(row["epoch"]) for row in steps] == [step / 4 for step in range(1, 13)]
    assert sum(float(row["loss"]) for row in steps[8:]) / 4 == pytest.approx(metrics["loss"])


def test_without_validation_images_there_are_no_validation_figures(here: Path) -> None:
    set_params(here, validation_images=0)
    run_here(train, "model_a")
    metrics = json.loads(Path("metrics/train/model_a.json").read_text())
    assert metrics["validation_loss"] is metrics["validation_accuracy"] is None
    assert rows("plots/runs/model_a/loss.csv")[-1]["validation_loss"] == ""


def test_a_training_that_diverges_ends_and_says_so(here: Path) -> None:
    network, options = models.build("resnet18", stem="pretrained"), {"stem": "pretrained"}
    torch.nn.init.constant_(network.fc.weight, float("nan"))
    models.save(START, network, "resnet18", options, {})
    train_resnet18(epochs=5)
    metrics = json.loads(Path("metrics/train/resnet18.json").read_text())
    assert (metrics["loss"], metrics["epochs"], metrics["diverged"]) == (None, 1, True)
    assert [row["epoch"] for row in rows("plots/runs/resnet18/loss.csv")] == ["1"]
    assert [row["loss"] for row in rows("plots/runs/resnet18/steps.csv")] == ["nan"] * 4


def test_extraction_changes_the_head_alone(here: Path) -> None:
    run_here(weights, "resnet18")
    before, after = models.read(START)["state_dict"], train_resnet18(mode="extract")
    different = {key for key in after if not torch.equal(after[key], before[key])}
    assert different == {"fc.weight", "fc.bias"}
    settings = json.loads(Path("data/settings/resnet18.json").read_text())
    assert settings["options"]["stem"] == "pretrained"
    assert settings["params"]["weights"] == "random"


@pytest.mark.parametrize(("stem", "kept"), [("fresh", False), ("pretrained", True)])
def test_the_stem_starts_as_the_params_say(stem: str, kept: bool, here: Path) -> None:
    run_here(weights, "resnet18")
    set_params(here, lr=1e-12, seed=1)  # so small that the start is what is left
    before, after = models.read(START)["state_dict"], train_resnet18(stem=stem)
    for name, same in [("conv1.weight", kept), ("layer1.0.conv1.weight", True)]:
        assert torch.allclose(after[name], before[name], atol=1e-6) is same


def test_the_images_held_out_are_not_trained_on() -> None:
    run = recipe.Run("run", "model_b", {}, {"train_images": 6, "validation_images": 3})
    data = train.split(run, torch.arange(10) + 10, torch.arange(10))
    assert data.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert data.validation_labels.tolist() == [7, 8, 9]
    assert torch.equal(data.inputs, data.labels + 10)
    assert torch.equal(data.validation_inputs, data.validation_labels + 10)


def wrong_start() -> None:
    models.save(START, models.build("model_b"), "model_b", {}, {})


@pytest.mark.parametrize(
    ("arguments", "spoil", "words"),
    [
        (["nonsense"], lambda: None, "unknown model 'nonsense': expected one of resnet18, "),
        (["model_b", "--lr", "0"], lambda: None, "model_b-lr0: lr is 0.0, expected a number"),
        (["model_a"], lambda: set_params(HERE, precision="fp8"), "precision is fp8"),
        (["model_a"], lambda: Path("data/mnist").unlink(), "-images-idx3-ubyte is missing"),
        (["resnet18"], lambda: None, "data/weights/resnet18.pt does not exist .there: "),
        (["resnet18"], wrong_start, "does not hold the weights of this architecture"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(
    arguments: list[str], spoil: Callable[[], None], words: str, here: Path
) -> None:
    spoil()
    before = set(here.rglob("*"))
    with pytest.raises(UserError, match=words):
        run_here(train, *arguments)
    assert set(here.rglob("*")) == before
