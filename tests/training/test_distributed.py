import csv
import json
from pathlib import Path

import pytest
import torch
from commands import refusal, run_stage, set_params

from stages.training.distributed import Group

TWO = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]


def results(workspace: Path) -> tuple[dict, list[float], dict[str, torch.Tensor]]:
    metrics = json.loads((workspace / "metrics/train/model_b.json").read_text())
    with (workspace / "plots/runs/model_b/steps.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    content = torch.load(workspace / "data/models/model_b.pt", weights_only=True)
    return metrics, losses, content["state_dict"]


@pytest.mark.parametrize(
    ("way", "batch_size"), [("torchrun", 33), ("PROCESSES", 32), ("PROCESSES", 33)]
)
def test_two_processes_do_what_one_does(way: str, batch_size: int, workspace: Path) -> None:
    set_params(workspace, train_images=320, validation_images=64, batch_size=batch_size)
    alone = run_stage("stages.train", "model_b", cwd=workspace)
    assert alone.returncode == 0, alone.stderr
    metrics, losses, state = results(workspace)
    if way == "torchrun":
        both = run_stage(*TWO, "stages.train", "model_b", cwd=workspace)
    else:
        both = run_stage("stages.train", "model_b", cwd=workspace, PROCESSES="2")
    assert both.returncode == 0, both.stderr
    shared_metrics, shared_losses, shared_state = results(workspace)
    assert shared_losses == pytest.approx(losses, abs=1e-4)
    assert shared_metrics == pytest.approx(metrics, abs=1e-4)
    torch.testing.assert_close(shared_state, state, rtol=1e-3, atol=1e-4)


def test_shares_make_up_the_batch() -> None:
    batch = torch.arange(7)
    shares = [Group(rank, 3).share(batch) for rank in range(3)]
    assert torch.cat(shares).sort().values.tolist() == batch.tolist()
    assert Group().share(batch).tolist() == batch.tolist()


@pytest.mark.parametrize("wanted", ["0", "two", "-1", ""])
def test_a_number_of_processes_that_is_none(wanted: str, workspace: Path) -> None:
    line = refusal(run_stage("stages.train", "model_b", cwd=workspace, PROCESSES=wanted))
    assert f"PROCESSES is {wanted!r}" in line


def test_more_processes_than_images_in_a_batch(workspace: Path) -> None:
    set_params(workspace, train_images=2, batch_size=2)
    result = run_stage(*TWO, "stages.train", "model_b", cwd=workspace)
    assert result.returncode == 0, result.stderr
    result = run_stage(
        *[word.replace("2", "3") if word == "2" else word for word in TWO],
        "stages.train",
        "model_b",
        cwd=workspace,
    )
    assert result.returncode != 0
    assert "a batch of 2 images cannot be split over 3 processes" in result.stderr
