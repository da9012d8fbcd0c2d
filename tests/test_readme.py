"""The pages' links lead somewhere, docs/networks.md is what the command prints, pins are one."""

import re
import tomllib

import pytest
from helpers import ROOT, run_stage

PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *(ROOT / "docs").glob("*.md")]


def test_the_networks_are_as_the_command_prints_them() -> None:
    printed = run_stage("tools.networks", cwd=ROOT).stdout
    assert (ROOT / "docs/networks.md").read_text() == printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_its_links_lead_somewhere(page) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_what_is_installed_is_what_pyproject_pins() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    included = {entry["include-group"] for entry in groups.pop("all")}
    assert included == set(groups)
    pins = {pin for group in groups.values() for pin in group}
    assert pins <= set((ROOT / "requirements.txt").read_text().splitlines())
