"""make's targets that run DVC, in a repository whose results are committed."""

import shutil
import subprocess

import pytest
from helpers import Repository, refusal, run, set_params

READY = ["--silent", "--assume-old=.venv/.installed"]  # the environment that runs this test
CHECK = ["python", "-m", "tools.review", "--check"]
STALE = "error: dvc.lock and the results in git do not match the params, code and data ("


@pytest.fixture
def proposed(pipeline, tmp_path):
    """A clone as CI has it, without data, on its own branch."""
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
    printed = proposed.do("make", *READY, "review", "BASE=main", PYTHONIOENCODING="ascii")
    assert "`lr` `0.001` ? `0.002`" in printed  # not every terminal has every character
    between = proposed.do("make", *READY, "review", "BASE=main", "HEAD=proposed")
    assert "`lr`" not in between


def test_a_pull_request_with_its_results_passes_with_a_review_and_nothing_else(proposed) -> None:
    result = check(proposed)
    assert result.returncode == 0, result.stderr
    assert result.stdout
    assert result.stdout == proposed.do("python", "-m", "tools.review", "main")


def test_a_pull_request_whose_results_are_those_of_other_inputs_fails(proposed) -> None:
    proposed.set_params(lr=0.002)
    with (proposed.root / "stages/report.py").open("a") as file:
        file.write("\n# changed\n")
    proposed.commit("not run")
    result = check(proposed)
    assert result.returncode == 2  # make's, for a command that failed
    assert f"{STALE}lr modified, stages/report.py modified): run dvc repro" in result.stderr
    assert result.stdout.startswith("**Out of date**, ")


@pytest.mark.parametrize("path", ["metrics/train/model_a.json", "plots/mistakes/model_a.png"])
def test_a_pull_request_without_one_of_its_results_fails(path: str, proposed) -> None:
    (proposed.root / path).unlink()
    proposed.commit("forgotten")
    problem = f"{path} deleted" if "metrics" in path else "plots/mistakes modified"
    assert problem in refusal(proposed.run(*CHECK, "main"))


def test_a_failure_of_git_is_not_called_stale(proposed) -> None:
    result = proposed.run(*CHECK, "main", GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert "git could not read the repository (fatal: detected dubious" in refusal(result)


def test_a_detached_and_shallow_checkout_passes_or_says_what_it_lacks(proposed, tmp_path) -> None:
    url = f"file://{proposed.root}"
    proposed.do("git", "commit", "--quiet", "--allow-empty", "--message", "more")
    proposed.do("git", "clone", "--quiet", "--depth=1", url, str(tmp_path / "shallow"))
    shallow = Repository(tmp_path / "shallow")
    shallow.do("git", "checkout", "--quiet", "--detach")
    shallow.do(*CHECK, "HEAD")
    assert "or fetch what is missing" in refusal(shallow.run(*CHECK, "origin/main"))


def test_as_a_folder_of_a_larger_repository_it_is_reviewed_alike(proposed, tmp_path) -> None:
    inner = tmp_path / "larger/inner"
    shutil.copytree(proposed.root, inner, ignore=shutil.ignore_patterns(".git"))
    larger = Repository(tmp_path / "larger")
    larger.begin()
    set_params(inner, lr=0.002)
    review = run(inner, "python", "-m", "tools.review", "main")
    assert review.returncode == 0, review.stderr
    assert "`lr` | `0.001` | `0.002`" in review.stdout
    assert run(inner, *CHECK, "main").returncode == 1
    set_params(inner, lr=0.001)
    assert run(inner, *CHECK, "main").returncode == 0
