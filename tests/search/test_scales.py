"""Parameters that may be negative: a chirp rate of either sign, an onset, a phase."""

import math
from functools import partial

import pytest
import torch

from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.parameters import Parameter, parameters
from utils.search.first_order import gradient_descent
from utils.search.match import errors
from utils.search.second_order import gauss_newton

TIME = torch.arange(2048) / 2048 - 0.5
PHI = MSS((128,))


@parameters(
    Parameter("pitch", "f", "Hz", 200.0, 400.0),
    Parameter("sweep", "r", "Hz/s", -400.0, 400.0, scale="linear"),
)
def sweep(theta):
    f, r = theta[..., None].unbind(-2)
    t = TIME.to(theta)
    return torch.sin(2 * math.pi * (f + r * t / 2) * t) * torch.exp(-((t / 0.2) ** 2))


@parameters(
    Parameter("width", "w", "s", 0.05, 0.2),
    Parameter("onset", "t_0", "s", -0.4, 0.4, scale="linear"),
)
def pulse(theta):
    width, onset = theta[..., None].unbind(-2)
    return torch.exp(-(((TIME.to(theta) - onset) / width) ** 2))


@parameters(Parameter("phase", "phi", "rad", -2.0, 2.0, scale="linear"))
def point(theta):
    return torch.cat([theta.cos(), theta.sin()], dim=-1)


def distance(x, y):
    return (x - y).norm()


@pytest.mark.parametrize(
    "solver",
    [partial(gauss_newton, phi=PHI), partial(gradient_descent, loss=SpectralLoss(PHI, p=1))],
)
@pytest.mark.parametrize("rate", [-200.0, 100.0])
def test_finds_a_chirp_rate_from_the_other_side_of_zero(solver, rate):
    truth, start = torch.tensor([300.0, rate]), torch.tensor([280.0, -rate / 20])
    match = solver(sweep, target=sweep(truth), theta0=start)
    assert errors(match, truth)[-1] < 0.01
    torch.testing.assert_close(match.thetas[0], start)
    assert match.parameters == sweep.parameters


def test_finds_an_onset_of_either_sign():
    for onset in (-0.1, 0.1):
        truth, start = torch.tensor([0.1, onset]), torch.tensor([0.14, -onset / 2])
        match = gauss_newton(pulse, lambda x: x, pulse(truth), start)
        assert errors(match, truth)[-1] < 1e-3


def test_a_step_is_a_share_of_the_range():
    truth, start = torch.tensor([-1.5]), torch.tensor([0.6])
    match = gradient_descent(point, distance, point(truth), start, step_size=0.1)
    torch.testing.assert_close(match.thetas[1], start - 0.4)
    assert errors(match, truth)[-1] < 0.01
