import json
from pathlib import Path

import pytest
import torch
from commands import ROOT, rows, run_here, run_stage, set_params

from stages import models, train
from stages.system.errors import UserError
from stages.training import distributed
from stages.training.distributed import Group


def results() -> tuple[dict, list[float], dict[str, torch.Tensor]]:
    metrics = json.loads(Path("metrics/train/model_b.json").read_text())
    losses = [float(row["loss"]) for row in rows("plots/runs/model_b/steps.csv")]
    return metrics, losses, models.read(Path("data/models/model_b.pt"))["state_dict"]


def test_two_processes_do_what_one_does(here: Path) -> None:
    """PROCESSES=2 starts torchrun; the batches are of 33 and 32 images, so odd ones are split."""
    set_params(here, train_images=325, validation_images=64, batch_size=33)
    run_here(train, "model_b")
    metrics, losses, state = results()
    both = run_stage("stages.train", "model_b", cwd=here, PROCESSES="2", PYTHONPATH=str(ROOT))
    assert both.returncode == 0, both.stderr
    shared_metrics, shared_losses, shared_state = results()
    assert shared_losses == pytest.approx(losses, abs=1e-4)
    assert shared_metrics == pytest.approx(metrics, abs=1e-4)
    torch.testing.assert_close(shared_state, state, rtol=1e-3, atol=1e-4)


def test_shards_make_up_the_batch() -> None:
    batch = torch.arange(7)
    shards = [Group(rank, 3).shard(batch) for rank in range(3)]
    assert torch.cat(shards).sort().values.tolist() == batch.tolist()
    assert Group().shard(batch).tolist() == batch.tolist()
    with pytest.raises(UserError, match="a batch of 7 images cannot be split over 8 processes"):
        Group(0, 8).shard(batch)


@pytest.mark.parametrize("wanted", ["0", "two", "-1", "", "²"])
def test_a_number_of_processes_that_is_none(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCESSES", wanted)
    with pytest.raises(UserError, match=f"PROCESSES is {wanted!r}, expected a number"):
        distributed.launch()
