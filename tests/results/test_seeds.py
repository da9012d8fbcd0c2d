import math
import random
from statistics import stdev

import pytest

from results import seeds
from results.statistics import T, seed_noise
from stages.system.errors import UserError

HEADER = "run,seed,accuracy,loss,errors\n"


@pytest.mark.parametrize("freedom", range(1, 11))
def test_the_quantiles_cut_off_a_fortieth_of_students_t(freedom):
    """Integrate the density over (0, t) by Simpson's rule, t as sqrt(freedom) tan(angle)."""
    end, pieces = math.atan(T[freedom - 1] / math.sqrt(freedom)), 2000
    weights = [1, *[4, 2] * (pieces // 2 - 1), 4, 1]
    values = (math.cos(i * end / pieces) ** (freedom - 1) for i in range(pieces + 1))
    area = sum(w * v for w, v in zip(weights, values, strict=True)) * end / pieces / 3
    gammas = math.gamma((freedom + 1) / 2) / math.gamma(freedom / 2) / math.sqrt(math.pi)
    assert gammas * area == pytest.approx(0.475, abs=1e-4)


@pytest.mark.parametrize("number", [2, 3, 5, 12])
def test_another_seed_alone_crosses_the_bound_once_in_twenty_times(number):
    draw = random.Random(0).gauss
    trials, beyond = 10_000, 0
    for _ in range(trials):
        bound = seed_noise([draw(97, 3) for _ in range(number)])
        beyond += abs(draw(97, 3) - draw(97, 3)) > bound
    assert beyond / trials == pytest.approx(0.05, abs=0.01)


def test_equal_results_say_nothing_of_the_noise():
    assert seed_noise([0.97, 0.97, 0.97]) is None


def test_each_run_has_the_noise_of_its_own_seeds(tmp_path):
    path = tmp_path / "seeds.csv"
    path.write_text(HEADER + "a,0,0.97,0.1,300\na,1,0.98,0.2,200\na,2,0.99,0.3,100\nb,0,0.5,1,9\n")
    found = seeds.noise(path)
    assert found["a"].seeds == 3
    assert found["a"].accuracy == pytest.approx(4.303 * math.sqrt(2) * 0.01)
    assert found["a"].loss == pytest.approx(4.303 * math.sqrt(2) * 0.1)
    assert found["b"] == seeds.Noise(1, None, None)


@pytest.mark.parametrize("not_finite", ["", "nan", "inf"])
def test_a_seed_measured_again_counts_once_and_a_loss_that_is_not_finite_does_not(
    tmp_path, not_finite
):
    path = tmp_path / "seeds.csv"
    path.write_text(HEADER + f"a,0,0.97,{not_finite},300\na,1,0.98,0.2,200\na,1,0.99,0.3,100\n")
    found = seeds.noise(path)["a"]
    assert (found.seeds, found.loss) == (2, None)
    assert found.accuracy == pytest.approx(12.706 * math.sqrt(2) * stdev([0.97, 0.99]))


@pytest.mark.parametrize(
    "content", ["run,accuracy\na,0.9\n", HEADER + "a,0,x,0.1,300\n", HEADER + "a,0\n"]
)
def test_a_corrupt_file_is_named(tmp_path, content):
    path = tmp_path / "seeds.csv"
    path.write_text(content)
    with pytest.raises(UserError, match=r"seeds\.csv in the working tree is corrupt"):
        seeds.noise(path)


def test_without_the_file_no_noise_is_known(tmp_path):
    assert seeds.noise(tmp_path / "seeds.csv") == {}
