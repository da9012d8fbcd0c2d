import pytest

from results.statistics import interval, z_score


def test_z_is_that_of_a_two_proportion_test():
    # p = 0.02 and 0.024, pooled 0.022: 0.004 / sqrt(2 * 0.022 * 0.978 / 10000)
    assert z_score(200, 240) == pytest.approx(0.004 / 0.00207443, rel=1e-4)
    assert z_score(0, 0) == 0


def test_the_interval_is_wilsons():
    assert interval(100) == pytest.approx((0.008229, 0.012147), abs=2e-6)
    assert interval(0)[0] == 0
    assert interval(10_000)[1] == pytest.approx(1)
