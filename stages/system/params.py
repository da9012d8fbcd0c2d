"""What params.yaml may hold. Rules reject values, they never change them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from stages.system import messages
from stages.system.errors import UserError

PATH = Path("params.yaml")
IMAGES = 60_000

# What a value may be, in words and as a test. type(), not isinstance(): True is not an integer.
Rule = tuple[str, Callable[[Any], bool]]
Rules = dict[str, Rule]


def integer(low: int, high: int) -> Rule:
    words = f"an integer from {low} to {high}"
    return words, lambda value: type(value) is int and low <= value <= high


def number(low: float, high: float) -> Rule:
    words = f"a number from {low:g} to {high:g}"
    return words, lambda value: type(value) in (int, float) and low <= value <= high


def one_of(*values: str | float) -> Rule:
    words = " or ".join(map(str, values))
    return words, lambda value: type(value) in (str, int, float) and value in values


def check(where: str, values: dict[str, Any], rules: Rules, complete: bool = True) -> None:
    """Raise a UserError at the first key that is unknown, wrong or, if `complete`, missing."""
    for key in values:
        if key not in rules:
            hint = f"expected {', '.join(rules)}: correct or remove it"
            raise UserError(f"{where}{shown(key)} is not known, {hint}")
    for key, (words, admits) in rules.items():
        if key in values and not admits(values[key]):
            raise UserError(f"{where}{key} is {shown(values[key])}, expected {words}: correct it")
        if complete and key not in values:
            raise UserError(f"{where}{key} is missing, expected {words}: add it")


def shown(value: Any) -> str:
    """Format a value for a message: on one line, and short."""
    text = value if isinstance(value, str) and value.isidentifier() else repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


MAPPING = ("a mapping with an entry for each model", lambda value: isinstance(value, dict))
SHARED = {
    "seed": integer(0, 2**32 - 1),
    "lr": (
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
    """Read params.yaml as DVC does (YAML 1.2), or raise a UserError if anything in it is wrong."""
    from ruamel.yaml import YAML, YAMLError  # not at the top: building a network needs no YAML

    try:
        values = YAML(typ="safe").load(PATH)
    except (OSError, ValueError, YAMLError) as error:
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        raise messages.error("params unreadable", path=PATH, reason=reason) from error
    check_params(values)
    return values


def check_params(values: Any) -> None:
    """Check params.yaml, except for options that an architecture defines."""
    if not isinstance(values, dict):
        raise UserError(f"params.yaml is empty, expected {', '.join(SHARED)}, weights and models")
    check("params.yaml: ", values, SHARED | {"weights": MAPPING, "models": MAPPING})
    for section, rule in [("weights", WEIGHTS), ("models", MAPPING)]:
        check(f"params.yaml: {section}.", values[section], dict.fromkeys(values[section], rule))
    total = values["train_images"] + values["validation_images"]
    if total > IMAGES:
        raise UserError(
            f"params.yaml: train_images + validation_images is {total}, but MNIST has {IMAGES} "
            f"training images: lower one of them"
        )
