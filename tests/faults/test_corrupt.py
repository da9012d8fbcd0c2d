"""Files that a person or a disk has changed: named in one sentence, and made again."""

import hashlib
import shutil
from pathlib import Path

import pytest
from helpers import assert_told, cut, flip, run_here

from stages import models
from stages.training.checkpoint import Checkpoint
from tools import mend_cache

MODEL, WEIGHTS = "data/models/model_b.pt", "data/weights/resnet18.pt"
MNIST, METRICS = "data/mnist/train-labels-idx1-ubyte", "metrics/test/model_b.json"


@pytest.mark.parametrize(
    ("fault", "name", "command"),
    [
        ("a corrupt file of MNIST", MNIST, "train model_b"),
        ("a corrupt model file", MODEL, "evaluate model_b"),
        ("corrupt starting weights", WEIGHTS, "train resnet18"),
        ("a corrupt result", METRICS, "report --model_b model_b"),
    ],
)
def test_a_corrupt_file_is_named(fault: str, name: str, command: str, trained, stage) -> None:
    right = (trained.root / name).read_bytes()
    cut(trained.root / name)
    before = trained.results()
    assert_told(fault, stage(*command.split()))
    assert trained.results() == before
    (trained.root / name).write_bytes(right)


def test_changed_and_deleted_files_are_restored_without_training(trained) -> None:
    flip(trained.root / MODEL)
    cut(trained.root / METRICS)
    for name in (MNIST, WEIGHTS, "plots/runs/model_b/loss.csv"):
        (trained.root / name).unlink()
    restore = ["dvc", "repro", "evaluate@model_b", "weights@resnet18"]
    assert trained.stages_run(*restore) == set()
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
    shutil.rmtree(trained.root / "data/checkpoints")  # `evaluate` would, but has nothing to do
    trained.assert_undisturbed()


def test_a_training_starts_over_from_a_corrupt_checkpoint(trained, stage) -> None:
    kept = Checkpoint("model_b", "any")
    assert kept.save({"network": models.build("model_b", image_size=28)})
    cut(kept.path)
    assert_told("a corrupt checkpoint", stage("train", "model_b", code=0))
    aside = Path(f"{kept.path}.corrupt")
    aside.unlink()
    aside.parent.rmdir()  # nothing else is there
    trained.assert_undisturbed()
