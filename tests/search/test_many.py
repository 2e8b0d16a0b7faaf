"""Many searches, and their count."""

from functools import partial

import pytest
import torch

from utils.search.many import match_all, succeeded, successes, wilson
from utils.search.match import Match, gradient_descent


def double(theta):
    return 2 * theta


def distance(x, y):
    return (x / y).log().norm()


solver = partial(gradient_descent, loss=distance, steps=40, step_size=0.2)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_each_target_is_searched_from_its_start(n_jobs):
    truths = torch.tensor([[1.0, 2.0], [3.0, 0.5], [1.5, 1.5]])
    starts = torch.tensor([[2.0, 2.0], [1.0, 1.0], [4.0, 0.5]])
    matches = match_all(solver, double, 2 * truths, starts, n_jobs=n_jobs)
    for match, truth, start in zip(matches, truths, starts, strict=True):
        torch.testing.assert_close(match.thetas[0], start)
        torch.testing.assert_close(match.thetas[-1], truth, rtol=0.05, atol=0)
    assert successes(matches, truths) == 3
    assert successes(matches, truths.roll(1, 0)) == 0
    assert succeeded(matches, torch.cat([truths[:1], truths[:2]])) == [True, False, False]


def test_success_needs_every_parameter():
    thetas = torch.tensor([[1.0, 1.0], [2.0, 2.08]])
    match = Match(thetas, torch.zeros(2), 2, 0.0, True, "")
    truth = torch.tensor([[2.0, 2.0]])
    assert successes([match], truth, tolerance=0.05) == 1
    assert successes([match], truth, tolerance=0.03) == 0
    assert successes([match], torch.tensor([[1.0, 2.0]])) == 0


def test_wilson_interval():
    """Newcombe, Statistics in Medicine 17, 1998, table I, method 3: 81 of 263 and 0 of 20; and
    half, where the interval is symmetric."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


@pytest.mark.parametrize(
    ("targets", "starts", "error", "says"),
    [
        ([1.0], torch.ones(1, 2), TypeError, "targets is a list"),
        (torch.ones(2), torch.ones(1, 2), ValueError, "targets has shape"),
        (torch.ones(3, 2), torch.ones(2, 2), ValueError, r"expected \(K, N\) and \(K, P\)"),
    ],
)
def test_bad_input(targets, starts, error, says):
    with pytest.raises(error, match=says):
        match_all(solver, double, targets, starts)
