"""What a value may be. Rules only refuse, they change no value."""

from collections.abc import Callable
from typing import Any, NamedTuple

from stages.system.errors import UserError


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
