import pytest

from stages.reporting import accuracy, curves

FALLING = [(0.5, 2.0), (1.0, 0.5), (2.0, 0.1)]


def test_a_loss_that_is_not_finite_leaves_a_gap():
    whole = curves.Curve("relu", FALLING, [(1, 0.4)], 0)
    gap = curves.Curve("relu", [FALLING[0], (1.0, None), FALLING[2]], [(1, None)], 0)
    zero = curves.Curve("relu", [FALLING[0], (1.0, 0.0), FALLING[2]], [(1, None)], 0)
    pictures = [curves.draw("loss", [curves.Panel("", [curve])]) for curve in (whole, gap, zero)]
    assert pictures[0] != pictures[1] == pictures[2]


@pytest.mark.parametrize("drawn", [[], [curves.Curve("relu", FALLING, (), 0)]])
def test_what_is_missing_is_said_in_the_picture(drawn):
    silent = curves.draw("loss", [curves.Panel("", drawn)])
    assert curves.draw("loss", [curves.Panel("", drawn, ["no results for tanh"])]) != silent


def test_a_recorded_curve_alone_says_that_ours_is_missing():
    recorded = curves.Curve("Model A", FALLING, (), 0)
    alone = curves.reference("loss", [(recorded, None)])
    assert alone.startswith(b"\x89PNG")
    assert alone != curves.reference("loss", [(recorded, recorded)])


def test_perfect_and_hopeless_runs_fit_the_axis():
    rows = [
        accuracy.Row("best", 0.0, 0.0, 0.0004, 0.01),
        accuracy.Row("worst", 1.0, 0.999, 1, None),
    ]
    assert accuracy.draw("error", rows, []).startswith(b"\x89PNG")
    assert accuracy.draw("error", [], ["model_a"]) != accuracy.draw("error", [], [])
