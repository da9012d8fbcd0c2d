"""The statistics that report, review and benchmarks judge results by.

A test returns its p-value, two-sided: how often chance alone makes a difference at least as large.
"""

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from stages.results.runs import TEST_IMAGES

LEVEL = 0.05
Z = 1.96  # two-sided 95 % of the normal distribution


def interval(errors: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of the test error, two fractions."""
    rate, n = errors / TEST_IMAGES, TEST_IMAGES
    middle = rate + Z**2 / (2 * n)
    half = Z * math.sqrt(rate * (1 - rate) / n + Z**2 / (4 * n**2))
    scale = 1 + Z**2 / n
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def student(t: float, degrees: int) -> float:
    """Return the probability that Student's t is at least as far from 0 as `t`.

    The finite series for whole degrees of freedom: Abramowitz and Stegun, Handbook of Mathematical
    Functions (1964), 26.7.3 and 26.7.4.
    """
    angle = math.atan(abs(t) / math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    term, total = (cosine if odd else 1.0), 0.0
    for power in range(odd, degrees - 1, 2):
        total += term
        term *= cosine**2 * (power + 1) / (power + 2)
    within = 2 / math.pi * (angle + sine * total) if odd else sine * total
    return max(0.0, 1 - within)


def quantile(degrees: int, level: float = LEVEL) -> float:
    """Return the t that Student's t is at least as far from 0 as with probability `level`."""
    low, high = 0.0, 1.0
    while student(high, degrees) > level:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student(middle, degrees) > level else (low, middle)
    return high


def another_seed(values: Sequence[float], value: float) -> float:
    """Test whether a run's `value` is one more of the `values` that seeds gave.

    With mean m and standard deviation s of n of them, (value - m) / (s sqrt(1 + 1/n)) follows
    Student's t with n - 1 degrees of freedom if the figure varies with the seed normally.
    """
    scale = stdev(values) * math.sqrt(1 + 1 / len(values))
    return student((value - fmean(values)) / scale, len(values) - 1)


def two_seeds(values: Sequence[float], difference: float) -> float:
    """Test whether two runs that vary with the seed as `values` do differ by it alone.

    Their difference over sqrt(2) s follows Student's t with n - 1 degrees of freedom.
    """
    return student(difference / (math.sqrt(2) * stdev(values)), len(values) - 1)


def two_means(values: Sequence[float], others: Sequence[float]) -> float:
    """Test whether two runs, each with several seeds, differ in their means, by Welch's t-test.

    Degrees of freedom after Welch and Satterthwaite, rounded down: Welch, Biometrika 34 (1947).
    """
    parts = [stdev(one) ** 2 / len(one) for one in (values, others)]
    freedom = [part**2 / (len(one) - 1) for part, one in zip(parts, (values, others), strict=True)]
    if not sum(parts):
        return 1.0 if fmean(values) == fmean(others) else 0.0
    degrees = max(1, math.floor(sum(parts) ** 2 / sum(freedom)))
    return student((fmean(values) - fmean(others)) / math.sqrt(sum(parts)), degrees)


def same_images(only_first: int, only_second: int) -> float:
    """Test whether two runs differ on the same images, by McNemar's test, exact.

    McNemar, Psychometrika 12 (1947): each has half of the images that only one of them gets wrong.

    Args:
        only_first: how many images the first run alone gets wrong.
        only_second: how many the second.
    """
    n, fewer = only_first + only_second, min(only_first, only_second)
    return min(1.0, 2 * sum(math.comb(n, k) for k in range(fewer + 1)) / 2**n)


def other_images(errors: int, others: int) -> float:
    """Test whether two runs differ in their test errors, of whose images nothing is known.

    Two-proportion z-test with pooled variance over 10,000 test images each.
    """
    pooled = (errors + others) / (2 * TEST_IMAGES)
    spread = math.sqrt(2 * pooled * (1 - pooled) / TEST_IMAGES)
    return math.erfc(abs(errors - others) / TEST_IMAGES / spread / math.sqrt(2)) if spread else 1.0


def holm(values: Sequence[float], level: float = LEVEL) -> list[bool]:
    """Say which of several p-values are below `level`, with that chance of one wrong among all.

    Holm, Scandinavian Journal of Statistics 6 (1979).
    """
    found, order = [False] * len(values), sorted(range(len(values)), key=values.__getitem__)
    for rank, place in enumerate(order):
        if values[place] > level / (len(values) - rank):
            break
        found[place] = True
    return found
