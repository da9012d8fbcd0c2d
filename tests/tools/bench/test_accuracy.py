"""The time to the notebook's accuracy: where it is measured, and what is kept of it."""

import json
from pathlib import Path

import pytest
from helpers import Repository, copy_repository, rows

from stages.results import seeds
from tools.bench import accuracy


@pytest.mark.slow
def test_it_measures_a_clone_and_keeps_a_table_and_the_seeds(tmp_path: Path, mnist: Path) -> None:
    repository = Repository(copy_repository(tmp_path, mnist))
    repository.set_params(train_images=64, validation_images=32, threads=1)
    known = rows(tmp_path / seeds.PATH)
    # the seeds of model_b-tanh are those of the code as it is, those of model_b of other code
    (row,) = [one for one in known if (one["run"], one["seed"]) == ("model_b-tanh", "0")]
    test = json.dumps({name: float(row[name]) for name in ("accuracy", "loss", "errors")})
    for run in ("model_b", "model_b-tanh"):
        (tmp_path / f"metrics/test/{run}.json").write_text(test)
    repository.begin()
    arguments = ["--runs", "model_b", "model_b-tanh", "--seeds", "99", "--seconds", "0.01"]
    *_, row = repository.do("python", "-m", "tools.bench.accuracy", *arguments).splitlines()
    assert row.startswith("| model_b | ") and row.endswith(" | not reached |")
    after = rows(tmp_path / seeds.PATH)
    new = [row for row in after if row not in known]
    assert [(row["run"], row["seed"]) for row in new] == [("model_b", "99"), ("model_b-tanh", "99")]
    assert [row for row in after if row not in new] == [r for r in known if r["run"] != "model_b"]
    assert "params.yaml" not in repository.do("git", "status", "--porcelain")


@pytest.mark.parametrize(("least", "ratio"), [(0.97, "8571"), (0.96, "not reached")])
def test_no_ratio_unless_every_seed_reaches_the_notebook(least: float, ratio: str) -> None:
    facts = {"configuration": {"epochs": 10, "train_images": 60000}}
    facts["runs"] = {"model_a": {"accuracy": 0.97}}
    tests = [{"accuracy": 0.98, "seconds": 7}, {"accuracy": least, "seconds": 6}]
    row = accuracy.compare("model_a", [*tests, {"accuracy": 0.99, "seconds": 8}], [10], facts)
    assert (row["seconds"], row["ratio"]) == ("7.0 (6.0 to 8.0)", ratio)
