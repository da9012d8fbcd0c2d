"""Experiments as README shows them, each really run: one, a grid in a queue, one elsewhere."""

import csv
import io
import json
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from helpers import Repository

# README's columns, the values and test accuracies that differ: without this there is one for each
# metric and each file that a stage reads.
COLUMNS = ["--only-changed", "--drop", "data|plots|stages|metrics$|.*(loss|errors|_accuracy)"]
ONE = ["evaluate@model_b", "evaluate@model_b-lr0.1"]


@pytest.fixture(scope="module")
def repository(pipeline, module_path: Path):
    """A copy of the repository after its first run, shared by this file's tests."""
    return pipeline.repository.copy(module_path / "copy")


@pytest.fixture
def clean(repository) -> Iterator:
    """The copy on its branch `main`, put back as it was when the test is over."""
    yield repository
    repository.do("git", "checkout", "--quiet", "--force", "main")
    repository.do("dvc", "checkout", "--quiet", "--force")
    assert repository.do("git", "status", "--porcelain") == ""


@pytest.fixture(scope="module")
def tried(repository) -> str:
    """The name of an experiment with another lr, of two runs of which one has its own."""
    ran = repository.stages_run("dvc", "exp", "run", "--name", "tried", "-S", "lr=0.01", *ONE)
    assert ran == {"train@model_b", "evaluate@model_b"}
    repository.do("git", "restore", ".")
    repository.do("dvc", "checkout")
    assert repository.do("git", "status", "--porcelain") == ""
    assert "up to date" in repository.do("dvc", "status")
    return "tried"


def shown(repository) -> list[dict[str, str]]:
    """Return the rows of `dvc exp show` as README asks for it."""
    table = repository.do("dvc", "exp", "show", *COLUMNS, "--csv", "--precision", "10")
    return list(csv.DictReader(io.StringIO(table)))


def test_a_difference_names_the_value_and_the_run(tried: str, repository) -> None:
    lines = repository.do("dvc", "exp", "diff", "main", tried).splitlines()
    (value,) = [line.split() for line in lines if line.startswith("params.yaml")]
    assert value[:4] == ["params.yaml", "lr", "0.001", "0.01"]
    changed = {line.split()[0] for line in lines if line.startswith("metrics/")}
    assert changed == {"metrics/test/model_b.json", "metrics/train/model_b.json"}


def test_the_table_has_the_columns_that_matter(tried: str, repository) -> None:
    rows = shown(repository)
    (row,) = [row for row in rows if row["Experiment"] == tried]
    (main,) = [row for row in rows if row["rev"] == "main"]
    assert (main["lr"], row["lr"]) == ("0.001", "0.01")
    columns = set(row) - {"Experiment", "rev", "typ", "Created"}
    assert columns == {"lr", "metrics/test/model_b.json:accuracy"}


def test_an_experiment_applied_is_there_as_if_run_here(tried: str, clean) -> None:
    clean.do("dvc", "exp", "apply", tried)
    assert "metrics/test/model_b.json" in clean.do("dvc", "metrics", "diff")
    assert "lr: 0.01" in (clean.root / "params.yaml").read_text()
    assert clean.stages_run("dvc", "repro", *ONE) == set()


def test_an_experiment_becomes_a_branch(tried: str, clean) -> None:
    clean.do("dvc", "exp", "branch", tried, "higher-rate")
    clean.do("git", "checkout", "--quiet", "higher-rate")
    clean.do("dvc", "checkout")
    assert "lr: 0.01" in (clean.root / "params.yaml").read_text()
    assert clean.stages_run("dvc", "repro", *ONE) == set()


def test_an_experiment_is_shared_without_a_branch(tried: str, clean, module_path: Path) -> None:
    hub, store = module_path / "hub.git", module_path / "store"
    clean.do("git", "clone", "--quiet", "--bare", ".", str(hub))
    clean.do("git", "remote", "set-url", "origin", str(hub))
    clean.do("dvc", "remote", "add", "--local", "--default", "team", str(store))
    clean.do("dvc", "exp", "push", "origin", tried)
    clean.do("git", "clone", "--quiet", str(hub), str(module_path / "colleague"))
    colleague = Repository(module_path / "colleague")
    colleague.do("dvc", "remote", "add", "--local", "--default", "team", str(store))
    colleague.do("dvc", "exp", "pull", "origin", tried)
    colleague.do("dvc", "exp", "apply", tried)
    assert "lr: 0.01" in (colleague.root / "params.yaml").read_text()
    assert colleague.stages_run("dvc", "repro", *ONE) == set()


def test_a_quick_try(clean) -> None:
    few = ["-S", "train_images=40", "-S", "validation_images=8"]
    ran = clean.stages_run("dvc", "exp", "run", *few, "evaluate@model_a")
    assert ran == {"train@model_a", "evaluate@model_a"}
    settings = json.loads((clean.root / "data/settings/model_a.json").read_text())
    assert settings["params"]["train_images"] == 40
    assert settings["params"]["validation_images"] == 8


def test_an_experiment_elsewhere_needs_only_what_is_tracked(clean) -> None:
    (clean.root / "data/untracked").write_text("not for the copy")
    change = ["-S", "models.model_a.activation=tanh"]
    ran = clean.stages_run("dvc", "exp", "run", "--temp", "--name", "elsewhere", *change)
    assert ran == {"train@model_a", "evaluate@model_a", "report"}
    assert clean.do("git", "status", "--porcelain") == ""
    names = clean.do("git", "for-each-ref", "--format=%(refname)", "refs/exps").split()
    (kept,) = [name for name in names if name.endswith("/elsewhere")]
    before = clean.do("git", "show", "main:plots/report.md").splitlines()
    report = clean.do("git", "show", f"{kept}:plots/report.md").splitlines()
    (settings,) = [line for line in report if line.startswith("| `model_a` | 28 |")]
    assert " tanh |" in settings
    assert settings not in before


def test_a_grid_is_queued_and_run_by_two_workers(clean) -> None:
    grid = ["-S", "lr=0.003,0.002", "-S", "batch_size=16,24"]
    clean.do("dvc", "exp", "run", "--queue", *grid, "evaluate@model_b")
    clean.do("dvc", "queue", "start", "--jobs", "2", OMP_NUM_THREADS="1")  # two on two cores
    try:
        deadline = time.monotonic() + 1800
        while "Queued" in (status := clean.do("dvc", "queue", "status")) or "Running" in status:
            assert time.monotonic() < deadline, status
            time.sleep(2)
    finally:
        clean.do("dvc", "queue", "stop")
    assert status.count("Success") == 4, status
    values = [(row["lr"], row["batch_size"]) for row in shown(clean)]
    assert set(values) >= set(product(["0.003", "0.002"], ["16", "24"]))
