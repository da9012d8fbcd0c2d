"""How many pictures are right, in doubt, refused or wrong, for each way that reading can fail."""

from collections import Counter
from pathlib import Path

import numpy as np
import pictures_kit as kit
import pytest
from helpers import ROOT

from stages import models
from stages.mnist import images
from stages.system.errors import UserError
from tools.predict import answer, digit, pictures

RESNET18 = ROOT / "data/models/resnet18.pt"


def count(model: Path, style: str, mnist: Path) -> Counter:
    """Count what becomes of one digit of each kind, drawn in a style.

    Each is MNIST's first test image of it that the network is sure of: only drawing costs answers.
    """
    network = models.load(model)
    digits, labels = images.load("test", mnist)
    found = Counter()
    for kind in range(10):
        of_kind = digits[labels == kind]
        image = next(one for one in of_kind if answer.ask(network, one)[kind] > 0.99)
        try:
            seen = pictures.read(kit.picture(style, image.numpy()))
            right = answer.best(answer.ask(network, seen)) == kind
            found["right" if right else "wrong"] += 1
        except UserError as error:
            found["in doubt" if "could be" in str(error) else str(error)] += 1
    return found


@pytest.mark.parametrize("style", kit.STYLES)
def test_model_b_trained_for_seconds_reads_each_style(style: str, trained, mnist) -> None:
    found = count(trained / "data/models/model_b.pt", style, mnist)
    if style in kit.REFUSALS:
        assert found == {kit.REFUSALS[style]: 10}
    else:
        assert found["right"] >= 9 and not found["wrong"], found


@pytest.mark.slow
@pytest.mark.skipif(not RESNET18.is_file(), reason="resnet18 is not trained: `make repro` does it")
def test_resnet18_reads_each_style(mnist: Path) -> None:
    found = {style: count(RESNET18, style, mnist) for style in kit.STYLES}
    assert sum(counts["right"] for counts in found.values()) >= 95, found  # of 100
    assert not any(counts["wrong"] for counts in found.values()), found


def test_a_bar_beside_a_five_is_its_stroke() -> None:
    ink = np.zeros((300, 300))
    ink[100:200, 140:150] = ink[95:105, 159:203] = 1
    assert digit.find(ink).shape == (105, 63)
