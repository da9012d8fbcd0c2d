import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from helpers import ROOT, Trap, cut, do, flip
from torch import nn

from stages import models
from stages.system.errors import UserError

OPTIONS = {"image_size": 28, "activation": "tanh"}


def saved(path: Path) -> nn.Module:
    torch.manual_seed(0)
    network = models.build("model_b", **OPTIONS)
    models.save(path, network, "model_b", OPTIONS, {"lr": 0.1})
    return network


def test_a_saved_network_is_the_same_when_loaded(tmp_path: Path) -> None:
    network = saved(tmp_path / "b.pt").eval()
    loaded = models.load(tmp_path / "b.pt")
    images = torch.rand(4, 1, 28, 28)
    assert not loaded.training
    assert loaded.image_size == 28
    assert torch.equal(loaded(images), network(images))
    content = torch.load(tmp_path / "b.pt", weights_only=True)
    assert set(content) == {"model", "options", "params", "state_dict"}
    assert content["params"] == {"lr": 0.1}
    network.to(memory_format=torch.channels_last)  # nor does the file's name change a byte
    models.save(tmp_path / "other.pt", network, "model_b", OPTIONS, {"lr": 0.1})
    assert (tmp_path / "b.pt").read_bytes() == (tmp_path / "other.pt").read_bytes()


def test_build_refuses_what_it_does_not_know() -> None:
    with pytest.raises(UserError, match="unknown model 'layers': expected one of alexnet"):
        models.build("layers")
    with pytest.raises(UserError, match="image_size is 62, expected an integer from 63 to 1024"):
        models.build("alexnet", image_size=62)
    with pytest.raises(UserError, match="stem is not known"):
        models.build("model_a", stem="fresh")


@pytest.mark.parametrize("name", ["resnet18", "alexnet", "vgg16"])
def test_an_architecture_names_its_own_layers(name: str) -> None:
    architecture = models.architecture(name)
    with torch.device("meta"):  # no weights: VGG-16 has 134 million
        network = models.build(name, image_size=architecture.MINIMUM_IMAGE_SIZE)
    assert network.get_submodule(architecture.HEAD).out_features == 10
    if name == "resnet18":
        assert network.get_submodule(architecture.STEM).in_channels == 3


def compressed(path: Path) -> None:
    """Compress what torch.save does not: a few kilobytes could unpack to any amount."""
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in members.items():
            new.writestr(name, content)


@pytest.mark.parametrize(
    "spoil",
    [
        cut,
        flip,
        compressed,
        lambda path: torch.save(Trap(path.with_name("canary")), path),
        lambda path: torch.save([1], path, _use_new_zipfile_serialization=False),
        lambda path: torch.save([1], path),
        lambda path: torch.save(torch.load(path) | {"options": {1: 2}}, path),
        lambda path: torch.save(torch.load(path) | {"more": 1}, path),
    ],
)
def test_a_corrupt_file_is_refused_and_runs_nothing(spoil: Callable, tmp_path: Path) -> None:
    path = tmp_path / "b.pt"
    saved(path)
    spoil(path)
    with pytest.raises(UserError, match=f"{re.escape(str(path))} is corrupt or not a model file"):
        models.load(path)
    assert [file.name for file in tmp_path.iterdir()] == ["b.pt"]


def test_a_missing_file_and_other_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        models.load(tmp_path / "none.pt")
    path = tmp_path / "b.pt"
    models.save(path, models.build("model_a", image_size=28), "model_b", OPTIONS, {})
    with pytest.raises(UserError, match="does not hold the weights"):
        models.load(path)
    huge = {"conv1.weight": torch.zeros(1).expand(10**12)}  # a few bytes in the file
    torch.save(torch.load(path) | {"state_dict": huge}, path)
    with pytest.raises(UserError, match="does not hold the weights"):
        models.load(path)


def test_building_a_network_imports_neither_a_compiler_nor_a_yaml_parser() -> None:
    """The compiler can still be imported afterwards."""
    code = """import sys
from stages import models
models.build("resnet18", image_size=28)
assert not {"torch._dynamo", "ruamel.yaml"} & set(sys.modules)
import torch._dynamo
assert torch._dynamo.utils.is_compile_supported"""
    do(ROOT, "python", "-c", code)
