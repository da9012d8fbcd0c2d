"""Pieces of Markdown that GitHub shows as meant, whatever the values contain."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

NONE = "–"  # noqa: RUF001 an empty cell


def table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """Return a table; the last `numbers` columns are aligned to the right."""
    rule = ["---"] * (len(header) - numbers) + ["---:"] * numbers
    lines = [[cell.replace("|", "\\|") for cell in line] for line in (header, rule, *rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(value: Any) -> str:
    """Return a value as code, in which nothing is markup."""
    text = " ".join(str(value).split())
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}" if text else NONE


def listed(values: Iterable[Any]) -> str:
    return ", ".join(map(code, values))


def percent(fraction: float | None) -> str:
    return NONE if fraction is None else f"{100 * fraction:.2f} %"


def loss(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:.4f}" if math.isfinite(value) else "not finite"


def count(number: float | None) -> str:
    return NONE if number is None else f"{number:,}"
