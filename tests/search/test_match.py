"""What is said of searches: errors, steps, success."""

import pytest
import torch

from utils.parameters import Parameter
from utils.search.match import Match, Stop, errors, steps_to, succeeded


def match_of(*path, parameters=()):
    thetas = torch.tensor(path)
    return Match(thetas, torch.zeros(len(path)), len(path), 0.0, Stop.AT_REST, parameters)


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


def test_errors_of_linear_parameters_are_shares_of_their_range():
    linear = Parameter("onset", "t_0", "s", -1.0, 1.0, scale="linear")
    match = match_of([-0.5], [0.1], parameters=(linear,))
    torch.testing.assert_close(errors(match, torch.zeros(1)), torch.tensor([0.25, 0.05]))


@pytest.mark.parametrize("stop", Stop)
def test_a_search_converged_unless_its_budget_was_spent(stop):
    match = Match(torch.ones(1, 1), torch.ones(1), 1, 0.0, stop)
    assert match.converged == (stop != Stop.STEPS)
    assert "the" in str(match.stop)  # a sentence
