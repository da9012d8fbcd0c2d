import math
from statistics import stdev

import pytest

from stages.results import seeds
from stages.results.seeds import Seeds
from stages.results.statistics import another_seed, two_seeds
from stages.system.errors import UserError

HEADER = "run,seed,accuracy,loss,errors\n"
THREE = HEADER + "a,0,0.97,0.1,300\na,1,0.98,0.2,200\na,2,0.99,0.3,100\nb,0,0.5,1,9\n"


def read(text: str) -> dict[str, Seeds]:
    return seeds.read(lambda path: text.encode() if path == str(seeds.PATH) else None)


def test_each_run_is_judged_by_its_own_seeds() -> None:
    found = read(THREE)
    a, values = found["a"], pytest.approx([0.97, 0.98, 0.99])
    assert (len(a.results), a.values("accuracy")) == (3, values)
    assert a.bound("accuracy", known=False) == pytest.approx(4.303 * math.sqrt(2) * 0.01, rel=1e-3)
    assert a.bound("loss", known=True) == pytest.approx(4.303 * math.sqrt(4 / 3) * 0.1, rel=1e-3)
    assert found["b"].judge("loss", 1, 2, known=True) is None
    assert found["b"].bound("loss", known=True) is None


def test_a_base_that_is_a_seed_is_held_against_all_of_them() -> None:
    a = read(THREE)["a"]
    assert a.has({"errors": 200, "loss": 0.2})
    assert not a.has({"errors": 200, "loss": 0.3})
    assert not a.has({})
    values = a.values("accuracy")
    assert a.judge("accuracy", 0.97, 1.0, known=True) == another_seed(values, 1.0)
    assert a.judge("accuracy", 0.97, 1.0, known=False) == two_seeds(values, 1.0 - 0.97)
    assert a.judge("accuracy", 0.97, 0.975, known=True) == 1  # better, but below the mean still


@pytest.mark.parametrize("not_finite", ["", "nan", "inf"])
def test_a_seed_measured_again_counts_once_and_a_loss_that_is_not_finite_does_not(
    not_finite: str,
) -> None:
    found = read(HEADER + f"a,0,0.97,{not_finite},300\na,1,0.98,0.2,200\na,1,0.99,0.3,100\n")["a"]
    assert (len(found.results), found.values("loss")) == (2, [])
    assert stdev(found.values("accuracy")) == pytest.approx(stdev([0.97, 0.99]))


def test_equal_results_say_nothing_of_the_noise() -> None:
    found = read(HEADER + "a,0,0.97,0.1,300\na,1,0.97,0.1,300\n")["a"]
    assert found.judge("accuracy", 0.97, 0.98, known=True) is None


@pytest.mark.parametrize(
    "content", ["run,accuracy\na,0.9\n", HEADER + "a,0,x,0.1,300\n", HEADER + "a,0\n"]
)
def test_a_corrupt_file_is_named(content: str) -> None:
    with pytest.raises(UserError, match=r"seeds\.csv in the working tree is corrupt"):
        read(content)


def test_without_the_file_no_noise_is_known() -> None:
    assert seeds.read(lambda path: None) == {}
