import zipfile
from pathlib import Path

import pytest
import torch

from stages import models
from stages.system.errors import UserError

OPTIONS = {"image_size": 28, "activation": "tanh"}


def saved(path: Path, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
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


def test_same_network_same_bytes_in_any_memory_format_and_under_any_name(tmp_path: Path) -> None:
    network = saved(tmp_path / "b.pt")
    network.to(memory_format=torch.channels_last)
    models.save(tmp_path / "other.pt", network, "model_b", OPTIONS, {"lr": 0.1})
    assert (tmp_path / "b.pt").read_bytes() == (tmp_path / "other.pt").read_bytes()


def test_build_refuses_what_it_does_not_know() -> None:
    for name, options, words in [
        ("lenet", {}, "unknown model 'lenet': expected one of alexnet"),
        ("layers", {}, "unknown model"),
        ("alexnet", {"image_size": 62}, "expected from 63 to 1024 pixels"),
        ("model_a", {"image_size": 28.0}, "image_size"),
        ("model_a", {"activation": "gelu"}, "activation 'gelu'"),
        ("model_a", {"stem": "fresh"}, "stem"),
    ]:
        with pytest.raises(UserError, match=words.replace("(", "\\(")):
            models.build(name, **options)


@pytest.mark.parametrize("size", [0, 1, 100, -1])
def test_a_truncated_file_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "b.pt"
    saved(path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(UserError, match="damaged or no model file"):
        models.load(path)


def test_a_flipped_byte_in_the_weights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.pt"
    saved(path)
    with zipfile.ZipFile(path) as archive:
        entry = max(archive.infolist(), key=lambda info: info.file_size)
    content = bytearray(path.read_bytes())
    content[entry.header_offset + entry.file_size // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError):
        models.load(path)


def test_a_missing_file_and_another_architectures_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        models.load(tmp_path / "none.pt")
    network = models.build("model_a", image_size=28)
    models.save(tmp_path / "a.pt", network, "model_b", OPTIONS, {})
    with pytest.raises(UserError, match="does not hold the weights"):
        models.load(tmp_path / "a.pt")
