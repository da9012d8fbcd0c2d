"""make's targets that run DVC, in a repository whose results are committed."""

import subprocess

import pytest
from commands import refusal

READY = ["--silent", "--assume-old=.venv/.installed"]  # the environment that runs this test
STALE = (
    "error: dvc.lock and the results do not match params.yaml, the code and the data: run dvc repro"
)


@pytest.fixture
def proposed(pipeline, tmp_path):
    """A clone as CI has it, without data, on a branch of its own."""
    clone = pipeline.repository.clone(tmp_path / "clone")
    clone.do("git", "checkout", "--quiet", "-b", "proposed")
    return clone


def check(repository) -> subprocess.CompletedProcess:
    return repository.run("make", *READY, "pull-request", "BASE=main")


def test_make_alone_says_what_there_is_and_starts_nothing(pipeline) -> None:
    printed = pipeline.repository.do("make", "--no-print-directory").splitlines()
    assert all(line.startswith("make ") for line in printed)
    assert {"make repro", "make test", "make lab", "make review"} <= {
        " ".join(line.split()[:2]) for line in printed
    }


def test_repro_with_nothing_to_do(pipeline) -> None:
    assert "up to date" in pipeline.repository.do("make", *READY, "repro")


def test_a_review_of_two_revisions_or_of_the_working_tree(proposed) -> None:
    proposed.set_params(lr=0.002)
    printed = proposed.do("make", *READY, "review", "BASE=main")
    assert "`lr`" in printed
    between = proposed.do("make", *READY, "review", "BASE=main", "HEAD=proposed")
    assert "`lr`" not in between


def test_a_pull_request_with_its_results_passes_with_a_review_and_nothing_else(proposed) -> None:
    result = check(proposed)
    assert result.returncode == 0, result.stderr
    assert result.stdout
    assert result.stdout == proposed.do("python", "-m", "review", "main")


def test_a_pull_request_with_a_value_but_not_its_results_fails(proposed) -> None:
    proposed.set_params(lr=0.002)
    proposed.commit("another lr, not run")
    result = check(proposed)
    assert result.returncode == 2  # make's, for a command that failed
    assert STALE in result.stderr
    assert "lr" in result.stdout


def test_a_pull_request_with_a_result_that_no_run_gave_fails(proposed) -> None:
    with (proposed.root / "plots/report.md").open("a") as file:
        file.write("\nAll is well.\n")
    proposed.commit("a better report")
    assert refusal(proposed.run(".ci/pull-request", "main")).startswith(STALE)


def test_a_pull_request_with_code_but_not_its_results_fails(proposed) -> None:
    with (proposed.root / "stages/report.py").open("a") as file:
        file.write("\n# changed\n")
    proposed.commit("another report, not run")
    assert refusal(proposed.run(".ci/pull-request", "main")).startswith(STALE)
