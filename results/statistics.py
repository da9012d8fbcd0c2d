"""The statistics that report, review and benchmarks judge results by."""

import math
from statistics import stdev

from results.runs import TEST_IMAGES

Z = 1.96  # two-sided 95 % of the normal distribution

# t(0.975) for 1, 2, ... 10 degrees of freedom: NIST/SEMATECH e-Handbook of Statistical Methods,
# section 1.3.6.7.2. More than eleven values are judged by the last, a little too strictly.
T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


def z_score(errors: int, other_errors: int) -> float:
    """Return z of the difference in accuracy, positive where `errors` are fewer.

    Two-proportion z-test with pooled variance over the 10,000 test images.
    """
    pooled = (errors + other_errors) / (2 * TEST_IMAGES)
    spread = math.sqrt(2 * pooled * (1 - pooled) / TEST_IMAGES)
    return (other_errors - errors) / TEST_IMAGES / spread if spread else 0.0


def interval(errors: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of the test error, two fractions."""
    rate, n = errors / TEST_IMAGES, TEST_IMAGES
    middle = rate + Z**2 / (2 * n)
    half = Z * math.sqrt(rate * (1 - rate) / n + Z**2 / (4 * n**2))
    scale = 1 + Z**2 / n
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def seed_noise(values: list[float]) -> float | None:
    """Return how far two runs that differ in the seed alone may lie apart in a figure.

    If a figure varies with the seed normally, with standard deviation sigma, the difference of two
    such runs varies with sqrt(2) sigma. s estimates sigma from n seeds with n - 1 degrees of
    freedom, so difference / (sqrt(2) s) follows Student's t with n - 1 degrees of freedom: a
    difference beyond t(0.975, n - 1) sqrt(2) s happens by the seed alone once in twenty times.

    Args:
        values: the figure, one value per seed.

    Returns:
        The bound; None for fewer than two values or equal ones.
    """
    if len(values) < 2:
        return None
    return T[min(len(values) - 1, len(T)) - 1] * math.sqrt(2) * stdev(values) or None
