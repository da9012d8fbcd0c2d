"""make's targets that run DVC, in a repository whose results are committed."""

import shutil

import pytest
from helpers import Repository, do, run, set_params

READY = ["--silent", "--assume-old=.venv/.installed"]  # the environment that runs this test


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


def test_a_pull_request_passes_only_with_the_results_of_its_inputs(proposed) -> None:
    printed = proposed.do("make", *READY, "pull-request", "BASE=main")
    assert printed.startswith("**Same results:** ")
    proposed.set_params(lr=0.002)
    review = ["make", *READY, "review", "BASE=main"]
    # not every terminal has every character
    assert "`lr` `0.001` ? `0.002`" in proposed.do(*review, PYTHONIOENCODING="ascii")
    assert "`lr`" not in proposed.do(*review, "HEAD=HEAD")
    with (proposed.root / "stages/report.py").open("a") as file:
        file.write("\n# changed\n")
    proposed.commit("not run")
    result = proposed.run("make", *READY, "pull-request", "BASE=main")
    assert result.returncode == 2  # make's, for a command that failed
    stale = "dvc.lock and the results in git do not match the stages, params, code and data ("
    assert f"{stale}lr modified, stages/report.py modified): run `make tidy` and" in result.stderr
    assert result.stdout.startswith("**Out of date**, ")


def test_as_a_folder_of_a_larger_repository_it_is_reviewed_alike(proposed, tmp_path) -> None:
    inner, check = tmp_path / "larger/inner", ["python", "-m", "tools.review", "--check", "main"]
    shutil.copytree(proposed.root, inner, ignore=shutil.ignore_patterns(".git"))
    Repository(tmp_path / "larger").begin()
    do(inner, *check)
    set_params(inner, lr=0.002)
    result = run(inner, *check)
    assert result.returncode == 1
    assert "`lr` | `0.001` | `0.002`" in result.stdout
