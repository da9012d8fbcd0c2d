import hashlib
from pathlib import Path

import pytest
import torch
import torchvision
from checkpoints import OFFICIAL, cached, stand_in
from commands import refusal, run_stage, set_params
from harm import Trap

from stages import models

HEAD = {"resnet18": "fc.", "alexnet": "classifier.6."}


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """Return the folder that TORCH_HOME names."""
    return tmp_path / "hub"


def made(workspace: Path, model: str) -> dict:
    return torch.load(workspace / f"data/weights/{model}.pt", weights_only=True)


@pytest.mark.parametrize("model", OFFICIAL)
def test_random_is_the_initialisation_that_the_seed_gives(model: str, workspace: Path) -> None:
    set_params(workspace, seed=5)
    for _ in range(2):
        assert run_stage("stages.weights", model, cwd=workspace).returncode == 0
        content = made(workspace, model)
        torch.manual_seed(5)
        network = getattr(torchvision.models, model)(num_classes=10)
        if model == "alexnet":  # torchvision's own but for the convolutions
            for layer in network.features:
                if isinstance(layer, torch.nn.Conv2d):
                    torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                    torch.nn.init.zeros_(layer.bias)
        expected = dict(network.state_dict())
        torch.testing.assert_close(content["state_dict"], expected, rtol=0, atol=0)
    assert content["params"] == {"seed": 5, "weights": "random"}
    assert isinstance(models.load(workspace / f"data/weights/{model}.pt"), torch.nn.Module)


@pytest.mark.parametrize("model", OFFICIAL)
def test_imagenet_is_the_checkpoint_with_a_fresh_head(
    model: str, workspace: Path, hub: Path
) -> None:
    official = stand_in(hub, model)
    set_params(workspace, **{f"weights__{model}": "imagenet"})
    result = run_stage("stages.weights", model, cwd=workspace, TORCH_HOME=str(hub))
    assert result.returncode == 0, result.stderr
    content = made(workspace, model)
    assert content["params"]["weights"] == "imagenet"
    for key, tensor in content["state_dict"].items():
        if key.startswith(HEAD[model]):
            assert tensor.shape[0] == 10
        else:
            assert torch.equal(tensor, official[key])


def test_imagenet_without_a_network_says_what_to_do(workspace: Path, hub: Path) -> None:
    set_params(workspace, weights__resnet18="imagenet")
    nobody = "http://127.0.0.1:9"
    result = run_stage("stages.weights", "resnet18", cwd=workspace, TORCH_HOME=str(hub),
                       https_proxy=nobody, HTTPS_PROXY=nobody)  # fmt: skip
    line = refusal(result)
    assert "weights.resnet18 is imagenet" in line
    assert str(cached(hub, "resnet18")) in line
    assert "random" in line
    assert not (workspace / "data/weights").exists()


@pytest.mark.parametrize("damage", ["truncated", "incomplete", "another architecture", "malicious"])
def test_a_bad_checkpoint_is_refused(damage: str, workspace: Path, hub: Path) -> None:
    state = stand_in(hub, "alexnet")
    path = cached(hub, "alexnet")
    canary = hub / "canary"

    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:1000])
    elif damage == "incomplete":
        del state["features.3.weight"]
        torch.save(state, path)
    elif damage == "malicious":
        torch.save({"features.0.weight": Trap(canary)}, path)
    else:
        torch.save({"conv1.weight": torch.zeros(1)}, path)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    set_params(workspace, weights__alexnet="imagenet")
    refusal(run_stage("stages.weights", "alexnet", cwd=workspace, TORCH_HOME=str(hub)))
    assert not (workspace / "data/weights").exists()
    assert not canary.exists()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


@pytest.mark.parametrize("model", ["model_a", "nonsense"])
def test_a_model_without_starting_weights_is_refused(model: str, workspace: Path) -> None:
    assert repr(model) in refusal(run_stage("stages.weights", model, cwd=workspace))
