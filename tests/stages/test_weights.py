import shutil
import sys
from pathlib import Path

import pytest
import torch
import torchvision
from helpers import OFFICIAL, ROOT, Trap, cached, set_params, stand_in

from stages import models, weights
from stages.system.errors import UserError

HEAD = {"resnet18": "fc.", "alexnet": "classifier.6."}


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The stage in an empty repository, whose torch.hub has no cache and reaches no server."""

    def start(model: str, **params: object) -> dict:
        set_params(tmp_path, **params)
        monkeypatch.setattr(sys, "argv", ["weights", model])
        weights.main()
        return torch.load(f"data/weights/{model}.pt", weights_only=True)

    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    return start


@pytest.mark.parametrize("model", OFFICIAL)
def test_random_is_the_initialisation_that_the_seed_gives(model: str, start) -> None:
    content = start(model, seed=5)
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
    assert isinstance(models.load(Path(f"data/weights/{model}.pt")), torch.nn.Module)


@pytest.mark.parametrize("model", OFFICIAL)
def test_imagenet_is_the_checkpoint_with_a_fresh_head(model: str, start, tmp_path: Path) -> None:
    official = stand_in(tmp_path, model)
    content = start(model, **{f"weights__{model}": "imagenet"})
    assert content["params"]["weights"] == "imagenet"
    for key, tensor in content["state_dict"].items():
        if key.startswith(HEAD[model]):
            assert tensor.shape[0] == 10
        else:
            assert torch.equal(tensor, official[key])


@pytest.mark.parametrize(
    "change",
    [
        lambda state: {key: state[key] for key in list(state)[1:]},
        lambda state: state | {"layer5.weight": torch.zeros(1)},
        lambda state: {f"module.{key}": tensor for key, tensor in state.items()},
        lambda state: {"state_dict": state},
        lambda state: list(state),
        lambda state: {1: torch.zeros(1)},
        lambda state: state | {"conv1.weight": Trap(Path("canary"))},
        None,
    ],
    ids=["incomplete", "more", "module.", "wrapped", "list", "no names", "malicious", "cut short"],
)
def test_another_checkpoint_is_refused(change, start, tmp_path: Path) -> None:
    state, path = stand_in(tmp_path, "resnet18"), cached(tmp_path, "resnet18")
    if change:
        torch.save(change(state), path)
    else:
        path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError) as refused:
        start("resnet18", weights__resnet18="imagenet")
    assert str(refused.value) == f"{path} is not torchvision's resnet18: remove it and run again"
    assert path.exists()
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("model", ["model_a", "nonsense"])
def test_a_model_without_starting_weights_is_refused(model: str, start) -> None:
    with pytest.raises(UserError, match=repr(model)):
        start(model)
