"""What README and docs/ say is what the commands print, and their links lead somewhere."""

import re
from pathlib import Path

import pytest
from commands import run_stage

ROOT = Path(__file__).parents[1]


def test_the_networks_are_as_the_command_prints_them() -> None:
    printed = run_stage("stages.models", cwd=ROOT).stdout
    assert (ROOT / "docs/networks.md").read_text() == printed


@pytest.mark.parametrize("name", ["README.md", "SECURITY.md", "docs/faults.md"])
def test_links_lead_somewhere(name: str) -> None:
    path = ROOT / name
    links = re.findall(r"\]\(([^)#]+)\)", path.read_text())
    assert links or name != "README.md"
    assert [link for link in links if not (path.parent / link).exists()] == []
