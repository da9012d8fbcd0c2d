"""params.yaml as it is committed, and reading one as the stages do."""

from pathlib import Path
from typing import Any

from commands import ROOT
from ruamel.yaml import YAML

from stages.training import params, runs

TEXT = (ROOT / "params.yaml").read_text()
COMMITTED = YAML(typ="safe").load(TEXT)


def load_all(path: Path) -> dict[str, Any]:
    """Do what the stages do first: read the file, then look each run up."""
    values = params.read(path)
    for name in values["models"]:
        runs.find(name, values)
    return values
