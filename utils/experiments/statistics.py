"""Statistics of counted successes."""

from collections.abc import Sequence

from scipy.stats import binomtest


def wilson(count: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a rate, `count` of `trials` (Wilson, JASA 22(158), 1927)."""
    interval = binomtest(count, trials).proportion_ci(method="wilson")
    return interval.low, interval.high


def mcnemar(a: Sequence[bool], b: Sequence[bool]) -> float:
    """The p-value of McNemar's test, exact and two-sided, of two rates of success on pairs."""
    alone = [x for x, y in zip(a, b, strict=True) if x != y]  # pairs on which they differ
    return float(binomtest(sum(alone), len(alone)).pvalue) if alone else 1.0


def holm(values: Sequence[float]) -> list[float]:
    """The p-values of a family of tests, corrected (Holm, Scand. J. Stat. 6(2), 1979)."""
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected, most = [0.0] * len(values), 0.0
    for rank, k in enumerate(order):
        most = max(most, min(1.0, (len(values) - rank) * values[k]))
        corrected[k] = most
    return corrected
