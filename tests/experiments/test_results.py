"""Results to ask."""

import pytest

from utils.experiments.comparison import LandscapeResult, Run
from utils.experiments.results import Results
from utils.experiments.statistics import wilson


def searches(loss, errors, solver="second", start="random"):
    return [
        Run("delay", 256, loss, solver, start, pair, (8.0,), error, 3 if error < 0.05 else None)
        for pair, error in enumerate(errors)
    ]


RESULTS = Results(
    [
        *reversed(searches("one", [0.01, 0.3, 0.02, 0.04])),
        *searches("one", [0.5, 0.4], solver="first"),
        *searches("one", [0.01], start="grid"),
        *searches("other", [0.2, 0.01, 0.02], solver="first"),
        LandscapeResult("delay", 256, "one", 0, 0.5, 2, 1.5),
        LandscapeResult("delay", 256, "one", 1, 1.0, 1, 1.0),
    ]
)


def test_searches_of_a_cell():
    one = RESULTS.of("one", "delay", 256)
    assert [run.pair for run in one] == [0, 1, 2, 3]
    assert one.counts == (3, 4) and one.rate == 0.75
    assert one.first(2).counts == (1, 2)
    assert one.median("error") == pytest.approx(0.03)
    assert one.wins_over(RESULTS.of("other", "delay", 256)) == 1
    assert RESULTS.of("other", "delay", 256).wins_over(one) == 1


def test_solver_and_start_may_be_chosen():
    assert RESULTS.of("one", "delay", 256, solver="first").counts == (0, 2)
    assert RESULTS.of("one", "delay", 256, start="grid").counts == (1, 1)
    assert RESULTS.of("other", "delay", 256).counts == (2, 3)


def test_landscapes_are_averaged():
    mean = RESULTS.landscape("one", "delay", 256)
    assert (mean.share_toward, mean.minima, mean.cut_minima) == (0.75, 1.5, 1.25)


def test_the_record_can_be_asked():
    results = Results.read()
    assert results.made["versions"]["torch"]
    assert results.of("MSS both", "delay", 1024).counts[1] == 32


def test_wilson_interval():
    """Newcombe, Statistics in Medicine 17, 1998, table I, method 3: 81 of 263 and 0 of 20; and
    half, where the interval is symmetric."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
