"""params.yaml as it is committed, and reading one as the stages do."""

from pathlib import Path
from typing import Any
from unittest import mock

from commands import ROOT
from ruamel.yaml import YAML

from stages.system import rules
from stages.training import params

TEXT = (ROOT / "params.yaml").read_text()
COMMITTED = YAML(typ="safe").load(TEXT)


def check_all(values: Any) -> None:
    """Check values as the stages do, then look each run up."""
    rules.check_params(values)
    for model in values["models"]:
        params.find(values, model)


def load_all(path: Path) -> dict[str, Any]:
    """Read a params.yaml wherever it is, and check it as the stages do."""
    with mock.patch.object(rules, "PATH", path):
        values = rules.read()
    check_all(values)
    return values
