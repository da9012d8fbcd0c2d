"""The one table of a benchmark, printed and kept."""

from pathlib import Path

from benchmarks import machine
from stages.system import files

FOLDER = Path("benchmarks/results")


def report(name: str, note: str, columns: list[str], rows: list[list[str | int | float]]) -> None:
    """Print a Markdown table below a line on machine and method, and write both to FOLDER."""
    lines = [columns, ["---"] * len(columns), *[[cell(value) for value in row] for row in rows]]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    text = f"{machine.describe()}. {note}\n\n{table}\n"
    print(text, end="")
    files.write_bytes(FOLDER / f"{name}.md", text.encode())


def cell(value: str | int | float) -> str:
    """Write a number with three significant digits, whole ones and words as they are."""
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else value
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def spread(values: list[float], digits: int) -> str:
    """Write the least and the greatest value."""
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"
