"""The statistics that report and review judge results by.

A test returns its p-value, two-sided: how often chance makes a difference at least as large.
"""

import math
from collections.abc import Sequence

import scipy  # loads scipy.stats, which takes half a second, when it is first used

from stages.results.runs import TEST_IMAGES

LEVEL = 0.05


def wilson(errors: int) -> tuple[float, float]:
    """Return the 95 % interval of a test error, two fractions."""
    interval = scipy.stats.binomtest(errors, TEST_IMAGES).proportion_ci(method="wilson")
    return interval.low, interval.high


def welch(values: Sequence[float], others: Sequence[float]) -> float:
    """Test whether two runs differ in their means over seeds, which have to vary in either run."""
    return scipy.stats.ttest_ind(values, others, equal_var=False).pvalue


def mcnemar(only_first: int, only_second: int) -> float:
    """Test whether two runs differ, from how many images only one of them gets wrong."""
    total = only_first + only_second
    return scipy.stats.binomtest(only_first, total).pvalue if total else 1.0


def two_proportions(errors: int, others: int) -> float:
    """Test whether two runs differ in their test errors, without knowing on which images."""
    if errors == others:
        return 1.0
    table = [[errors, TEST_IMAGES - errors], [others, TEST_IMAGES - others]]
    return scipy.stats.chi2_contingency(table, correction=False).pvalue


def holm(values: Sequence[float]) -> list[bool]:
    """Say which p-values are significant; with a chance of LEVEL any of them is so by mistake.

    Holm, Scandinavian Journal of Statistics 6 (1979): the least p-value has to pass the strictest
    level, and from the first that fails on, none is significant.
    """
    ordered = enumerate(sorted(values))
    failed = [value for rank, value in ordered if value > LEVEL / (len(values) - rank)]
    return [value < min(failed, default=math.inf) for value in values]
