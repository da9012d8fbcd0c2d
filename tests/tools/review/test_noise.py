import math

import pytest

from stages.results.statistics import LEVEL
from tools.review.noise import bound, judge

VALUES = [0.97, 0.98, 0.99]  # mean 0.98, standard deviation 0.01


def test_a_change_at_the_bound_has_the_p_value_of_the_level() -> None:
    # 4.303 is the 97.5 % quantile of Student's t with two degrees of freedom
    assert bound(VALUES, known=False) == pytest.approx(4.303 * math.sqrt(2) * 0.01, rel=1e-3)
    assert bound(VALUES, known=True) == pytest.approx(4.303 * math.sqrt(4 / 3) * 0.01, rel=1e-3)
    for known, before, mean in ((False, 0.97, 0.97), (True, 0.97, 0.98), (True, 0.99, 0.98)):
        after = mean + bound(VALUES, known) * (1 if before <= mean else -1)
        assert judge(VALUES, before, after, known) == pytest.approx(LEVEL)


def test_a_base_that_is_a_seed_is_compared_with_all_of_them() -> None:
    assert judge(VALUES, 0.97, 0.975, known=True) == 1  # better, but below the mean still
    assert judge(VALUES, 0.97, 1.0, known=True) == judge(VALUES, 0.98, 1.0, known=True)
    assert judge([], 1, 2, known=True) is bound([], known=True) is None
