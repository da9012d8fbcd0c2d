"""make's targets that run DVC, in a repository whose results are committed."""

import shutil

import pytest
from helpers import Repository, do, refusal, run, set_params

READY = ["--silent", "--assume-old=.venv/.installed"]  # the environment that runs this test
CHECK = ["python", "-m", "tools.review", "--check", "main"]


@pytest.fixture
def proposed(pipeline, tmp_path):
    """A clone as CI has it: without data, on no branch."""
    clone = pipeline.repository.clone(tmp_path / "clone")
    clone.do("git", "checkout", "--quiet", "--detach")
    return clone


def test_make_alone_says_what_there_is_and_repro_runs_nothing_again(pipeline) -> None:
    printed = pipeline.repository.do("make", "--no-print-directory").splitlines()
    assert all(line.startswith("make ") for line in printed)
    targets = {" ".join(line.split()[:2]) for line in printed}
    assert {"make repro", "make test", "make lab", "make review"} <= targets
    assert "up to date" in pipeline.repository.do("make", *READY, "repro")


def test_a_review_of_two_revisions_or_of_the_working_tree(proposed) -> None:
    proposed.set_params(lr=0.002)
    printed = proposed.do("make", *READY, "review", "BASE=main", PYTHONIOENCODING="ascii")
    assert "`lr` `0.001` ? `0.002`" in printed  # not every terminal has every character
    between = proposed.do("make", *READY, "review", "BASE=main", "HEAD=HEAD")
    assert "`lr`" not in between


def test_a_pull_request_with_its_results_passes_with_a_review_and_nothing_else(proposed) -> None:
    printed = proposed.do("make", *READY, "pull-request", "BASE=main")
    assert printed.startswith("**Same results:** ")
    assert printed == proposed.do("python", "-m", "tools.review", "main")


def test_a_pull_request_whose_results_are_those_of_other_inputs_fails(proposed) -> None:
    proposed.set_params(lr=0.002)
    with (proposed.root / "stages/report.py").open("a") as file:
        file.write("\n# changed\n")
    proposed.commit("not run")
    result = proposed.run("make", *READY, "pull-request", "BASE=main")
    assert result.returncode == 2  # make's, for a command that failed
    stale = "error: dvc.lock and the results in git do not match the params, code and data ("
    assert f"{stale}lr modified, stages/report.py modified): run dvc repro" in result.stderr
    verdict, _, problems, *_ = result.stdout.splitlines()
    assert verdict.startswith("**Out of date**, ")
    assert problems == "**Missing or out of date:** `lr modified`, `stages/report.py modified`."


def test_a_failure_of_git_is_not_called_stale(proposed) -> None:
    result = proposed.run(*CHECK, GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert "git could not read the repository (fatal: detected dubious" in refusal(result)


def test_as_a_folder_of_a_larger_repository_it_is_reviewed_alike(proposed, tmp_path) -> None:
    inner = tmp_path / "larger/inner"
    shutil.copytree(proposed.root, inner, ignore=shutil.ignore_patterns(".git"))
    Repository(tmp_path / "larger").begin()
    do(inner, *CHECK)
    set_params(inner, lr=0.002)
    assert "`lr` | `0.001` | `0.002`" in do(inner, "python", "-m", "tools.review", "main")
    assert run(inner, *CHECK).returncode == 1
