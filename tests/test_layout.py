"""Two rooms: stages import nothing from outside stages, tools import no stage, only packages."""

import ast
from collections.abc import Iterator

from helpers import ROOT

STAGES = tuple(f"stages.{path.stem}." for path in (ROOT / "stages").glob("[!_]*.py"))


def imported(room: str) -> Iterator[str]:
    """Yield what the modules of a room import, such as `stages.models.build.`."""
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                above = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
                yield from (f"{above}{alias.name}." for alias in node.names)


def test_each_room_imports_only_what_it_may() -> None:
    assert [name for name in imported("stages") if name.startswith(("tools.", "tests."))] == []
    assert [name for name in imported("tools") if name.startswith(STAGES)] == []
