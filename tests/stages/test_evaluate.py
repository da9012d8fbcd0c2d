import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from helpers import rows, run_here
from torch import nn

from stages import evaluate, models
from stages.mnist import images

OPTIONS = {"image_size": 28, "activation": "relu"}
MODEL, METRICS = Path("data/models/model_b.pt"), Path("metrics/test/model_b.json")


@pytest.fixture
def network(here: Path) -> nn.Module:
    """Save a Model B that is not trained, and return it."""
    network = models.build("model_b", **OPTIONS)
    models.save(MODEL, network, "model_b", OPTIONS, {})
    return network


def test_its_figures_are_those_of_all_test_images(network: nn.Module, mnist: Path) -> None:
    run_here(evaluate, "model_b")
    pixels, labels = images.load("test", mnist)
    with torch.no_grad():
        batches = (images.prepare(part, 28).expand(-1, 3, -1, -1) for part in pixels.split(1000))
        logits = torch.cat([network(batch) for batch in batches])
    probability, predicted = logits.softmax(1).max(1)
    wrong = (predicted != labels).sum().item()
    loss = nn.functional.cross_entropy(logits, labels).item()
    expected = {"accuracy": 1 - wrong / 10000, "loss": loss, "errors": wrong}
    assert json.loads(METRICS.read_text()) == pytest.approx(expected, rel=1e-4)
    pairs = Counter(zip(labels.tolist(), predicted.tolist(), strict=True))
    assert [list(map(int, row.values())) for row in rows("plots/runs/model_b/confusion.csv")] == [
        [*pair, count] for pair, count in sorted(pairs.items())
    ]
    found = rows("data/predictions/model_b.csv")
    assert [int(row["predicted"]) for row in found] == predicted.tolist()
    assert {len(row["probability"]) for row in found} == {len("0.123456")}
    expected = pytest.approx(probability.tolist(), abs=1e-5)
    assert [float(row["probability"]) for row in found] == expected


def test_a_network_that_diverged_has_no_probabilities(network: nn.Module) -> None:
    nn.init.constant_(network.fc2.weight, float("nan"))
    models.save(MODEL, network, "model_b", OPTIONS, {})
    run_here(evaluate, "model_b")
    assert json.loads(METRICS.read_text())["loss"] is None
    assert {row["probability"] for row in rows("data/predictions/model_b.csv")} == {""}
