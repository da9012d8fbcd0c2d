"""Files that a person or a disk has changed: named in one sentence, and made again."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from helpers import Trap, assert_told, cut, flip, run_here

from stages import models
from stages.training.checkpoint import Checkpoint
from tools import mend_cache

MODEL, WEIGHTS = "data/models/model_b.pt", "data/weights/resnet18.pt"
MNIST, METRICS = "data/mnist/train-labels-idx1-ubyte", "metrics/test/model_b.json"


@pytest.mark.parametrize(
    ("fault", "name", "made_by", "command"),
    [
        ("a corrupt file of MNIST", MNIST, "fetch", "train model_b"),
        ("a corrupt model file", MODEL, "train@model_b", "evaluate model_b"),
        ("corrupt starting weights", WEIGHTS, "weights@resnet18", "train resnet18"),
        ("a corrupt result", METRICS, "evaluate@model_b", "report --model_b model_b"),
    ],
)
def test_a_corrupt_file_is_named_and_made_again(
    fault: str, name: str, made_by: str, command: str, trained, stage
) -> None:
    cut(trained.root / name)
    before = trained.results()
    assert_told(fault, stage(*command.split()))
    assert trained.results() == before
    (trained.root / name).unlink()  # as the sentence says
    assert trained.stages_run("dvc", "repro", made_by) == set()
    trained.assert_undisturbed()


def test_corrupt_results_are_made_again_without_training(trained) -> None:
    flip(trained.root / MODEL)
    cut(trained.root / METRICS)
    (trained.root / "plots/runs/model_b/loss.csv").unlink()
    assert trained.stages_run("dvc", "repro", "evaluate@model_b") == set()
    trained.assert_undisturbed()


def test_a_corrupt_object_in_dvcs_cache(trained, stage) -> None:
    path = trained.root / MODEL
    right = path.read_bytes()
    digest = hashlib.md5(right).hexdigest()
    stored = trained.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    flip(stored)
    path.unlink()
    trained.do("dvc", "checkout", MODEL)  # it says nothing
    assert path.read_bytes() != right
    assert_told("a corrupt model file", stage("evaluate", "model_b"))
    path.unlink()
    run_here(mend_cache)
    assert not stored.exists()
    trained.do("dvc", "repro", "train@model_b")
    assert stored.read_bytes() == right
    trained.assert_undisturbed()


def plant(path: Path) -> None:
    """Put a pickle in a checkpoint's place that makes a folder where it is loaded carelessly."""
    torch.save({"fingerprint": "", "parts": Trap(path.parents[2] / "canary")}, path)


@pytest.mark.parametrize("harm", [cut, plant])
def test_a_training_starts_over_from_a_corrupt_checkpoint(
    harm: Callable[[Path], None], trained, stage
) -> None:
    kept = Checkpoint("model_b", "any")
    assert kept.save({"network": models.build("model_b", image_size=28)})
    harm(kept.path)
    said = stage("train", "model_b", code=0)
    if harm is cut:
        assert_told("a corrupt checkpoint", said)
    (aside,) = kept.path.parent.iterdir()
    assert aside.name == "model_b.pt.corrupt"
    aside.unlink()
    aside.parent.rmdir()
    assert not Path("canary").exists()
    trained.assert_undisturbed()
