"""recipe.yaml: what is allowed, the one sentence that refuses the rest, and the runs it gives."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from helpers import COMMITTED, ROOT, TEXT, check_all, load_all

from stages.system.errors import UserError
from stages.training import recipe

WRONG = [None, True, [], {}, "", "many", -1, 0.5, float("nan"), float("inf"), 10**12, "1"]
FRACTIONS = {"lr", "beta2", "clip_norm", "models.alexnet.dropout"}  # 0.5 is one of these


def changed(key: str, value: Any = None, missing: bool = False) -> dict:
    """Return the committed values with another one, or with none, for `a.b.c`."""
    values = copy.deepcopy(COMMITTED)
    *parents, last = key.split(".")
    entry = values
    for parent in parents:
        entry = entry[parent]
    entry[last] = value
    if missing:
        del entry[last]
    return values


def leaves(values: dict, prefix: str = "") -> list[str]:
    found = []
    for key, value in values.items():
        found += leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [prefix + key]
    return found


@pytest.mark.parametrize("key", leaves(COMMITTED))
def test_every_key_refuses_what_it_cannot_be(key: str) -> None:
    for value in WRONG:
        if value == 0.5 and key in FRACTIONS:
            check_all(changed(key, value))
            continue
        with pytest.raises(UserError) as refused:
            check_all(changed(key, value))
        assert re.fullmatch(f".*{key}.* expected .*", str(refused.value))  # one line


@pytest.mark.parametrize("key", [*COMMITTED, *leaves(COMMITTED)])
def test_every_key_is_missed(key: str) -> None:
    if key.startswith("weights."):  # a model may have no starting weights: its stage is gone then
        check_all(changed(key, missing=True))
        return
    with pytest.raises(UserError, match=f"{key} is missing"):
        check_all(changed(key, missing=True))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("train_images", 60000, "is 65000, but MNIST has 60000"),
        ("lr", 10**400, "expected a number above 0"),
        ("beta2", 1, "beta2 is 1, expected a number from 0 to 0.999999"),
        ("models.model_a", 3, "models.model_a is 3, expected a mapping"),
        ("models.lenet", {"epochs": 1, "image_size": 28}, "unknown model 'lenet'"),
        ("learning_rate", 0.1, "learning_rate is not known, expected seed, lr"),
        ("models.model_a.stem", "fresh", "recipe.yaml: models.model_a.stem is not known"),
        ("models.model_a.mode", "extract", "recipe.yaml: models.model_a.mode is not known"),
    ],
)
def test_refusals_say_what_is_wrong(key: str, value: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        check_all(changed(key, value))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"- 1\n", "recipe.yaml is empty"),
        (b"lr: 0.1\nlr: 0.2\n", "cannot be read .*duplicate key"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_files_that_are_no_parameters(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    with pytest.raises(UserError, match=r"cannot be read \(.*No such file"):
        load_all(path)
    path.write_bytes(content)
    with pytest.raises(UserError, match=words):
        load_all(path)


def test_numbers_are_read_as_dvc_reads_them(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(TEXT.replace("lr: 0.001", "lr: 1e-3", 1))
    assert load_all(tmp_path / "recipe.yaml") == load_all(ROOT / "recipe.yaml")


@pytest.mark.parametrize("model", COMMITTED["models"])
def test_a_run_takes_what_its_model_is_given(model: str) -> None:
    run, entry = recipe.find(COMMITTED, model), COMMITTED["models"][model]
    assert run.name == run.model == model
    assert (
        run.options | {key: run.params[key] for key in ("epochs", "mode") if key in entry} == entry
    )
    assert run.params["lr"] == COMMITTED["lr"]
    assert run.pretrained == (model in COMMITTED["weights"])


def test_the_command_line_overrides_and_names_the_run() -> None:
    run = recipe.find(changed("models.model_a.activation", "nonsense"), "model_a", "tanh")
    assert (run.name, run.options["activation"]) == ("model_a-tanh", "tanh")
    run = recipe.find(COMMITTED, "model_b", lr="1e-2")
    assert (run.name, run.params["lr"]) == ("model_b-lr1e-2", 0.01)
    assert run == recipe.find(changed("lr", 5), "model_b", lr="1e-2")
    assert recipe.find(COMMITTED, "model_b", "tanh", "0.1").name == "model_b-tanh-lr0.1"


@pytest.mark.parametrize("model", ["", "nonsense", "../params", "layers", "__init__", "vgg16"])
def test_unknown_models_are_refused(model: str) -> None:
    with pytest.raises(UserError, match=f"unknown model {model!r}: expected one of resnet18, "):
        recipe.find(COMMITTED, model)


@pytest.mark.parametrize(
    ("model", "override", "words"),
    [
        ("model_a", {"activation": "gelu"}, "model_a-gelu: activation is gelu, expected relu or"),
        ("resnet18", {"activation": "tanh"}, "resnet18-tanh: activation is not known"),
        *[
            ("model_b", {"lr": lr}, r"model_b-lr.*: lr is .*, expected a number above 0")
            for lr in ("0", "11", "-1", "nan", "inf", "fast", "", "[", "True", "0.1/../x")
        ],
    ],
)
def test_overrides_are_checked(model: str, override: dict[str, str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        recipe.find(COMMITTED, model, **override)
