"""docs/faults.md, held against what commands really say."""

import re
from pathlib import Path

TABLE = Path(__file__).parents[1] / "docs/faults.md"


def assert_told(fault: str, output: str) -> None:
    """Hold the first message in a command's output against the table's row on `fault`.

    There `...` stands for what differs from one time to the next.
    """
    (cell,) = re.findall(rf"^\| {re.escape(fault)} \| `+ ?(.+?) ?`+ \|$", TABLE.read_text(), re.M)
    expected = re.escape(cell).replace(r"\.\.\.", ".+")
    said = re.search(r"^(error|warning|ERROR): .*", output, re.MULTILINE)
    assert said, output
    assert re.fullmatch(expected, said[0].strip()), f"docs/faults.md on {fault!r}: {said[0]}"
    assert "Traceback" not in output
