import json
from pathlib import Path

import pytest
import torch
from commands import refusal, run_stage, set_params

from stages import models, train
from stages.training import loop, params, runs

SMALL = {"train_images": 64, "validation_images": 32, "batch_size": 16}


def set_model(workspace: Path, model: str, **values: object) -> None:
    set_params(workspace, **{f"models__{model}__{key}": value for key, value in values.items()})


def outputs(workspace: Path, run: str) -> dict[str, bytes]:
    paths = [
        f"data/models/{run}.pt",
        f"metrics/train/{run}.json",
        *[f"plots/runs/{run}/{name}" for name in ("loss.csv", "steps.csv", "settings.json")],
    ]
    return {path: (workspace / path).read_bytes() for path in paths}


def trained(workspace: Path, run: str) -> dict[str, bytes]:
    result = run_stage("stages.train", run, cwd=workspace)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""  # no bar where there is no terminal
    return outputs(workspace, run)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_same_bits_twice_and_all_of_a_run_is_left(workspace: Path, precision: str) -> None:
    set_params(workspace, **SMALL, precision=precision)
    first = trained(workspace, "model_b-tanh")
    assert trained(workspace, "model_b-tanh") == first
    metrics = json.loads(first["metrics/train/model_b-tanh.json"])
    assert metrics["validation_accuracy"] * 32 == round(metrics["validation_accuracy"] * 32)
    settings = json.loads(first["plots/runs/model_b-tanh/settings.json"])
    assert settings["options"]["activation"] == "tanh"
    assert settings["params"]["precision"] == precision
    content = torch.load(workspace / "data/models/model_b-tanh.pt", weights_only=True)
    assert {key: content[key] for key in settings} == settings


def test_without_validation_images_there_are_no_validation_figures(workspace: Path) -> None:
    set_params(workspace, **SMALL | {"validation_images": 0})
    left = trained(workspace, "model_a")
    metrics = json.loads(left["metrics/train/model_a.json"])
    assert metrics["validation_loss"] is metrics["validation_accuracy"] is None
    assert left["plots/runs/model_a/loss.csv"].splitlines()[1].endswith(b",,")


def test_a_training_that_diverges_is_recorded_as_what_it_is(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace)
    run = runs.find("model_b", params.read())
    network, settings = train.start(run)
    torch.nn.init.constant_(network.fc2.weight, float("nan"))
    nan = float("nan")
    train.write(run, settings, network, loop.History([(1, nan, nan, 0.1)], torch.tensor([nan])))
    metrics = json.loads((workspace / "metrics/train/model_b.json").read_text())
    assert metrics["loss"] is None
    assert metrics["diverged"] is True
    assert run_stage("stages.evaluate", "model_b", cwd=workspace).returncode == 0
    assert run_stage("stages.report", cwd=workspace).returncode == 0


def start(workspace: Path, model: str) -> dict[str, torch.Tensor]:
    result = run_stage("stages.weights", model, cwd=workspace)
    assert result.returncode == 0, result.stderr
    path = workspace / f"data/weights/{model}.pt"
    return torch.load(path, weights_only=True)["state_dict"]


@pytest.mark.parametrize(("model", "head"), [("resnet18", "fc."), ("alexnet", "classifier.6.")])
def test_extraction_changes_the_head_alone(workspace: Path, model: str, head: str) -> None:
    before = start(workspace, model)
    set_params(workspace, **SMALL)
    set_model(workspace, model, mode="extract", image_size=64)
    trained(workspace, model)
    after = torch.load(workspace / f"data/models/{model}.pt", weights_only=True)["state_dict"]
    differing = {key for key in after if not torch.equal(after[key], before[key])}
    assert differing == {f"{head}weight", f"{head}bias"}
    settings = json.loads((workspace / f"plots/runs/{model}/settings.json").read_text())
    assert settings["options"].get("stem") != "fresh"


@pytest.mark.parametrize(("stem", "kept"), [("fresh", False), ("pretrained", True)])
def test_the_stem_starts_as_the_params_say(workspace: Path, stem: str, kept: bool) -> None:
    before = start(workspace, "resnet18")
    set_params(workspace, **SMALL, lr=1e-12)  # so small that the start is what is left
    set_model(workspace, "resnet18", stem=stem, image_size=28)
    trained(workspace, "resnet18")
    after = torch.load(workspace / "data/models/resnet18.pt", weights_only=True)["state_dict"]
    assert torch.allclose(after["conv1.weight"], before["conv1.weight"], atol=1e-6) is kept
    assert torch.allclose(after["layer1.0.conv1.weight"], before["layer1.0.conv1.weight"],
                          atol=1e-6)  # fmt: skip


def test_vgg16_can_be_trained_too(workspace: Path) -> None:
    set_params(workspace, train_images=4, validation_images=0, batch_size=4)
    set_params(workspace, weights__vgg16="random")
    set_model(workspace, "vgg16", image_size=32, epochs=1, mode="extract")
    start(workspace, "vgg16")
    trained(workspace, "vgg16")
    assert models.load(workspace / "data/models/vgg16.pt").image_size == 32


def test_curves_are_means_over_equal_windows() -> None:
    losses = torch.arange(1000, dtype=torch.float32)
    rows = train.curve(losses)
    assert len(rows) == 200
    assert rows[0] == (5, 2.0)
    assert rows[-1] == (1000, 997.0)
    assert train.curve(torch.tensor([1.0, 3.0])) == [(1, 1.0), (2, 3.0)]


def test_the_images_held_out_are_not_trained_on() -> None:
    pixels, labels = torch.arange(10).view(10, 1, 1), torch.arange(10)
    values = {"train_images": 6, "validation_images": 3}
    data = train.split(pixels, labels, values, torch.device("cpu"))
    assert data.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert data.validation_labels.tolist() == [7, 8, 9]
    assert len(train.split(pixels, labels, values | {"validation_images": 0},
                           torch.device("cpu")).validation_labels) == 0  # fmt: skip


def wrong_image(workspace: Path) -> None:
    path = workspace / "data/mnist/train-images-idx3-ubyte"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)


def wrong_start(workspace: Path) -> None:
    start(workspace, "alexnet")
    (workspace / "data/weights/alexnet.pt").rename(workspace / "data/weights/resnet18.pt")


@pytest.mark.parametrize(
    ("run", "spoil", "words"),
    [
        ("nonsense", lambda w: None, "unknown run 'nonsense': expected"),
        ("model_a", lambda w: set_params(w, lr="fast"), "lr is 'fast', expected a number"),
        ("model_a", lambda w: set_params(w, precision="fp8"), "precision is 'fp8'"),
        ("alexnet", lambda w: set_model(w, "alexnet", image_size=62), "expected a whole number"),
        ("model_a", wrong_image, "train-images-idx3-ubyte has SHA-256"),
        ("resnet18", lambda w: None, "data/weights/resnet18.pt does not exist"),
        ("resnet18", wrong_start, "does not hold the weights of its architecture"),
    ],
)
def test_bad_input_ends_in_a_sentence_and_leaves_what_was_there(
    run: str, spoil: object, words: str, workspace: Path
) -> None:
    kept = workspace / f"metrics/train/{run}.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("{}")
    spoil(workspace)
    before = {path for path in workspace.rglob("*") if "__pycache__" not in str(path)}
    assert words in refusal(run_stage("stages.train", run, cwd=workspace))
    after = {path for path in workspace.rglob("*") if "__pycache__" not in str(path)}
    assert after == before
    assert kept.read_text() == "{}"
