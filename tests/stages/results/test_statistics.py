import math

import pytest

from stages.results.statistics import holm, mcnemar, two_proportions, welch, wilson


def test_values_worked_out_by_hand() -> None:
    assert wilson(100) == pytest.approx((0.008229, 0.012147), abs=2e-6)
    assert (wilson(0)[0], wilson(10_000)[1]) == (0, 1)
    # p = 0.02 and 0.024, pooled 0.022: z = 0.004 / sqrt(2 * 0.022 * 0.978 / 10000) = 1.92825
    assert two_proportions(200, 240) == pytest.approx(math.erfc(1.92825 / math.sqrt(2)), rel=1e-4)
    assert two_proportions(0, 0) == two_proportions(10_000, 10_000) == 1
    assert mcnemar(0, 5) == pytest.approx(2 / 32)
    assert mcnemar(6, 4) == mcnemar(4, 6) == pytest.approx(772 / 1024)
    assert mcnemar(0, 0) == mcnemar(7, 7) == 1
    # means 3 and 5, variances 2.5: t = -2 with 8 degrees of freedom
    assert welch([1, 2, 3, 4, 5], [3, 4, 5, 6, 7]) == pytest.approx(0.0805, abs=1e-4)


def test_holm_compares_the_least_with_the_strictest_level() -> None:
    assert holm([0.04, 0.01, 0.02]) == [True, True, True]
    assert holm([0.04, 0.01, 0.03]) == [False, True, False]
    assert holm([0.02, 0.5, 0.9]) == [False, False, False]
    assert holm([]) == []
