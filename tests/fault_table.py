"""docs/faults.md, held against what the tests of faults really saw."""

import re
from pathlib import Path

TABLE = Path(__file__).parents[1] / "docs/faults.md"


def rows() -> dict[str, tuple[str, str]]:
    """Return the table: what the user sees and what is kept, by fault."""
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    cells = [line.strip("| ").split(" | ") for line in lines[2:]]
    return {fault: (re.fullmatch(r"(`+) ?(.*?) ?\1", sees)[2], kept) for fault, sees, kept in cells}


def assert_told(fault: str, sentence: str, *folders: Path) -> None:
    """Hold what a command said against the table's line on this fault.

    What differs from one run to the next, such as `folders`, has a word in capitals for it.
    """
    for folder in folders:
        sentence = sentence.replace(f"{folder}/", "")
    for pattern, word in [
        (r"127\.0\.0\.1:\d+", "HOST"),
        (r"\(PID \d+\)", "(PID N)"),
        (r"SHA-256 [0-9a-f]{64}", "SHA-256 HASH"),
        (r"the expected [0-9a-f]{64}", "the expected HASH"),
        (r"\b\d+(,\d{3})*( of| bytes| expected)", r"N\2"),
        (r" \S*/bin/dvc ", " dvc "),
        (r"\s+", " "),
    ]:
        sentence = re.sub(pattern, word, sentence)
    expected = rows().get(fault, ("no such row",))[0]
    assert expected == sentence.strip().replace("|", "\\|"), f"docs/faults.md on {fault!r}"
