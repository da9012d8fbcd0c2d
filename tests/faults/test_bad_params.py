"""Whatever is wrong with params.yaml is refused in one sentence, and costs no training."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from helpers import COMMITTED, TEXT, assert_told, check_all, load_all
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.system.errors import UserError

CODE = "!!python/object/apply:os.system ['touch canary']"


@pytest.mark.parametrize(
    "content",
    [
        " \n\t\n",
        "3\n",
        '{"lr": 0.1,',
        TEXT + "---\nlr: 0.1\n",
        "? [1, 2]\n: 3\n",
        *[
            TEXT.replace("seed: 0", f"seed: {value}")
            for value in ("*zero", "&seed [*seed]", "9" * 5000, "2001-99-99", "!!int many", "\0",
                          CODE, "!!python/name:os.system", "!custom {a: 1}")
        ],
    ],
)  # fmt: skip
def test_a_file_without_params_is_refused(content: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(content)
    with pytest.raises(UserError, match=r"^params\.yaml[^\n]{,300}$"):
        load_all(Path("params.yaml"))
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def places(values: dict[str, Any], above: tuple = ()) -> list[tuple]:
    found = []
    for key, value in values.items():
        found.append((*above, key))
        if isinstance(value, dict):
            found += places(value, (*above, key))
    return found


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**63, 10**400]),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["0.1", "1e-3", "fp16", "ONE-CYCLE", "relu", "nan", ".inf", "ü", "数"]),
    st.dates(),
)
keys = st.one_of(st.text(max_size=6), st.integers(), st.none())
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
ORDINARY = settings(max_examples=100, deadline=None, database=None, derandomize=True)


@ORDINARY
@given(place=st.sampled_from(places(COMMITTED)), value=anything)
def test_any_value_anywhere_is_taken_or_refused(place: tuple, value: Any) -> None:
    values = copy.deepcopy(COMMITTED)
    entry = values
    for key in place[:-1]:
        entry = entry[key]
    entry[place[-1]] = value
    try:
        check_all(values)
    except UserError as refused:
        assert re.search("^[^\n]*(expected|correct|lower|add)[^\n]*$", str(refused))


@ORDINARY
@given(at=st.integers(0, len(TEXT)), removed=st.integers(0, 20), added=st.binary(max_size=5))
def test_any_typing_error_is_taken_or_refused(
    at: int, removed: int, added: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "params.yaml"
    path.write_bytes(TEXT[:at].encode() + added + TEXT[at + removed :].encode())
    try:
        load_all(path)
    except UserError as refused:
        assert "\n" not in str(refused)


def test_what_is_refused_costs_no_training(trained) -> None:
    path = trained.root / "params.yaml"
    text = path.read_text()
    for fault, line, wrong in [
        ("a misspelt key in params.yaml", "seed:", "sead:"),
        ("a wrong value in params.yaml", "lr: 0.001", "lr: -0.001"),
    ]:
        path.write_text(text.replace(f"\n{line}", f"\n{wrong}"))
        result = trained.run("dvc", "repro", "train@model_b")
        assert result.returncode == 255
        assert_told(fault, result.stderr)
    trained.assert_lost_and_restored()


@pytest.mark.parametrize(
    ("fault", "content"),
    [
        ("params.yaml is empty", ""),
        ("params.yaml is not valid YAML", "lr: [0.1"),
        ("params.yaml is not valid YAML", f"weights: {CODE}"),
    ],
)
def test_what_dvc_cannot_read_changes_nothing(fault: str, content: str, trained) -> None:
    (trained.root / "params.yaml").write_text(content)
    result = trained.run("dvc", "repro", "train@model_b")
    trained.do("git", "checkout", "params.yaml")
    assert result.returncode == 255
    assert_told(fault, result.stderr)
    trained.assert_undisturbed()
