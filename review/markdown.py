"""Pieces of Markdown that GitHub shows as meant, whatever the values contain."""

from collections.abc import Iterable, Sequence
from typing import Any

from stages.reporting.tables import NONE


def code(value: Any) -> str:
    """Return a value as code, in which nothing is markup."""
    text = " ".join(str(value).split())
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}" if text else NONE


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; pipes in the cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def listed(values: Iterable[Any]) -> str:
    """Return values as code, with commas between."""
    return ", ".join(map(code, values))
