import csv
import json
from pathlib import Path

import pytest
import torch
from commands import refusal, run_stage
from plain import PlainB
from torch import nn

from stages import models
from stages.mnist import images, read

OPTIONS = {"image_size": 28, "activation": "relu"}


@pytest.fixture
def saved(workspace: Path) -> Path:
    torch.manual_seed(0)
    network = models.build("model_b", **OPTIONS)
    path = workspace / "data/models/model_b.pt"
    models.save(path, network, "model_b", OPTIONS, {})
    return workspace


def test_its_figures_are_those_of_plain_pytorch(saved: Path, mnist: Path) -> None:
    result = run_stage("stages.evaluate", "model_b", cwd=saved)
    assert result.returncode == 0, result.stderr
    network = PlainB(28, nn.ReLU())
    network.load_state_dict(models.read(saved / "data/models/model_b.pt")["state_dict"])
    pixels, labels = read.load("test", mnist)
    with torch.no_grad():
        logits = network(images.prepare(pixels, 28).expand(-1, 3, -1, -1))
    metrics = json.loads((saved / "metrics/test/model_b.json").read_text())
    wrong = int((logits.argmax(1) != labels).sum())
    assert metrics["errors"] == wrong
    assert metrics["accuracy"] == (10000 - wrong) / 10000
    assert metrics["loss"] == pytest.approx(
        nn.functional.cross_entropy(logits, labels).item(), rel=1e-4
    )
    with (saved / "plots/runs/model_b/confusion.csv").open() as file:
        pairs = [(int(row["actual"]), int(row["predicted"])) for row in csv.DictReader(file)]
    assert pairs == list(zip(labels.tolist(), logits.argmax(1).tolist(), strict=True))
    assert (saved / "plots/runs/model_b/mistakes.png").read_bytes().startswith(b"\x89PNG")


def truncated(workspace: Path) -> None:
    path = workspace / "data/models/model_b.pt"
    path.write_bytes(path.read_bytes()[:5000])


def of_another_architecture(workspace: Path) -> None:
    network = models.build("model_a", **OPTIONS)
    models.save(workspace / "data/models/model_b.pt", network, "model_a", OPTIONS, {})


def short_images(workspace: Path) -> None:
    (workspace / "data/mnist/t10k-images-idx3-ubyte").write_bytes(b"short")


@pytest.mark.parametrize(
    ("run", "spoil", "words"),
    [
        ("model_c", lambda w: None, "no run 'model_c' has been trained"),
        ("model_b", truncated, "damaged or no model file"),
        ("model_b", of_another_architecture, "of architecture model_a, expected model_b"),
        ("model_b", short_images, "t10k-images-idx3-ubyte has 5 bytes"),
    ],
)
def test_bad_input_ends_in_a_sentence_and_nothing_is_written(
    run: str, spoil: object, words: str, saved: Path
) -> None:
    spoil(saved)
    before = (saved / "metrics/test").exists()
    assert words in refusal(run_stage("stages.evaluate", run, cwd=saved))
    assert (saved / "metrics/test").exists() is before
