"""Whatever params.yaml holds, it is read within the rules or refused in one sentence."""

import copy
import math
import re
from pathlib import Path
from typing import Any

import pytest
from commands import refusal, run_stage
from fault_table import assert_told
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parameters import COMMITTED, TEXT, load_all
from ruamel.yaml import YAML

from stages.system.errors import UserError
from stages.training import params, runs

# As many as would fill any machine's memory, were they written out.
BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{new}: &{new} [{', '.join(f'*{old}' for _ in range(9))}]\n"
    for old, new in zip("abcdefghijk", "bcdefghijkl", strict=True)
)


def with_line(key: str, by: str) -> bytes:
    """Return params.yaml with other words in the place of the first line that sets `key`."""
    text, count = re.subn(rf"(?m)^( *){key}:.*$", lambda line: line[1] + by, TEXT, count=1)
    assert count
    return text.encode()


FILES = {
    "white space": b" \n\t\n",
    "a comment": b"# nothing\n",
    "a number": b"3\n",
    "JSON cut short": b'{"lr": 0.1,',
    "a tab for indentation": b"weights:\n\tresnet18: random\n",
    "a quote left open": with_line("schedule", 'schedule: "one-cycle'),
    "a duplicate key, nested": with_line("epochs", "epochs: 2\n    epochs: 3"),
    "two documents": TEXT.encode() + b"---\nlr: 0.1\n",
    "an unknown alias": with_line("seed", "seed: *zero"),
    "an alias of itself": with_line("seed", "seed: &seed [*seed]"),
    "a bomb of aliases": with_line("seed", BOMB + "seed: *l"),
    "a bomb as an ordered map": with_line("seed", BOMB + "seed: !!omap [x: *l]"),
    "merged keys": with_line("seed", "seed: {<<: {a: 1}}"),
    "binary": bytes(range(256)),
    "a null byte": with_line("seed", "seed: \0"),
    "UTF-16": TEXT.encode("utf-16"),
    "Latin-1": with_line("schedule", "schedule: zyklisch ü").decode().encode("latin-1"),
    "a gzip file": b"\x1f\x8b\x08\x00" + bytes(100),
    "too deep": b"seed: " + b"[" * 20000,
    "too deep a mapping": b"{a: " * 5000,
    "too large": b"# " + b"x" * 200_000,
    "5,000 digits": with_line("seed", "seed: " + "9" * 5000),
    "5,000 hexadecimal digits": with_line("seed", "seed: 0x" + "f" * 5000),
    "no such day": with_line("seed", "seed: 2001-99-99"),
    "a tag that does not fit": with_line("seed", "seed: !!int many"),
    "a list as a key": b"? [1, 2]\n: 3\n",
    "a mapping as a key": b"? {a: b}\n: 3\n",
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_holds_no_parameters(name: str, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(FILES[name])
    with pytest.raises(UserError) as refused:
        load_all(path)
    message = str(refused.value)
    assert "params.yaml" in message
    assert "\n" not in message
    assert len(message) < 600


TAGS = [
    "!!python/object/apply:os.system ['touch canary']",
    "!!python/object/new:os.system ['touch canary']",
    "!!python/object/apply:pathlib.Path.touch [canary]",
    "!!python/object/apply:subprocess.Popen [[touch, canary]]",
    '!!python/object/apply:builtins.eval [\'open("canary", "w")\']',
    "!!python/name:os.system",
    "!!python/module:os",
    "!!python/tuple [1, 2]",
    "!custom {a: 1}",
    "!<tag:yaml.org,2002:python/object/apply:os.mkdir> [canary]",
]


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("key", ["seed", "resnet18", "image_size"])
def test_a_tag_builds_no_object(
    tag: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_bytes(with_line(key, f"{key}: {tag}"))
    with pytest.raises(UserError, match=r"^params\.yaml is not valid YAML"):
        load_all(params.PATH)
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
    st.sampled_from([-1, 0, 1, 2**31, 2**63, 10**12, 10**400]),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["0.1", "1e-3", "fp16", "ONE-CYCLE", "relu", "random", "nan", ".inf", "ü", "数"]
    ),
    st.binary(max_size=4),
    st.dates(),
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.one_of(st.text(max_size=6), st.integers(), st.none()), inner, max_size=3
        )
    ),
    max_leaves=6,
)
ORDINARY = settings(
    max_examples=150,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def within(values: dict[str, Any]) -> bool:
    """Say again, in other words, what the rules are."""
    whole = {"seed": (0, 2**32 - 1), "batch_size": (2, 10000), "train_images": (2, 60000),
             "validation_images": (0, 59998)}  # fmt: skip
    entries = values["models"].values()
    return (
        all(type(values[key]) is int and a <= values[key] <= b for key, (a, b) in whole.items())
        and type(values["lr"]) in (int, float)
        and math.isfinite(values["lr"])
        and 0 < values["lr"] <= 10
        and values["schedule"] in ("one-cycle", "constant")
        and values["precision"] in ("fp32", "bf16")
        and values["train_images"] + values["validation_images"] <= 60000
        and set(values["weights"].values()) <= {"random", "imagenet"}
        and all(1 <= entry["epochs"] <= 1000 for entry in entries)
        and all(2 <= entry["image_size"] <= 1024 for entry in entries)
        and all(entry.get("activation", "relu") in ("relu", "sigmoid", "tanh") for entry in entries)
        and set(values) == set(COMMITTED)
    )


@ORDINARY
@given(place=st.sampled_from(places(COMMITTED)), value=anything)
def test_any_value_anywhere_is_within_the_rules_or_refused(
    place: tuple, value: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    values = copy.deepcopy(COMMITTED)
    entry = values
    for key in place[:-1]:
        entry = entry[key]
    entry[place[-1]] = value
    path = tmp_path_factory.getbasetemp() / "params.yaml"
    try:
        with path.open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump(values, file)
    except Exception:  # not every value can be written as YAML
        return
    try:
        assert within(load_all(path)), (place, value)
    except UserError as refused:
        assert "\n" not in str(refused)
        assert "expected" in str(refused) or "correct it" in str(refused) or "lower" in str(refused)


@ORDINARY
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
def test_any_bytes_are_refused(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError):
        load_all(path)


@ORDINARY
@given(at=st.integers(0, len(TEXT)), removed=st.integers(0, 20), added=st.binary(max_size=5))
def test_any_slip_of_the_hand_is_within_the_rules_or_refused(
    at: int, removed: int, added: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "slip.yaml"
    path.write_bytes(TEXT[:at].encode() + added + TEXT[at + removed :].encode())
    try:
        assert within(load_all(path))
    except UserError as refused:
        assert "\n" not in str(refused)


@ORDINARY
@given(name=st.text(max_size=12) | st.from_regex(r"model_b-lr[0-9.]{0,6}", fullmatch=True))
def test_any_name_is_a_run_or_refused(name: str) -> None:
    try:
        assert runs.find(name, COMMITTED).name == name
    except UserError as refused:
        assert "\n" not in str(refused)


@pytest.mark.parametrize(
    ("fault", "key", "by"),
    [
        ("a value out of range", "lr", "lr: -0.001"),
        ("an unknown key", "lr", "learning_rate: 0.001"),
        ("a duplicate key", "seed", "seed: 0\nseed: 1"),
        ("a tag that would run a command", "seed", f"seed: {TAGS[0]}"),
    ],
)
def test_a_stage_refuses_and_leaves_all_as_it_was(fault, key, by, trained) -> None:
    path = trained.root / "params.yaml"
    right = path.read_bytes()
    path.write_bytes(with_line(key, by))
    sentence = refusal(run_stage("stages.train", "model_b", cwd=trained.root))
    path.write_bytes(right)
    assert_told(f"params.yaml: {fault}", sentence)
    trained.assert_undisturbed()


@pytest.mark.parametrize(
    ("fault", "content"),
    [
        ("params.yaml is empty", b""),
        ("params.yaml is cut short", b"lr: [0.1"),
        ("params.yaml is binary", bytes(range(256))),
        ("params.yaml would run a command", b"weights: " + TAGS[0].encode()),
    ],
)
def test_dvc_refuses_too_and_leaves_all_as_it_was(fault: str, content: bytes, trained) -> None:
    path = trained.root / "params.yaml"
    right = path.read_bytes()
    path.write_bytes(content)
    result = trained.run("dvc", "repro", "train@model_b")
    path.write_bytes(right)
    assert result.returncode == 255
    assert "Traceback" not in result.stderr
    (sentence,) = [line for line in result.stderr.splitlines() if line.startswith("ERROR: ")][:1]
    assert_told(fault, sentence, trained.root)
    trained.assert_undisturbed()
