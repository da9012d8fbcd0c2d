"""Files that somebody or a disk has changed: named in one sentence, and made again after it."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from commands import refusal, run_stage
from fault_table import assert_told
from harm import Trap, cut, flip

from stages import models
from stages.mnist.files import TEST_LABELS, TRAIN_LABELS
from stages.training import checkpoint
from stages.training.checkpoint import Checkpoint

MODEL = "data/models/model_b.pt"


def cached(trained, name: str) -> Path:
    digest = hashlib.md5((trained.root / name).read_bytes()).hexdigest()
    return trained.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]


@pytest.mark.parametrize(
    ("fault", "output", "name"),
    [("a model", MODEL, MODEL), ("MNIST", "data/mnist", f"data/mnist/{TEST_LABELS}")],
)
def test_a_damaged_object_in_dvcs_cache(fault: str, output: str, name: str, trained) -> None:
    stored, right = cached(trained, name), (trained.root / name).read_bytes()
    flip(stored)
    (trained.root / name).unlink()
    trained.do("dvc", "checkout", output)  # it says nothing
    assert (trained.root / name).read_bytes() != right
    sentence = refusal(run_stage("stages.evaluate", "model_b", cwd=trained.root))
    (trained.root / name).unlink()
    said = trained.do("python", "-m", "tools.mend_cache")
    assert said.splitlines()[0] == f"removed {stored}: damaged"
    assert said.splitlines()[1].endswith(" objects in DVC's cache, 1 of them damaged")
    if fault == "MNIST":  # by hand, as the sentence of a machine without a network says
        (trained.root / name).write_bytes(right)
    trained.do("dvc", "repro", "evaluate@model_b")
    assert stored.read_bytes() == right
    trained.assert_undisturbed()
    assert_told(f"a damaged object in DVC's cache: {fault}", sentence)


@pytest.mark.parametrize("harm", [flip, cut, Path.unlink])
def test_dvc_makes_damaged_results_again(harm: Callable, trained) -> None:
    names = [MODEL, "metrics/test/model_b.json", "plots/runs/model_b/loss.csv"]
    for name in names:
        harm(trained.root / name)
    trained.do("dvc", "repro", "evaluate@model_b")
    trained.assert_undisturbed()


@pytest.mark.parametrize(
    ("fault", "name", "harm", "command"),
    [
        ("a damaged metrics file", "metrics/test/model_b.json", cut, ["report"]),
        ("a damaged curve", "plots/runs/model_b/loss.csv", cut, ["report"]),
        ("a damaged MNIST file", f"data/mnist/{TRAIN_LABELS}", flip, ["train", "model_b"]),
        ("a damaged model", MODEL, flip, ["evaluate", "model_b"]),
        ("damaged starting weights", "data/weights/alexnet.pt", flip, ["train", "alexnet"]),
        ("damaged figures of the notebook", "data/notebook.yaml", cut, ["report"]),
    ],
)
def test_a_stage_names_the_damaged_file_it_reads(fault, name, harm, command, trained) -> None:
    path = trained.root / name
    if made := not path.exists():  # the starting weights, whose stage takes long
        network = models.build("alexnet", image_size=63)
        models.save(path, network, "alexnet", {"image_size": 63}, {"weights": "random"})
    right = path.read_bytes()
    harm(path)
    before = trained.results()
    sentence = refusal(run_stage(f"stages.{command[0]}", *command[1:], cwd=trained.root))
    assert trained.results() == before
    if made:
        path.unlink()
        path.parent.rmdir()
    else:
        path.write_bytes(right)
    trained.assert_undisturbed()
    assert_told(fault, sentence)


def plant(path: Path) -> None:
    """Put a pickle in a checkpoint's place that makes a folder where it is loaded without care."""
    torch.save({"fingerprint": "", "parts": Trap(path.parents[2] / "canary")}, path)


@pytest.mark.parametrize(
    ("fault", "harm"),
    [("a damaged checkpoint", cut), ("a checkpoint is a pickle that would run code", plant)],
)
def test_a_damaged_checkpoint(fault, harm, trained, monkeypatch) -> None:
    monkeypatch.chdir(trained.root)
    kept = Checkpoint("model_b", "any")
    assert kept.save({"network": models.build("model_b", image_size=28)})
    harm(kept.path)
    result = run_stage("stages.train", "model_b", cwd=trained.root)
    assert result.returncode == 0
    aside = [path.name for path in checkpoint.FOLDER.iterdir()]
    assert aside == ["model_b.pt.damaged"]
    (checkpoint.FOLDER / aside[0]).unlink()
    checkpoint.FOLDER.rmdir()
    assert not Path("canary").exists()
    trained.assert_undisturbed()
    assert_told(fault, result.stderr)
