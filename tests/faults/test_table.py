"""No row of docs/faults.md without a test that holds it."""

import re
from pathlib import Path

from fault_table import TABLE


def test_every_row_is_held_against_a_command() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    faults = re.findall(r"^\| (.+?) \| `", TABLE.read_text(), re.MULTILINE)
    assert faults
    assert [fault for fault in faults if f'"{fault}"' not in tests] == []
