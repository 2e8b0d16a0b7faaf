"""Statistics of counted successes."""

from scipy.stats import binomtest


def wilson(count: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a rate, `count` of `trials` (Wilson, JASA 22(158), 1927)."""
    interval = binomtest(count, trials).proportion_ci(method="wilson")
    return interval.low, interval.high
