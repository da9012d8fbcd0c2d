"""README's figures are those of the last run, and its tables what the commands print."""

import re
from pathlib import Path

from commands import run_stage

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def between(name: str) -> str:
    (part,) = re.findall(rf"<!-- {name}: .*? -->\n(.*?)<!-- end -->", README, re.DOTALL)
    return part.strip()


def test_the_results_are_those_of_the_report() -> None:
    table = between("results").replace("](plots/", "](")
    assert table.startswith("| run | parameters |")
    assert table in (ROOT / "plots/report.md").read_text()


def test_the_networks_are_as_the_command_prints_them() -> None:
    assert between("networks") == run_stage("stages.models", cwd=ROOT).stdout.strip()


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
