"""What the workflows may do; actionlint checks the rest."""

import re
from pathlib import Path

import pytest
from helpers import ROOT
from ruamel.yaml import YAML


@pytest.mark.parametrize("path", sorted((ROOT / ".github/workflows").iterdir()))
def test_it_runs_pinned_actions_with_no_more_rights_than_it_needs(path: Path) -> None:
    workflow = YAML(typ="safe").load(path)
    both = {"push": {"branches": ["main"]}, "pull_request": None}
    assert workflow["on"] in ("pull_request", both)  # pull_request_target gives forks secrets
    assert "secrets." not in path.read_text()
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    comments = [step for step in job["steps"] if "github.token" in str(step)]
    assert ("pull-requests" in job.get("permissions", {})) == bool(comments)
    for step in comments:
        assert "head.repo.full_name == github.repository" in step["if"]
    for action in re.findall("uses: (.*?)(?:  #.*)?\n", path.read_text()):
        assert re.fullmatch("actions/[a-z-]+@[0-9a-f]{40}", action)  # GitHub's, by its commit
