"""What the workflows may do; actionlint checks the rest."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

WORKFLOWS = sorted((Path(__file__).parents[1] / ".github/workflows").iterdir())
COMMENT = {"contents": "read", "pull-requests": "write"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_it_runs_pinned_actions_with_no_more_rights_than_it_needs(path: Path) -> None:
    workflow = YAML(typ="safe").load(path.read_text())
    # pull_request_target would give forks secrets
    both = {"push": {"branches": ["main"]}, "pull_request": None}
    assert workflow["on"] in ("pull_request", both)
    assert "secrets." not in path.read_text()
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    comments = [step for step in job["steps"] if "github.token" in str(step)]
    assert job.get("permissions") == (COMMENT if comments else None)
    for step in comments:
        assert "head.repo.full_name == github.repository" in step["if"]
    for step in job["steps"]:
        action = step.get("uses", "actions/none@" + 40 * "0")
        assert re.fullmatch("actions/[a-z-]+@[0-9a-f]{40}", action)  # GitHub's, by its commit
        assert "checkout" not in action or step["with"]["persist-credentials"] is False
