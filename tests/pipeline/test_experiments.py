"""The experiments that README.md and docs/experiments.md show; nothing is trained twice."""

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import Repository, documented

SHOWN = documented("README.md", "Try a change")
(TABLE,) = [line for line in documented("docs/experiments.md") if line.startswith("dvc exp show")]


@pytest.fixture(scope="module")
def repository(pipeline, module_path: Path) -> Repository:
    """A copy of the repository after its first run, in which `higher` is an experiment."""
    copy = pipeline.repository.copy(module_path / "copy")
    _, restore, experiment, compare = SHOWN[:4]
    assert copy.stages_run("bash", "-c", experiment) == {"train@model_b", "evaluate@model_b"}
    assert "metrics/test/model_b.json" in copy.do("bash", "-c", compare)
    copy.do("bash", "-c", restore)
    assert copy.do("git", "status", "--porcelain") == ""
    assert "up to date" in copy.do("dvc", "status")
    return copy


@pytest.fixture
def clean(repository: Repository) -> Iterator[Repository]:
    """The copy on its branch `main`, put back as it was when the test is over."""
    yield repository
    repository.do("git", "checkout", "--quiet", "--force", "main")
    repository.do("dvc", "checkout", "--quiet", "--force")
    assert repository.do("git", "status", "--porcelain") == ""


def table(repository: Repository) -> list[dict[str, str]]:
    """Return the rows of `dvc exp show`, with the columns that docs/experiments.md asks for."""
    return list(csv.DictReader(io.StringIO(repository.do("bash", "-c", f"{TABLE} --csv"))))


def test_an_experiment_is_compared_and_applied_as_readme_says(clean: Repository) -> None:
    difference, apply, branch = SHOWN[4:]
    assert "metrics/test/model_b.json" in clean.do("bash", "-c", difference)
    rows = {row["Experiment"] or row["rev"]: row for row in table(clean)}
    assert (rows["main"]["lr"], rows["higher"]["lr"]) == ("0.001", "0.003")
    columns = set(rows["higher"]) - {"Experiment", "rev", "typ", "Created"}
    assert columns == {"lr", "metrics/test/model_b.json:accuracy"}
    clean.do("bash", "-c", branch)
    clean.do("bash", "-c", apply)
    assert "lr: 0.003" in (clean.root / "params.yaml").read_text()
    assert clean.stages_run("dvc", "repro", "evaluate@model_b") == set()


def test_a_value_and_back_trains_nothing(clean: Repository) -> None:
    clean.set_params(lr=0.003)
    assert clean.stages_run("dvc", "repro", "evaluate@model_b") == set()
    clean.set_params(lr=0.001)
    assert clean.stages_run("dvc", "repro") <= {"report"}
    assert clean.do("git", "status", "--porcelain") == ""


def test_a_copy_needs_only_tracked_files_and_trains_only_what_reads_the_value(clean) -> None:
    (clean.root / "data/untracked").write_text("not for the copy")
    ran = clean.stages_run("dvc", "exp", "run", "--temp", "-S", "models.model_a.activation=tanh")
    assert ran == {"train@model_a", "evaluate@model_a", "report"}
    assert clean.do("git", "status", "--porcelain") == ""


@pytest.mark.slow
def test_a_grid_is_queued_and_run_by_two_workers(clean: Repository) -> None:
    clean.do("dvc", "exp", "run", "--queue", "-S", "lr=0.004,0.002", "evaluate@model_b")
    clean.do("dvc", "queue", "start", "--jobs", "2", OMP_NUM_THREADS="1")  # two on two cores
    try:
        deadline = time.monotonic() + 600
        while "Queued" in (status := clean.do("dvc", "queue", "status")) or "Running" in status:
            assert time.monotonic() < deadline, status
            time.sleep(2)
    finally:
        clean.do("dvc", "queue", "stop")
    assert status.count("Success") == 2, status
    assert {row["lr"] for row in table(clean)} >= {"0.004", "0.002"}
