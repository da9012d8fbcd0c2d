"""params.yaml: what is admitted, and the one sentence that refuses the rest."""

import copy
from pathlib import Path
from typing import Any

import parameters
import pytest
from parameters import load_all
from ruamel.yaml import YAML

from stages import models
from stages.system.errors import UserError
from stages.training import params, runs

ROOT = Path(__file__).parents[2]
COMMITTED = parameters.COMMITTED | {"train_images": 55000, "validation_images": 5000}


def written(folder: Path, values: Any) -> Path:
    path = folder / "params.yaml"
    with path.open("w") as file:
        YAML(typ="safe").dump(values, file)
    return path


def changed(keys: str, value: Any) -> dict:
    values = copy.deepcopy(COMMITTED)
    *parents, last = keys.split(".")
    entry = values
    for parent in parents:
        entry = entry[parent]
    entry[last] = value
    return values


def leaves(values: dict, prefix: str = "") -> list[str]:
    found = []
    for key, value in values.items():
        found += leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [prefix + key]
    return found


def test_the_committed_file_is_admitted() -> None:
    load_all(ROOT / "params.yaml")


WRONG = [None, True, [], {}, "", "many", -1, 0.5, float("nan"), float("inf"), 10**12, "1"]


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize("key", leaves(COMMITTED))
def test_every_key_refuses_what_it_cannot_be(key: str, value: Any, tmp_path: Path) -> None:
    path = written(tmp_path, changed(key, value))
    if value == 0.5 and key in ("lr", "models.alexnet.dropout"):
        load_all(path)
        return
    with pytest.raises(UserError) as refused:
        load_all(path)
    message = str(refused.value)
    assert key in message
    assert "expected" in message
    assert "\n" not in message


@pytest.mark.parametrize("key", [*COMMITTED, *leaves(COMMITTED)])
def test_every_key_is_missed(key: str, tmp_path: Path) -> None:
    values = copy.deepcopy(COMMITTED)
    *parents, last = key.split(".")
    entry = values
    for parent in parents:
        entry = entry[parent]
    del entry[last]
    if parents == ["weights"]:  # a model may have no starting weights: only its stages are gone
        load_all(written(tmp_path, values))
        return
    with pytest.raises(UserError, match=f"{key} is missing"):
        load_all(written(tmp_path, values))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("train_images", 60000, "is 65000, but MNIST has 60000"),
        ("lr", 10**400, "expected a number above 0"),
        ("models", {5: {"image_size": 28}}, "5 names a model, expected a word"),
        ("learning_rate", 0.1, "unknown key learning_rate, expected seed, lr"),
        ("models.model_a.stem", "fresh", "unknown key models.model_a.stem"),
        ("models.model_a.mode", "extract", "unknown key models.model_a.mode"),
        ("models.lenet", {"epochs": 1, "image_size": 28}, "unknown model 'lenet'"),
        ("models.model_a", 3, "models.model_a is 3, expected a mapping"),
        ("models.alexnet.image_size", 62, "image_size is 62, expected a whole number from 63"),
        ("weights.resnet18", "imagenet21k", "weights.resnet18 is 'imagenet21k', expected random"),
        ("lr", 0, "lr is 0, expected a number above 0"),
        ("batch_size", 1, "batch_size is 1, expected a whole number from 2"),
    ],
)
def test_refusals_say_what_is_wrong(key: str, value: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words):
        load_all(written(tmp_path, changed(key, value)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no keys"),
        (b"- 1\n", "holds no keys"),
        (b"lr: [0.1\n", "not valid YAML"),
        (b"lr: 0.1\nlr: 0.2\n", "not valid YAML .*duplicate key"),
        (b"\xff\xfe\x00", "not valid YAML"),
        (b"lr: !!python/object/apply:os.system ['touch canary']\n", "not valid YAML"),
    ],
)
def test_files_that_are_no_parameters(
    content: bytes, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_bytes(content)
    with pytest.raises(UserError, match=words):
        params.read()
    assert not Path("canary").exists()


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        params.read(tmp_path / "params.yaml")


def test_numbers_are_read_as_dvc_reads_them(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text().replace("lr: 0.001", "lr: 1e-3", 1)
    (tmp_path / "params.yaml").write_text(text)
    assert params.read(tmp_path / "params.yaml")["lr"] == 0.001


def test_every_architecture_can_be_a_run() -> None:
    values = copy.deepcopy(COMMITTED)
    values["models"]["vgg16"] = {"image_size": 32, "epochs": 1, "mode": "finetune"}
    for name in models.names():
        assert runs.find(name, values).model == name
