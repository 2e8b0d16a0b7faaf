"""Levenberg-Marquardt: what it finds, records and says."""

from functools import partial

import pytest
import torch

from utils.features.jtfs import JTFS
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.search.match import Stop, errors
from utils.search.second_order import gauss_newton
from utils.synth import am_chirp, delay

short = partial(am_chirp, duration=1.0)
PHI = MSS((512, 128))
TRUTH, START = torch.tensor([8.0, 3.0]), torch.tensor([6.5, 2.2])


def ill_conditioned(x):
    """Features that make the identity of log-parameters an ill-conditioned bowl."""
    return x * torch.tensor([1.0, 100.0])


def test_solves_a_linear_problem_at_once():
    match = gauss_newton(torch.log, ill_conditioned, TRUTH.log(), START, tolerance=1e-3)
    assert errors(match, TRUTH)[-1] < 1e-3
    assert match.evaluations <= 5
    assert match.stop is Stop.AT_REST


def test_recovers_a_chirp_and_never_goes_up():
    for start in (START, torch.tensor([12.0, 1.5])):
        match = gauss_newton(short, PHI, short(TRUTH), start)
        assert (match.losses.diff() < 0).all()
        assert len(match.thetas) == len(match.losses) <= match.evaluations <= 31
        expected = SpectralLoss(PHI, p=2)(short(match.thetas), short(TRUTH)).square()
        torch.testing.assert_close(match.losses, expected, rtol=1e-3, atol=1e-12)
    near = gauss_newton(short, PHI, short(TRUTH), 1.05 * TRUTH)
    assert errors(near, TRUTH)[-1] < 1e-3


@pytest.mark.parametrize("samples", [0, 512])
def test_on_jtfs_it_recovers_a_delayed_chirp(samples):
    phi = JTFS(8192, J=10, Q=(8, 2), J_fr=4, Q_fr=2)
    match = gauss_newton(short, phi, delay(short(TRUTH), samples), START)
    assert match.converged
    assert errors(match, TRUTH)[-1] < 0.05
    assert match.evaluations < 15


def test_takes_back_a_step_that_goes_up():
    """From far out on an arctangent, the undamped step overshoots, to a higher loss."""
    match = gauss_newton(
        torch.log, lambda x: torch.atan(20 * x), torch.zeros(1), torch.tensor([1.1])
    )
    assert match.evaluations > len(match.thetas)
    assert (match.losses.diff() < 0).all()
    assert match.thetas[-1].item() == pytest.approx(1, abs=1e-3)


def test_says_why_it_stopped():
    flat = gauss_newton(short, lambda x: 0 * x[..., :3], short(TRUTH), START)
    assert flat.stop is Stop.ZERO_GRADIENT and flat.converged
    spent = gauss_newton(short, PHI, short(TRUTH), START, steps=1)
    assert spent.stop is Stop.STEPS and not spent.converged


def test_leaves_a_parameter_without_effect():
    def first_only(theta):
        return theta[..., :1].log()

    match = gauss_newton(first_only, torch.exp, torch.log(torch.tensor([8.0])), START)
    assert match.thetas[-1, 0].item() == pytest.approx(8, rel=1e-3)
    assert match.thetas[-1, 1] == START[1]
