"""Many searches, and which of them succeed."""

from functools import partial

import pytest
import torch

from utils.search.first_order import gradient_descent
from utils.search.many import match_all
from utils.search.match import succeeded


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
    assert all(succeeded(matches, truths))
    assert not any(succeeded(matches, truths.roll(1, 0)))
    assert succeeded(matches, torch.cat([truths[:1], truths[:2]])) == [True, False, False]
