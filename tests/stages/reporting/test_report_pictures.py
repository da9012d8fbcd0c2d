import io
import math
import sys

import numpy as np
import pytest
from helpers import ROOT, do
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from stages.reporting import accuracy, curves, mistakes
from stages.reporting.comparisons import Comparison
from stages.results.runs import Run

FALLING = [2.0, 0.5, 0.1]


def curve(losses: list[float], last: float = 0.1) -> Run:
    steps = {"epoch": [0.5, 1.0, 2.0], "loss": losses}
    return Run("a", epochs={"epoch": [1], "validation_loss": [last]}, steps=steps)


def test_a_loss_that_is_not_finite_leaves_a_gap():
    pictures = [
        curves.draw("loss", {"": Comparison({"relu": curve(losses, last)}, [], "")})
        for losses, last in (
            (FALLING, 0.4),
            ([2.0, math.inf, 0.1], math.inf),
            ([2.0, 0.0, 0.1], math.inf),
        )
    ]
    assert pictures[0] != pictures[1] == pictures[2]


def test_a_setting_keeps_its_colour_and_what_is_missing_is_said():
    runs = {"tanh": curve(FALLING), "sigmoid": Run("a")}
    for expected, colour in ((["relu", "tanh"], "C1"), (["tanh"], "C0")):
        picture = curves.draw("loss", {"": Comparison(runs, expected, "")})
        pixels = imread(io.BytesIO(picture))[:, :, :3].reshape(-1, 3)
        found = [f"C{i}" for i in range(3) if (abs(pixels - to_rgb(f"C{i}")) < 0.01).all(1).any()]
        assert found == [colour]
        without = Comparison({"tanh": runs["tanh"]}, expected, "")
        assert curves.draw("loss", {"": without}) != picture


def test_perfect_hopeless_and_missing_results_fit_the_axes():
    runs = {
        name: Run(name, test={"accuracy": 1 - errors / 10_000, "errors": errors})
        for name, errors in (("model_a", 0), ("worst", 10_000))
    }
    epochs = {"epoch": [1], "train_loss": [0.4]}
    recorded = {"model_a": Run("model_a", test={"accuracy": 0.9}, epochs=epochs)}
    drawn = accuracy.draw(runs, recorded)
    assert (
        len({drawn, accuracy.draw(runs, {}), accuracy.draw(runs | {"none": Run("none")}, {})}) == 3
    )
    assert len({curves.reference(recorded, runs), curves.reference(recorded, recorded)}) == 2


@pytest.mark.parametrize("known", [20, 30])
def test_the_24_most_confident_mistakes_are_drawn_and_those_without_a_number_last(known):
    random = np.random.default_rng(0)
    actual, probability = random.integers(0, 10, 30), random.random(30)
    probability[known:] = np.nan
    images = random.integers(0, 256, (30, 28, 28), dtype=np.uint8)
    wrong = mistakes.Mistakes(np.arange(30), images, actual, (actual + 1) % 10, probability)
    order = [*np.argsort(-probability[:known]), *range(known, 30)][:24]
    best = mistakes.Mistakes(wrong.places, *(array[order] for array in wrong[1:]))
    assert mistakes.draw("a", wrong) == mistakes.draw("a", best)
    assert mistakes.draw("a", best) != mistakes.draw("a", best._replace(images=images))
    none = mistakes.Mistakes(*(array[:0] for array in wrong))
    assert mistakes.draw("a", none).startswith(b"\x89PNG")


def test_the_report_needs_neither_torch_nor_pyplot():
    code = "import sys, stages.report; print({'torch', 'matplotlib.pyplot'} & set(sys.modules))"
    assert do(ROOT, sys.executable, "-c", code).strip() == "set()"
