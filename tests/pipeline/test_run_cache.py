"""What was trained once is never trained again: DVC's run cache serves every stage."""

from collections.abc import Iterator
from pathlib import Path

import pytest

RUN = {"train@model_a", "evaluate@model_a"}


@pytest.fixture(scope="module")
def repository(pipeline, module_path: Path) -> Iterator:
    """A copy of the repository after its first run, which has also seen another value of lr."""
    copy = pipeline.repository.copy(module_path / "copy")
    copy.set_params(lr=0.003)
    assert copy.stages_run("dvc", "repro", "evaluate@model_a") == RUN
    yield copy


@pytest.fixture
def clean(repository) -> Iterator:
    """The copy, put back as it was when the test is over."""
    yield repository
    repository.do("git", "checkout", "--quiet", "--force", "main")
    repository.do("dvc", "checkout", "--quiet", "--force")


def test_a_value_and_back_runs_nothing(clean) -> None:
    clean.set_params(lr=0.001)
    assert clean.stages_run("dvc", "repro") <= {"report"}
    assert clean.do("git", "status", "--porcelain") == ""
    clean.set_params(lr=0.003)
    assert clean.stages_run("dvc", "repro", "evaluate@model_a") == set()
    assert "metrics/test/model_a.json" in clean.do("dvc", "metrics", "diff")


@pytest.mark.parametrize("where", [[], ["--temp"]], ids=["here", "elsewhere"])
def test_an_experiment_takes_what_was_trained_before(where: list[str], clean) -> None:
    experiment = ["dvc", "exp", "run", *where, "-S", "lr=0.003", "evaluate@model_a"]
    assert clean.stages_run(*experiment) == set()


def test_a_queued_experiment_takes_what_was_trained_before(clean) -> None:
    clean.do("dvc", "exp", "run", "--queue", "--name", "queued", "-S", "lr=0.003",
             "evaluate@model_a")  # fmt: skip
    clean.do("dvc", "queue", "start")
    log = clean.do("dvc", "queue", "logs", "--follow", "queued")
    assert "'train@model_a' is cached" in log
    assert "Running stage" not in log


def test_another_branch_takes_what_was_trained_here(clean) -> None:
    clean.do("git", "switch", "--quiet", "--create", "another")
    clean.set_params(lr=0.003)
    assert clean.stages_run("dvc", "repro", "evaluate@model_a") == set()
