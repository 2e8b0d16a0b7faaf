"""What is said of searches: errors, steps, success; and many searches at once."""

from functools import partial

import pytest
import torch

from utils.search.first_order import gradient_descent
from utils.search.many import match_all
from utils.search.match import Match, Stop, errors, steps_to, succeeded


def match_of(*path):
    return Match(torch.tensor(path), torch.zeros(len(path)), len(path), 0.0, Stop.AT_REST)


def double(theta):
    return 2 * theta


def distance(x, y):
    return (x / y).log().norm()


def test_steps_to_needs_the_error_to_stay_small():
    match, truth = match_of([1.0], [2.0], [3.0], [2.05], [1.96]), torch.tensor([2.0])
    torch.testing.assert_close(errors(match, truth), torch.tensor([0.5, 0.0, 0.5, 0.025, 0.02]))
    assert steps_to(match, truth) == 3
    assert steps_to(match, truth, tolerance=0.6) == 0
    assert steps_to(match, 2 * truth) is None


def test_success_needs_every_parameter():
    match, truth = match_of([1.0, 1.0], [2.0, 2.08]), torch.tensor([[2.0, 2.0]])
    assert succeeded([match], truth, tolerance=0.05) == [True]
    assert succeeded([match], truth, tolerance=0.03) == [False]
    assert succeeded([match], torch.tensor([[1.0, 2.0]])) == [False]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_each_target_is_searched_from_its_start(n_jobs):
    solver = partial(gradient_descent, loss=distance, steps=40, step_size=0.2)
    truths = torch.tensor([[1.0, 2.0], [3.0, 0.5], [1.5, 1.5]])
    starts = torch.tensor([[2.0, 2.0], [1.0, 1.0], [4.0, 0.5]])
    matches = match_all(solver, double, 2 * truths, starts, n_jobs=n_jobs)
    torch.testing.assert_close(torch.stack([match.thetas[0] for match in matches]), starts)
    assert succeeded(matches, torch.cat([truths[:1], truths[:2]])) == [True, False, False]
    assert all(succeeded(matches, truths))
