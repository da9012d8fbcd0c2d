"""params.yaml, read as DVC reads it and checked before anything else happens."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from stages.system import files
from stages.system.errors import UserError

PATH = Path("params.yaml")
IMAGES = 60000
LARGEST_FILE = 100_000  # bytes
MOST_VALUES = 1000  # aliases can make a few lines stand for billions


class Rule(NamedTuple):
    """What a value may be, in words and as a test."""

    words: str
    admits: Callable[[Any], bool]


def whole(low: int, high: int) -> Rule:
    """Admit integers from `low` to `high`; True and 3.0 are none."""
    return Rule(
        f"a whole number from {low} to {high}",
        lambda value: type(value) is int and low <= value <= high,
    )


def one_of(*values: str | float) -> Rule:
    """Admit the given words or numbers; True is no number."""
    return Rule(
        " or ".join(map(str, values)),
        lambda value: type(value) in (str, int, float) and value in values,
    )


MODELS = Rule(
    "a mapping with an entry for each model, one at least",
    lambda value: isinstance(value, dict) and value,
)
MAPPING = Rule("a mapping with an entry for each model", lambda value: isinstance(value, dict))
LR = Rule(
    "a number above 0 and at most 10",
    lambda value: type(value) in (int, float) and 0 < value <= 10,
)
SHARED = {
    "seed": whole(0, 2**32 - 1),
    "lr": LR,
    "schedule": one_of("one-cycle", "constant"),
    "batch_size": whole(2, 10000),
    "precision": one_of("fp32", "bf16"),
    "train_images": whole(2, IMAGES),
    "validation_images": whole(0, IMAGES - 2),
}
WEIGHTS = one_of("random", "imagenet")
EPOCHS = whole(1, 1000)
MODE = one_of("finetune", "extract")


def read(path: Path = PATH) -> dict[str, Any]:
    """Read the whole of params.yaml and check all of it that no architecture's file decides.

    Returns:
        The values as written: SHARED's keys, `weights` and `models`.

    Raises:
        UserError: no such file, no YAML, or a key that is missing, unknown or wrong.
    """
    values = load(path)
    if not isinstance(values, dict):
        raise UserError(f"{path} holds no keys, expected {', '.join(SHARED)}, weights and models")
    check("", values, SHARED | {"weights": MAPPING, "models": MODELS})
    for key in [*values["weights"], *values["models"]]:
        if not isinstance(key, str) or not re.fullmatch(r"\w{1,64}", key):
            raise UserError(f"params.yaml: {shown(key)} names a model, expected a word: correct it")
    check("weights.", values["weights"], dict.fromkeys(values["weights"], WEIGHTS))
    for model, entry in values["models"].items():
        if not isinstance(entry, dict):
            raise UserError(f"params.yaml: models.{model} is {shown(entry)}, expected a mapping")
    held = values["train_images"] + values["validation_images"]
    if held > IMAGES:
        raise UserError(
            f"params.yaml: train_images + validation_images is {held}, but MNIST has {IMAGES} "
            f"training images: lower one of them"
        )
    return values


def load(path: Path) -> Any:
    """Read a YAML file of ordinary size, safe types alone.

    Raises:
        UserError: there is none, or what is there is no YAML or too much of it.
    """
    if not path.is_file():
        raise UserError(f"{path} does not exist: run this in the repository's root")
    try:
        content = files.read(path, LARGEST_FILE)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): see to its rights") from error
    except ValueError as error:
        raise UserError(f"{path} has {error}: restore it") from error
    try:
        values = YAML(typ="safe").load(content.decode())
    except Exception as error:  # what is no YAML can also fail in int, datetime or the recursion
        where = getattr(error, "problem_mark", None)
        line = f" (line {where.line + 1})" if where else ""
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or error
        reason = " ".join(str(reason).split())[:200]
        raise UserError(f"{path} is not valid YAML{line}: {reason}; correct it") from error
    if too_many(values):
        raise UserError(f"{path} holds more than {MOST_VALUES:,} values: restore it")
    return values


def too_many(values: Any) -> bool:
    """Tell whether there are more than MOST_VALUES, each counted as often as it is referred to."""
    waiting, seen = [values], 0
    while waiting and seen <= MOST_VALUES:
        value = waiting.pop()
        seen += 1
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set):
            waiting += value
    return seen > MOST_VALUES


def shown(value: Any) -> str:
    """Return a value as a message shows it: on one line, and short."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # such as a number of more than 4,300 digits
        text = "enormous"
    return text if len(text) <= 100 else f"{text[:97]}..."


def check(prefix: str, values: dict[str, Any], rules: dict[str, Rule]) -> None:
    """Hold `values` against `rules`, which name every key that is expected.

    Raises:
        UserError: the first key that is unknown, missing or wrong, with what is allowed.
    """
    for key in values:
        if key not in rules:
            plain = isinstance(key, str) and re.fullmatch(r"[\w.-]{1,64}", key)
            raise UserError(
                f"params.yaml: unknown key {prefix}{key if plain else shown(key)}, "
                f"expected {', '.join(rules)}: correct or remove it"
            )
    for key, rule in rules.items():
        if key not in values:
            raise UserError(f"params.yaml: {prefix}{key} is missing, expected {rule.words}: add it")
        if not rule.admits(values[key]):
            raise UserError(
                f"params.yaml: {prefix}{key} is {shown(values[key])}, expected {rule.words}: "
                "correct it"
            )
