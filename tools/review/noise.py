"""How far the seed alone moves a figure, from the `values` that a run has with several seeds.

They are taken as normal. Each run has its own noise, not one pooled over all, because the networks
differ in how much the seed matters. If the value before is `known` to be one of the `values`, the
one after is compared with their mean, which is closer to what the seeds have in common.
"""

import math
from collections.abc import Sequence
from statistics import fmean, stdev

import scipy

from stages.results.statistics import LEVEL


def judge(values: Sequence[float], before: float, after: float, known: bool) -> float | None:
    """Return how often the seed alone changes a figure as much, None without values."""
    if not values:
        return None
    change = after - (fmean(values) if known else before)
    if known and (after - before) * change <= 0:
        return 1.0  # on the base's side of the mean: the base is the one that is unusual
    return 2 * scipy.stats.t.sf(abs(change) / _deviation(values, known), len(values) - 1)


def bound(values: Sequence[float], known: bool) -> float | None:
    """Return the least change that `judge` finds at LEVEL, from the mean if `known`."""
    if not values:
        return None
    return scipy.stats.t.ppf(1 - LEVEL / 2, len(values) - 1) * _deviation(values, known)


def _deviation(values: Sequence[float], known: bool) -> float:
    """Return the standard deviation of a seed's difference from the mean, or from another seed's.

    The mean of n values itself varies, with 1/n of their variance.
    """
    return stdev(values) * math.sqrt(1 + 1 / len(values) if known else 2)
