"""Each benchmark, at its quickest, in a copy of the repository."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import run_stage

from stages.results import seeds
from stages.system.errors import UserError
from tools.bench import table, time_to_accuracy
from tools.bench.workspace import USAGE, copied

QUICK = ["--seconds", "0.01"]
TRY = ["--runs", "model_b", "model_b-tanh", "--seeds", "99", *QUICK]
EXAMPLE = ["--runs", "model_b", "--epochs", "1", "--images", "1000"]  # ours: 64 images
RUNS = {
    "throughput": (["--models", "model_b", "--rounds", "1", *QUICK], {"model_b"}),
    "time_to_accuracy": (TRY, {"model_b", "not reached"}),
    "example": (EXAMPLE, {"PyTorch's example", "model_b", "not reached"}),
    "pipeline": (["--jobs", "2", "fetch"], {"fetch", "all"}),
}


def rows_in(workspace: Path) -> list[dict[str, str]]:
    return seeds.rows(lambda path: (workspace / path).read_bytes())


def put_test(workspace: Path, run: str, row: dict[str, str]) -> None:
    test = {name: float(row[name]) for name in ("accuracy", "loss", "errors")}
    (workspace / f"metrics/test/{run}.json").write_text(json.dumps(test))


@pytest.mark.parametrize("name", RUNS)
def test_it_prints_and_keeps_one_table(workspace: Path, name: str) -> None:
    arguments, expected = RUNS[name]
    # the seeds of model_b-tanh are those of the code as it is, those of model_b of other code
    tanh = [row for row in rows_in(workspace) if row["run"] == "model_b-tanh"]
    put_test(workspace, "model_b", tanh[0])
    put_test(workspace, "model_b-tanh", tanh[0])
    before = (workspace / "params.yaml").read_bytes()
    known = rows_in(workspace)
    result = run_stage(f"benchmarks.{name}", *arguments, cwd=workspace)
    assert result.returncode == 0, result.stderr
    assert (workspace / f"docs/measured/{name}.md").read_text() == result.stdout
    machine, empty, *lines = result.stdout.splitlines()
    assert "cores" in machine
    assert not empty
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert len({len(row) for row in cells}) == 1
    assert set(cells[1]) == {"---"}
    assert expected <= {cell for row in cells[2:] for cell in row}
    # it worked in a copy: nothing but its result is new here
    assert (workspace / "params.yaml").read_bytes() == before
    assert not (workspace / "data/models").exists()
    after = rows_in(workspace)
    new = [row for row in after if row not in known]
    if name == "time_to_accuracy":
        assert [(row["run"], row["seed"]) for row in new] == [(run, "99") for run in TRY[1:3]]
        known = [row for row in known if row["run"] != "model_b"]
    assert [row for row in after if row not in new] == known


def test_what_a_gpu_is_measured_by_runs_on_a_cpu_too(workspace: Path) -> None:
    arguments = ["--runs", "model_a", "--epochs", "1", "--images", "64"]
    result = run_stage("benchmarks.gpu", *arguments, cwd=workspace)
    assert result.returncode == 0, result.stderr
    assert (workspace / "docs/measured/gpu.md").read_text() == result.stdout
    assert (workspace / "docs/measured/gpu.png").read_bytes().startswith(b"\x89PNG")
    starts = [line.split(" | ")[0] for line in result.stdout.splitlines()]
    assert {"| stage", "| fetch", "| evaluate@model_a", "| all", "| configuration"} <= set(starts)
    assert result.stdout.splitlines()[-1].startswith("| all | ")


def test_a_loss_that_is_not_finite_is_an_empty_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    row = {"run": "model_a", "seed": 0, "accuracy": 0.098, "loss": None, "errors": 9020}
    time_to_accuracy.write_seeds([row, row | {"run": "alexnet", "loss": 1.5}])
    assert [row["loss"] for row in seeds.rows()] == ["1.5", ""]


@pytest.mark.parametrize(("least", "ratio"), [(0.97, 60000 / 7), (0.96, "not reached")])
def test_no_ratio_unless_every_seed_reaches_the_notebook(least: float, ratio: object) -> None:
    facts = {"configuration": {"epochs": 10, "train_images": 60000}}
    facts["runs"] = {"model_a": {"accuracy": 0.97}}
    row = time_to_accuracy.compare("model_a", facts, [0.98, least, 0.99], [7, 6, 8], [10])
    assert row["seconds"] == "7.0 (6.0 to 8.0)"
    assert row["ratio"] == ratio


def test_what_is_missing_is_named(workspace: Path, tmp_path_factory, monkeypatch) -> None:
    monkeypatch.chdir(workspace)
    with copied() as copy, pytest.raises(UserError, match=r"writes data/models/x\.pt: run `dvc"):
        copy.prepare("data/models/x.pt")
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    with pytest.raises(UserError, match="data/mnist does not exist: run"), copied():
        pass


def test_usage_passes_the_exit_code_on_and_counts_the_child_alone(tmp_path: Path) -> None:
    code = "import sys; block = bytearray(300 << 20); sys.exit(7)"
    command = [sys.executable, USAGE, tmp_path / "log", sys.executable, "-c", code]
    assert subprocess.run(command, env=os.environ).returncode == 7
    peak = int((tmp_path / "log").read_text().rsplit(", ", 1)[1].rstrip("]\n"))
    assert 300 << 20 < peak < 400 << 20


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), (60000, "60,000"), (1234.5, "1,234"), (0.12345, "0.123"), (2.0, "2.00")],
)
def test_numbers_have_three_digits(value: object, text: str) -> None:
    assert table.cell(value) == text
