"""The one table of a benchmark, printed and kept."""

from pathlib import Path
from typing import Any

from benchmarks import machine
from results import markdown
from stages.system import files

FOLDER = Path("benchmarks/results")


def write(name: str, note: str, rows: list[dict[str, Any]]) -> None:
    """Print a table below a line on machine and method, and write both to FOLDER/<name>.md.

    Args:
        name: the benchmark's.
        note: a sentence on the method.
        rows: cells by column, one row at least.
    """
    cells = [[cell(value) for value in row.values()] for row in rows]
    text = f"{machine.describe()}. {note}\n\n{markdown.table(list(rows[0]), cells)}\n"
    print(text, end="")
    files.write_bytes(FOLDER / f"{name}.md", text.encode())


def cell(value: Any) -> str:
    """Format a float with three significant digits; integers and text are kept as they are."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
