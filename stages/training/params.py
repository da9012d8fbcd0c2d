"""params.yaml, read as DVC reads it and checked before anything else happens."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.system.errors import UserError

PATH = Path("params.yaml")
IMAGES = 60000
LARGEST_IMAGE_SIZE = 1024


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
    try:
        values = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist: run this in the repository's root") from error
    except (YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" (line {where.line + 1})" if where else ""
        reason = getattr(error, "problem", None) or "not UTF-8 text"
        raise UserError(f"{path} is not valid YAML{line}: {reason}; correct it") from error
    if not isinstance(values, dict):
        raise UserError(f"{path} holds no keys, expected {', '.join(SHARED)}, weights and models")
    check("", values, SHARED | {"weights": MAPPING, "models": MAPPING})
    for key in [*values["weights"], *values["models"]]:
        if not isinstance(key, str):
            raise UserError(f"params.yaml: {key!r} names a model, expected a word: correct it")
    check("weights.", values["weights"], dict.fromkeys(values["weights"], WEIGHTS))
    for model, entry in values["models"].items():
        if not isinstance(entry, dict):
            raise UserError(f"params.yaml: models.{model} is {entry!r}, expected a mapping")
    held = values["train_images"] + values["validation_images"]
    if held > IMAGES:
        raise UserError(
            f"params.yaml: train_images + validation_images is {held}, but MNIST has {IMAGES} "
            f"training images: lower one of them"
        )
    return values


def check(prefix: str, values: dict[str, Any], rules: dict[str, Rule]) -> None:
    """Hold `values` against `rules`, which name every key that is expected.

    Raises:
        UserError: the first key that is unknown, missing or wrong, with what is allowed.
    """
    for key in values:
        if key not in rules:
            raise UserError(
                f"params.yaml: unknown key {prefix}{key}, expected {', '.join(rules)}: "
                f"correct or remove it"
            )
    for key, rule in rules.items():
        if key not in values:
            raise UserError(f"params.yaml: {prefix}{key} is missing, expected {rule.words}: add it")
        if not rule.admits(values[key]):
            raise UserError(
                f"params.yaml: {prefix}{key} is {values[key]!r}, expected {rule.words}: correct it"
            )
