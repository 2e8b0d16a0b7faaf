"""The errors of a search; and many searches at once."""

from functools import partial

import pytest
import torch

from utils.search.first_order import gradient_descent
from utils.search.many import match_all
from utils.search.match import Match, Stop, errors


def match_of(*path):
    return Match(torch.tensor(path), torch.zeros(len(path)), len(path), 0.0, Stop.AT_REST)


def double(theta):
    return 2 * theta


def distance(x, y):
    return (x / y).log().norm()


def test_the_error_is_that_of_the_worst_parameter():
    match, truth = match_of([1.0, 1.0], [2.0, 2.5], [2.0, 2.08]), torch.tensor([2.0, 2.0])
    torch.testing.assert_close(errors(match, truth), torch.tensor([0.5, 0.25, 0.04]))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_each_target_is_searched_from_its_start(n_jobs):
    solver = partial(gradient_descent, loss=distance, steps=40, step_size=0.2)
    truths = torch.tensor([[1.0, 2.0], [3.0, 0.5], [1.5, 1.5]])
    starts = torch.tensor([[2.0, 2.0], [1.0, 1.0], [4.0, 0.5]])
    matches = match_all(solver, double, 2 * truths, starts, n_jobs=n_jobs)
    torch.testing.assert_close(torch.stack([match.thetas[0] for match in matches]), starts)
    for match, truth in zip(matches, truths, strict=True):
        assert errors(match, truth)[-1] < 0.05
