"""What the workflows may do, and that they hold no logic: actionlint checks the rest."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").iterdir())
ACTIONS = {"actions/checkout", "actions/setup-python", "actions/cache"}
COMMANDS = [  # each is one command; the first two are what tests run
    "bash .ci/run",
    'make --silent pull-request BASE="origin/$BASE" > review.md',
    'cat review.md >> "$GITHUB_STEP_SUMMARY"',
    'gh pr comment "$PULL_REQUEST" --edit-last --create-if-none --body-file review.md',
]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest) -> dict:
    return YAML(typ="safe").load(request.param.read_text())


def steps(workflow: dict) -> list[dict]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_every_action_is_githubs_own_and_pinned_by_its_commit(workflow: dict) -> None:
    for step in steps(workflow):
        name, _, commit = step.get("uses", "").partition("@")
        assert "run" in step or (name in ACTIONS and re.fullmatch("[0-9a-f]{40}", commit))


def test_every_command_is_one_that_is_known(workflow: dict) -> None:
    for step in steps(workflow):
        assert "uses" in step or step["run"] in COMMANDS


def test_no_more_rights_than_needed(workflow: dict) -> None:
    events = workflow["on"] if isinstance(workflow["on"], list) else [workflow["on"]]
    assert set(events) <= {"push", "pull_request"}  # pull_request_target gives forks secrets
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        comments = [
            step for step in job["steps"] if step.get("run", "").startswith("gh pr comment")
        ]
        allowed = {"contents": "read"} | ({"pull-requests": "write"} if comments else {})
        assert job.get("permissions", {"contents": "read"}) == allowed
        for step in comments:
            assert "head.repo.full_name == github.repository" in step["if"]
        for step in job["steps"]:
            assert "secrets." not in str(step)
            assert ("github.token" in str(step)) == (step in comments)
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
