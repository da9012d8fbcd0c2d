"""Whatever is wrong with params.yaml is refused in one sentence, and costs no training."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import COMMITTED, TEXT, assert_told
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.system import params
from stages.system.errors import UserError
from stages.training import recipe

MISSING = object()
WRONG = [None, True, [], "", "many", -1, 0.5, float("nan"), float("inf"), 10**12, "1", MISSING]
FRACTIONS = {"lr", "beta2", "clip_norm", "models.alexnet.dropout"}  # 0.5 is one of these
CODE = "!!python/object/apply:os.system ['touch canary']"


def keys_of(values: dict[str, Any], above: str = "") -> Iterator[str]:
    """List all keys, those of nested mappings as `a.b`."""
    for key, value in values.items():
        yield above + key
        if isinstance(value, dict):
            yield from keys_of(value, f"{above}{key}.")


KEYS = list(keys_of(COMMITTED))


def changed(key: str, value: Any) -> dict[str, Any]:
    """Return the committed values with another one, or with none, for a key such as `a.b`."""
    values = copy.deepcopy(COMMITTED)
    *parents, last = key.split(".")
    entry = values
    for parent in parents:
        entry = entry[parent]
    entry[last] = value
    if value is MISSING:
        del entry[last]
    return values


def check_all(values: Any) -> None:
    """Check values as the stages do, then look each run up."""
    params.check_params(values)
    for model in values["models"]:
        recipe.find(values, model)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_missed_and_refuses_what_it_cannot_be(key: str) -> None:
    optional = re.fullmatch(r"(weights|models)\.\w+", key)  # dvc.yaml decides which models it needs
    for value in WRONG:
        if (value == 0.5 and key in FRACTIONS) or (value is MISSING and optional):
            check_all(changed(key, value))
            continue
        with pytest.raises(UserError) as refused:
            check_all(changed(key, value))
        assert re.fullmatch(f".*{key} is .* expected .*", str(refused.value))  # one line


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("train_images", 60000, "is 65000, but MNIST has 60000"),
        ("learning_rate", 0.1, "learning_rate is not known, expected seed, lr"),
        ("models.model_a.mode", "extract", "params.yaml: models.model_a.mode is not known"),
    ],
)
def test_refusals_say_what_is_wrong(key: str, value: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        check_all(changed(key, value))


def test_a_file_without_params_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = [" \n\t\n", "- 1\n", '{"lr": 0.1,', "lr: 0.1\nlr: 0.2\n", f"{TEXT}---\nlr: 0.1\n"]
    for seed in ("*zero", "&seed [*seed]", "9" * 5000, "2001-99-99", "!!int many", "\0", "ÿ", CODE,
                 "!!python/name:os.system", "!custom {a: 1}"):  # fmt: skip
        files.append(TEXT.replace("\nseed: 0", f"\nseed: {seed}"))
    for content in files:
        Path("params.yaml").write_text(content, "latin-1")  # in which "ÿ" is no UTF-8
        with pytest.raises(UserError, match=r"^params\.yaml[^\n]{,300}$"):
            check_all(params.read())
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_numbers_are_read_as_dvc_reads_them(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"params.yaml cannot be read \(.*No such file"):
        params.read()
    Path("params.yaml").write_text(TEXT.replace("lr: 0.001", "lr: 1e-3"))
    assert params.read() == COMMITTED


numbers = st.integers() | st.floats() | st.sampled_from([2**63, 10**400])
words = st.text(max_size=8) | st.sampled_from(["0.1", "1e-3", "relu", ".inf", "ü", "数"])
keys = st.text(max_size=6) | st.integers() | st.none()
anything = st.recursive(
    numbers | words | st.none() | st.booleans() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(key=st.sampled_from(KEYS), value=anything)
def test_any_value_anywhere_is_taken_or_refused(key: str, value: Any) -> None:
    try:
        check_all(changed(key, value))
    except UserError as refused:
        assert re.search("^[^\n]*(expected|correct|lower|add)[^\n]*$", str(refused))


def test_the_command_line_is_checked_and_overrides() -> None:
    for model in ("", "nonsense", "../params", "layers", "__init__", "vgg16"):
        with pytest.raises(UserError, match=f"unknown model {model!r}: expected one of resnet18, "):
            recipe.find(COMMITTED, model)
    for lr in ("0", "11", "-1", "nan", "inf", "fast", "", "[", "True", "0.1/../x"):
        with pytest.raises(UserError, match=r"model_b-lr.*: lr is .*, expected a number above 0"):
            recipe.find(COMMITTED, "model_b", lr=lr)
    with pytest.raises(UserError, match="model_a-gelu: activation is gelu, expected relu or"):
        recipe.find(COMMITTED, "model_a", activation="gelu")
    with pytest.raises(UserError, match="resnet18-tanh: activation is not known"):
        recipe.find(COMMITTED, "resnet18", activation="tanh")
    given = recipe.find(changed("lr", 5), "model_b", lr="1e-2")
    assert given == recipe.find(COMMITTED, "model_b", lr="1e-2")


def refuse(trained, fault: str, content: str) -> None:
    """Check that DVC ends with the sentence of docs/faults.md, given another params.yaml."""
    (trained.root / "params.yaml").write_text(content)
    result = trained.run("dvc", "repro", "train@model_b")
    assert result.returncode == 255
    assert_told(fault, result.stderr)


def test_what_is_refused_costs_no_training(trained) -> None:
    text = (trained.root / "params.yaml").read_text()
    refuse(trained, "a misspelt key in params.yaml", text.replace("\nseed:", "\nsead:"))
    refuse(trained, "a wrong value in params.yaml", text.replace("lr: 0.001", "lr: -0.001"))
    trained.assert_lost_and_restored()


def test_what_dvc_cannot_read_changes_nothing(trained) -> None:
    refuse(trained, "params.yaml is empty", "")
    refuse(trained, "params.yaml is not valid YAML", "lr: [0.1")
    refuse(trained, "params.yaml is not valid YAML", f"weights: {CODE}")
    verified = trained.run("make", "--assume-old=.venv/.installed", "verify")
    assert_told("params.yaml is not valid YAML", verified.stderr)
    trained.do("git", "checkout", "params.yaml")
    trained.assert_undisturbed()
