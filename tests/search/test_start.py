"""Starts from a coarse grid, with any number of parameters and any loss."""

import math

import pytest
import torch

from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.parameters import Parameter, grid, parameters
from utils.search.start import best_of_grid, losses_at

TIME = torch.arange(1024) / 1024
LOSS = SpectralLoss(MSS((256, 64)), p=1)


@parameters(
    Parameter("pitch", "f", "Hz", 50.0, 200.0),
    Parameter("decay", "d", "1/s", 1.0, 16.0),
    Parameter("onset", "t_0", "s", -0.2, 0.4, scale="linear"),
)
def pluck(theta):
    f, d, onset = theta[..., None].unbind(-2)
    t = TIME.to(theta) - 0.4 - onset
    return torch.sin(2 * math.pi * f * t) * torch.exp(-d * t.abs())


@pytest.mark.parametrize("loss", [LOSS, lambda x, y: LOSS(x, y)], ids=["operator", "callable"])
def test_the_best_of_the_grid_has_the_least_loss(loss):
    target = pluck(torch.tensor([120.0, 5.0, 0.1]))
    thetas = grid(pluck, (4, 4, 4)).reshape(-1, 3)
    expected = LOSS(pluck(thetas), target)
    torch.testing.assert_close(losses_at(pluck, loss, target, thetas), expected)
    assert best_of_grid(pluck, loss, target, count=4).equal(thetas[expected.argmin()])


def test_a_target_of_the_grid_is_its_own_best():
    theta = grid(pluck, (6, 6, 6))[2, 3, 4]
    assert best_of_grid(pluck, LOSS, pluck(theta)).equal(theta)
