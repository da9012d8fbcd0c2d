"""Reading params.yaml, and what it may hold. Rules only refuse, they change no value."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.system import messages
from stages.system.errors import UserError

PATH = Path("params.yaml")
IMAGES = 60_000


class Rule(NamedTuple):
    """What a value may be, in words and as a test."""

    words: str
    admits: Callable[[Any], bool]


def integer(low: int, high: int) -> Rule:
    """Admit integers from `low` to `high`; not True or 3.0."""
    return Rule(
        f"an integer from {low} to {high}",
        lambda value: type(value) is int and low <= value <= high,
    )


def number(low: float, high: float) -> Rule:
    """Admit numbers from `low` to `high`, not True."""
    return Rule(
        f"a number from {low:g} to {high:g}",
        lambda value: type(value) in (int, float) and low <= value <= high,
    )


def one_of(*values: str | float) -> Rule:
    """Admit the given words or numbers; not True."""
    return Rule(
        " or ".join(map(str, values)),
        lambda value: type(value) in (str, int, float) and value in values,
    )


MAPPING = Rule("a mapping with an entry for each model", lambda value: isinstance(value, dict))
SHARED = {
    "seed": integer(0, 2**32 - 1),
    "lr": Rule(
        "a number above 0 and at most 10",
        lambda value: type(value) in (int, float) and 0 < value <= 10,
    ),
    "schedule": one_of("one-cycle", "constant"),
    "beta2": number(0, 0.999999),
    "clip_norm": number(0, 1e6),
    "batch_size": integer(2, 10_000),
    "precision": one_of("fp32", "bf16"),
    "kernels": one_of("portable", "native"),
    "threads": integer(1, 1024),
    "train_images": integer(2, IMAGES),
    "validation_images": integer(0, IMAGES - 2),
}
WEIGHTS = one_of("random", "imagenet")
TRAINING = {"epochs": integer(1, 1000), "mode": one_of("finetune", "extract")}


def read() -> dict[str, Any]:
    """Read params.yaml, as DVC reads it (YAML 1.2).

    Raises:
        UserError: no such file, not YAML, or a key that is missing, unknown or wrong.
    """
    try:
        values = YAML(typ="safe").load(PATH)
    except (OSError, ValueError, YAMLError) as error:
        raise messages.no_params(PATH, error) from error
    check_params(values)
    return values


def check_params(values: Any) -> None:
    """Hold params.yaml against the rules, but for what an architecture's own file decides.

    Raises:
        UserError: a key that is missing, unknown or has a wrong value.
    """
    if not isinstance(values, dict):
        raise UserError(f"params.yaml is empty, expected {', '.join(SHARED)}, weights and models")
    check("params.yaml: ", values, SHARED | {"weights": MAPPING, "models": MAPPING})
    weights = values["weights"]
    check("params.yaml: weights.", weights, dict.fromkeys(weights, WEIGHTS))
    check("params.yaml: models.", values["models"], dict.fromkeys(values["models"], MAPPING))
    held = values["train_images"] + values["validation_images"]
    if held > IMAGES:
        raise UserError(
            f"params.yaml: train_images + validation_images is {held}, but MNIST has {IMAGES} "
            f"training images: lower one of them"
        )


def check(
    where: str, values: dict[str, Any], rules: dict[str, Rule], complete: bool = True
) -> None:
    """Check `values` against `rules`, which name every key; `complete`: none may be missing.

    Raises:
        UserError: the first key that is unknown, missing or wrong, after the words of `where`.
    """
    for key in values:
        if key not in rules:
            raise UserError(
                f"{where}{shown(key)} is not known, expected {', '.join(rules)}: correct or remove "
                f"it"
            )
    for key, rule in rules.items():
        if key in values and not rule.admits(values[key]):
            raise UserError(
                f"{where}{key} is {shown(values[key])}, expected {rule.words}: correct it"
            )
        if complete and key not in values:
            raise UserError(f"{where}{key} is missing, expected {rule.words}: add it")


def shown(value: Any) -> str:
    """Return a value as a message shows it: on one line, and short."""
    text = value if isinstance(value, str) and value.isidentifier() else repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
