"""README's links lead somewhere, and docs/networks.md is what the command prints."""

import re

from commands import ROOT, run_stage


def test_the_networks_are_as_the_command_prints_them() -> None:
    printed = run_stage("stages.models", cwd=ROOT).stdout
    assert (ROOT / "docs/networks.md").read_text() == printed


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text())
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
