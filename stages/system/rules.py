"""What a value may be. Rules reject values, they never change them."""

from collections.abc import Callable
from typing import Any

from stages.system.errors import UserError

# What a value may be, in words and as a test. type(), not isinstance(): True is not an integer.
Rule = tuple[str, Callable[[Any], bool]]


def integer(low: int, high: int) -> Rule:
    words = f"an integer from {low} to {high}"
    return words, lambda value: type(value) is int and low <= value <= high


def number(low: float, high: float) -> Rule:
    words = f"a number from {low:g} to {high:g}"
    return words, lambda value: type(value) in (int, float) and low <= value <= high


def one_of(*values: str | float) -> Rule:
    words = " or ".join(map(str, values))
    return words, lambda value: type(value) in (str, int, float) and value in values


def check(
    where: str, values: dict[str, Any], rules: dict[str, Rule], complete: bool = True
) -> None:
    """Raise a UserError at the first key that is unknown, wrong or, if `complete`, missing."""
    for key in values:
        if key not in rules:
            known = ", ".join(rules)
            raise UserError(
                f"{where}{shown(key)} is not known, expected {known}: correct or remove it"
            )
    for key, (words, admits) in rules.items():
        if key in values and not admits(values[key]):
            raise UserError(f"{where}{key} is {shown(values[key])}, expected {words}: correct it")
        if complete and key not in values:
            raise UserError(f"{where}{key} is missing, expected {words}: add it")


def shown(value: Any) -> str:
    """Format a value for a message: on one line, and short."""
    text = value if isinstance(value, str) and value.isidentifier() else repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
