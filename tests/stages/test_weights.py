import hashlib
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torchvision
from helpers import OFFICIAL, ROOT, Trap, assert_told, cached, run_here, set_params, stand_in
from server import serving

from stages import weights
from stages.models import resnet18
from stages.system.errors import UserError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work where torch.hub has no cache and reaches no server."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9/")  # a port that nothing listens on
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def start(model: str, **params: object) -> dict:
    set_params(Path(), **params)
    run_here(weights, model)
    return torch.load(f"data/weights/{model}.pt", weights_only=True)


@pytest.mark.parametrize("model", OFFICIAL)
def test_random_is_the_initialisation_that_the_seed_gives(model: str) -> None:
    content = start(model, seed=5)
    torch.manual_seed(5)
    network = getattr(torchvision.models, model)(num_classes=10)
    for layer in network.modules():
        if model == "alexnet" and isinstance(layer, torch.nn.Conv2d):  # else it is torchvision's
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            torch.nn.init.zeros_(layer.bias)
    expected = dict(network.state_dict())
    torch.testing.assert_close(content["state_dict"], expected, rtol=0, atol=0)
    assert content["params"] == {"seed": 5, "weights": "random"}


@pytest.mark.parametrize("weight", [Trap(Path("canary")), torch.zeros(1)])
def test_another_checkpoint_is_refused(weight: object, tmp_path: Path) -> None:
    state, path = stand_in(tmp_path, "resnet18"), cached(tmp_path, "resnet18")
    torch.save(state | {"conv1.weight": weight}, path)
    with pytest.raises(UserError, match=f"{path} is not torchvision's resnet18: remove it"):
        start("resnet18", weights__resnet18="imagenet")
    assert path.exists()
    assert {entry.name for entry in tmp_path.iterdir()} == {"hub", "params.yaml"}


@pytest.mark.parametrize("model", ["model_a", "nonsense"])
def test_a_model_without_starting_weights_is_refused(model: str) -> None:
    with pytest.raises(UserError, match=repr(model)):
        start(model)


@pytest.mark.parametrize(
    ("how", "words"),
    [("absent", "HTTP Error 404"), ("cut", "invalid hash value"), ("stall", "timed out")],
)
def test_after_a_failed_download_the_next_is_kept(how: str, words: str, monkeypatch) -> None:
    monkeypatch.setattr(weights, "TIMEOUT", 2)
    official = stand_in(Path("elsewhere"), "resnet18")
    content = cached(Path("elsewhere"), "resnet18").read_bytes()
    shutil.rmtree("elsewhere")
    name = f"net-{hashlib.sha256(content).hexdigest()[:8]}.pth"  # torchvision names theirs so
    with serving() as server:
        monkeypatch.setattr(resnet18, "IMAGENET", SimpleNamespace(url=server.url + name))
        server.answers[name] = (how, content)
        with pytest.raises(UserError, match=words) as refused:
            start("resnet18", weights__resnet18="imagenet")
        assert_told("ImageNet weights cannot be downloaded", f"error: {refused.value}")
        assert [path.name for path in Path().rglob("*") if path.is_file()] == ["params.yaml"]
        server.answers[name] = ("slow" if how == "stall" else "whole", content)
        server.asked.clear()
        start("resnet18")
        made = start("resnet18")
        assert server.asked[name] == 1
    assert made["params"]["weights"] == "imagenet"
    for key in official.keys() - {"fc.weight", "fc.bias"}:
        assert torch.equal(made["state_dict"][key], official[key])
