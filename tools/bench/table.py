"""A benchmark's tables, printed and kept."""

from pathlib import Path
from typing import Any

from stages.results import markdown
from stages.system import outputs
from tools.bench import machine

FOLDER = Path("docs/measured")


def write(name: str, *tables: tuple[str, list[dict[str, Any]]]) -> None:
    """Print tables below a line on the machine, and write them to FOLDER/<name>.md.

    Args:
        name: the benchmark's.
        tables: a sentence on the method, and cells by column, one row at least.
    """
    parts = []
    for note, rows in tables:
        cells = [[cell(value) for value in row.values()] for row in rows]
        parts.append(f"{note}\n\n{markdown.table(list(rows[0]), cells)}\n")
    text = f"{machine.describe()}. " + "\n".join(parts)
    print(text, end="")
    outputs.write_bytes(FOLDER / f"{name}.md", text.encode())


def cell(value: Any) -> str:
    """Format a float with three significant digits; integers and text are kept as they are."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
