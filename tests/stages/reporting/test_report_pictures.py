import io
import math
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from helpers import ROOT, do
from matplotlib.colors import to_hex
from matplotlib.image import imread

from stages.reporting import accuracy, curves, mistakes
from stages.reporting.comparisons import Comparison
from stages.results.runs import Run

FALLING = [2.0, 0.5, 0.1]


def curve(losses: list[float], last: float = 0.1) -> Run:
    steps = {"epoch": [0.5, 1.0, 2.0], "loss": losses}
    return Run("a", epochs={"epoch": [1], "validation_loss": [last]}, steps=steps)


def measured(**errors: int) -> dict[str, Run]:
    tests = {name: {"accuracy": 1 - it / 10_000, "errors": it} for name, it in errors.items()}
    return {name: Run(name, test=test) for name, test in tests.items()}


def colours(picture: bytes) -> set[str]:
    """Return the colours in a picture, except in a colour bar on its right."""
    pixels = imread(io.BytesIO(picture))[:, :1000, :3]
    return {to_hex(pixel) for pixel in np.unique(pixels.reshape(-1, 3), axis=0)}


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
        found = colours(picture)
        assert [f"C{i}" for i in range(3) if to_hex(f"C{i}") in found] == [colour]
        without = Comparison({"tanh": runs["tanh"]}, expected, "")
        assert curves.draw("loss", {"": without}) != picture


@pytest.mark.filterwarnings("error")  # matplotlib warns of what has no room
@pytest.mark.parametrize("number", [11, 13, 201])
def test_from_a_dozen_curves_on_a_colour_bar_tells_them_apart(number):
    rates = np.geomspace(0.0001, 1, number).tolist()  # the one in the middle is 0.01
    runs = {f"lr {it:g}": replace(curve(FALLING, 0.1 / it), settings={"lr": it}) for it in rates}
    picture = curves.draw("rates", {"": Comparison(runs, [], "lr")})
    assert imread(io.BytesIO(picture)).shape == (637, 1170, 4)
    found = colours(picture)
    scale = [to_hex(matplotlib.colormaps["viridis"](place)) in found for place in (0, 0.5, 1.0)]
    assert scale == [number > 11] * 3
    assert (to_hex("C0") in found) == (number == 11)


@pytest.mark.filterwarnings("error")
def test_of_many_runs_the_most_accurate_and_the_notebooks_have_a_line():
    runs = measured(model_a=5000, **{f"run{i}": 100 + i for i in range(200)})
    recorded = {"model_a": Run("model_a", test={"accuracy": 0.9})}
    picture = accuracy.draw(runs, recorded)
    assert imread(io.BytesIO(picture)).shape[0] < 1400
    for one, shown in (("run20", False), ("run19", True), ("model_a", True)):
        assert (accuracy.draw(runs | measured(**{one: 130}), recorded) != picture) == shown


@pytest.mark.filterwarnings("error")
def test_many_missing_results_are_counted():
    numbers = range(1, 201)
    none = {f"a run of many, number {i}": Run(str(i), settings={"lr": i}) for i in numbers}
    for picture in (curves.draw("", {"": Comparison(none, [], "lr")}), accuracy.draw(none, {})):
        assert imread(io.BytesIO(picture)).shape[0] < 700


def test_perfect_hopeless_and_missing_results_fit_the_axes():
    runs = measured(model_a=0, worst=10_000)
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
    assert do(ROOT, "python", "-c", code).strip() == "set()"
