"""What README.md and docs name is there: commands, modules, options, params, stages, files."""

import importlib.util
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from dvc.cli.parser import get_main_parser
from helpers import COMMITTED, ROOT, do
from ruamel.yaml import YAML

PAGES = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
CURRENT = [page for page in PAGES if page.parent.name != "measured"]  # those tell of older code
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
STAGES = YAML(typ="safe").load(ROOT / "dvc.lock")["stages"]


def check(command: str) -> None:
    """Fail if a command names something that does not exist."""
    program, *arguments = shlex.split(command, comments=True)
    if program == "make":
        assert {word for word in arguments if "=" not in word} <= set(TARGETS), command
    elif arguments[:1] == ["-m"] and arguments[1] != "pytest":
        assert importlib.util.find_spec(arguments[1]), command
    elif program == "dvc":
        parsed = vars(get_main_parser().parse_args(arguments))
        for change in parsed.get("set_param") or []:
            value = COMMITTED
            for key in change.partition("=")[0].split("."):
                value = value[key]
        assert {word for word in parsed.get("targets") or [] if "@" in word} <= set(STAGES), command


@pytest.mark.parametrize("page", CURRENT, ids=lambda page: page.name)
def test_its_commands_and_paths_exist(page: Path) -> None:
    text = page.read_text()
    spans = [" ".join(span.split()) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", text)]
    for line in [*spans, *re.findall(r"^\$ (.*)$", text, re.MULTILINE)]:
        for command in re.split(r" && |; ", line):
            if re.match(r"(make|dvc|python) [a-z-]", command):
                check(command)
    paths = {span for span in spans if re.match(r"(stages|tools|tests|docs)/[\w./]*$", span)}
    assert [path for path in paths - {"stages/models/lenet.py"} if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_its_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_networks_are_as_the_command_prints_them() -> None:
    printed = do(ROOT, "python", "-m", "tools.networks")
    assert (ROOT / "docs/networks.md").read_text() == printed


def test_what_is_installed_is_what_pyproject_pins() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    included = {entry["include-group"] for entry in groups.pop("all")}
    assert included == set(groups)
    pins = {pin for group in groups.values() for pin in group}
    assert pins <= set((ROOT / "requirements.txt").read_text().splitlines())
