"""The errors of a search."""

import torch

from utils.search.match import Match, Stop, errors


def match_of(*path):
    return Match(torch.tensor(path), torch.zeros(len(path)), len(path), 0.0, Stop.AT_REST)


def test_the_error_is_that_of_the_worst_parameter():
    match, truth = match_of([1.0, 1.0], [2.0, 2.5], [2.0, 2.08]), torch.tensor([2.0, 2.0])
    torch.testing.assert_close(errors(match, truth), torch.tensor([0.5, 0.25, 0.04]))
