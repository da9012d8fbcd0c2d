import math
import random
from statistics import NormalDist

import pytest

from stages.results import statistics
from stages.results.statistics import (
    another_seed,
    holm,
    interval,
    other_images,
    quantile,
    same_images,
    student,
    two_means,
    two_seeds,
)


def test_an_unpaired_difference_is_judged_by_a_two_proportion_test() -> None:
    # p = 0.02 and 0.024, pooled 0.022: z = 0.004 / sqrt(2 * 0.022 * 0.978 / 10000)
    expected = 2 * (1 - NormalDist().cdf(0.004 / 0.00207443))
    assert other_images(200, 240) == pytest.approx(expected, rel=1e-4)
    assert other_images(0, 0) == 1


def test_the_interval_is_wilsons() -> None:
    assert interval(100) == pytest.approx((0.008229, 0.012147), abs=2e-6)
    assert interval(0)[0] == 0
    assert interval(10_000)[1] == pytest.approx(1)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 9, 10, 31])
@pytest.mark.parametrize("t", [0.0, 0.3, 2.0, 12.0])
def test_students_t_is_its_density_integrated(degrees: int, t: float) -> None:
    """By Simpson's rule, t as sqrt(degrees) tan(angle)."""
    end, pieces = math.atan(t / math.sqrt(degrees)), 2000
    weights = [1, *[4, 2] * (pieces // 2 - 1), 4, 1]
    values = (math.cos(i * end / pieces) ** (degrees - 1) for i in range(pieces + 1))
    area = sum(w * v for w, v in zip(weights, values, strict=True)) * end / pieces / 3
    gammas = math.gamma((degrees + 1) / 2) / math.gamma(degrees / 2) / math.sqrt(math.pi)
    assert student(t, degrees) == pytest.approx(1 - 2 * gammas * area, abs=1e-9)
    assert student(-t, degrees) == student(t, degrees)


def test_quantiles_are_those_in_print() -> None:
    """NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.2."""
    printed = {1: 12.706, 2: 4.303, 4: 2.776, 9: 2.262, 100: 1.984}
    assert {d: round(quantile(d), 3) for d in printed} == printed
    assert quantile(9, 0.001) == pytest.approx(4.781, abs=1e-3)


@pytest.mark.parametrize("number", [2, 3, 5, 10])
def test_chance_alone_passes_one_time_in_twenty(number: int) -> None:
    gauss, trials = random.Random(0).gauss, 5000

    def draw() -> list[float]:
        return [gauss(97, 3) for _ in range(number)]

    tests = {
        "another seed": lambda: another_seed(draw(), gauss(97, 3)),
        "two seeds": lambda: two_seeds(draw(), gauss(97, 3) - gauss(97, 3)),
        "two means": lambda: two_means(draw(), draw()),
    }
    for name, test in tests.items():
        rate = sum(test() <= statistics.LEVEL for _ in range(trials)) / trials
        assert rate <= 0.06, name
        if name != "two means" or number > 3:  # Welch's is cautious with very few
            assert rate >= 0.035, name


def test_welchs_test_is_that_of_a_worked_example() -> None:
    """Means 3 and 5, variances 2.5 and 2.5 over 5 values each: t = -2, 8 degrees of freedom."""
    assert two_means([1, 2, 3, 4, 5], [3, 4, 5, 6, 7]) == pytest.approx(student(2, 8))
    assert two_means([1, 1], [1, 1]) == 1
    assert two_means([1, 1], [2, 2]) == 0


def test_mcnemars_is_the_binomial_test() -> None:
    assert same_images(0, 5) == pytest.approx(2 / 32)
    assert same_images(6, 4) == same_images(4, 6) == pytest.approx(772 / 1024)
    assert same_images(0, 0) == same_images(7, 7) == 1


def test_holm_compares_the_least_with_the_strictest_level() -> None:
    assert holm([0.04, 0.01, 0.02]) == [True, True, True]
    assert holm([0.04, 0.01, 0.03]) == [False, True, False]
    assert holm([0.02, 0.5, 0.9]) == [False, False, False]
    assert holm([]) == []
