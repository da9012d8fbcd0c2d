"""Each benchmark, at its quickest, in a copy of the repository."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run_stage

from benchmarks import rates, results
from benchmarks.workspace import copied
from stages.system.errors import UserError

QUICK = ["--seconds", "0.01"]
RUNS = {
    "throughput": (["--models", "model_b", "--rounds", "1", *QUICK], {"model_b"}),
    "time_to_accuracy": (["--runs", "model_b", "--seeds", "0", *QUICK], {"model_b"}),
    "pipeline": (["train@model_b"], {"fetch", "train@model_b", "all"}),
    "checkpoints": (["--runs", "model_b"], {"model_b"}),
    "scaling": (
        ["--models", "model_b", "--vary", "epochs", "--images", "4", "--rounds", "1"],
        {"1", "2", "4"},
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_it_prints_and_keeps_one_table(workspace: Path, name: str) -> None:
    arguments, expected = RUNS[name]
    before = (workspace / "params.yaml").read_bytes()
    result = run_stage(f"benchmarks.{name}", *arguments, cwd=workspace)
    assert result.returncode == 0, result.stderr
    assert (workspace / f"benchmarks/results/{name}.md").read_text() == result.stdout
    machine, empty, *table = result.stdout.splitlines()
    assert "cores" in machine
    assert "torch" in machine
    assert not empty
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    assert len({len(row) for row in cells}) == 1
    assert set(cells[1]) == {"---"}
    assert expected <= {cell for row in cells[2:] for cell in row}
    # it worked in a copy: nothing but its result is new here
    assert (workspace / "params.yaml").read_bytes() == before
    assert not (workspace / "data/models").exists()


def test_the_seeds_results_are_kept_one_by_one(workspace: Path) -> None:
    path = workspace / "benchmarks/results/seeds.csv"
    header, *before = path.read_text().splitlines()
    assert header == "run,seed,accuracy,loss,errors"
    arguments = ["--runs", "model_b-tanh", "--seeds", "3", "4", *QUICK]
    result = run_stage("benchmarks.time_to_accuracy", *arguments, cwd=workspace)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""  # the notebook has no such run
    again, *after = path.read_text().splitlines()
    assert again == header
    rows = [row for row in after if row.startswith("model_b-tanh,")]
    assert [row.split(",")[:2] for row in rows] == [["model_b-tanh", "3"], ["model_b-tanh", "4"]]
    others = [row for row in before if not row.startswith("model_b-tanh,")]
    assert others == [row for row in after if row not in rows]
    for row in rows:
        accuracy, _, errors = map(float, row.split(",")[2:])
        assert errors == round(10_000 * (1 - accuracy))


def test_without_data_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(UserError, match="train-images-idx3-ubyte is missing"),
        rates.Worker(rates.Notebook) as notebook,
    ):
        notebook.call("rate", "model_a", {"image_size": 28}, 2, "fp32", 0.01)
    with (
        pytest.raises(UserError, match="data/mnist does not exist: run"),
        copied(),
    ):
        pass


def test_usage_passes_the_exit_code_on_and_counts_the_child_alone(tmp_path: Path) -> None:
    code = "import sys; block = bytearray(300 << 20); sys.exit(7)"
    usage = Path(results.__file__).with_name("usage.py")
    command = [sys.executable, usage, tmp_path / "log", sys.executable, "-c", code]
    assert subprocess.run(command, env=os.environ).returncode == 7
    peak = int((tmp_path / "log").read_text().split('"peak": ')[1].rstrip("}\n"))
    assert 300 << 20 < peak < 400 << 20


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), (60000, "60,000"), (1234.5, "1,234"), (0.12345, "0.123"), (2.0, "2.00")],
)
def test_numbers_have_three_digits(value: object, text: str) -> None:
    assert results.cell(value) == text
