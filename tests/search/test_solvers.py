"""Both solvers: what they find, on either scale, what they record, and why they stop."""

import math
from functools import partial

import pytest
import torch

from utils.features.jtfs import JTFS
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.parameters import Parameter, grid, parameters
from utils.search.first_order import gradient_descent
from utils.search.landscape import losses_at
from utils.search.match import Stop, errors
from utils.search.second_order import gauss_newton
from utils.synth import am_chirp, delay

short = partial(am_chirp, duration=1.0)
PHI = MSS((512, 128))
LOSS = SpectralLoss(PHI, p=1)
TRUTH, START = torch.tensor([8.0, 3.0]), torch.tensor([6.5, 2.2])
TIME = torch.arange(2048) / 2048 - 0.5


def bowl(x, y):
    return (x - y).norm()


@parameters(
    Parameter("pitch", "f", "Hz", 200.0, 400.0),
    Parameter("sweep", "r", "Hz/s", -400.0, 400.0, scale="linear"),
    Parameter("onset", "t_0", "s", -0.2, 0.2, scale="linear"),
)
def sweep(theta):
    f, r, onset = theta[..., None].unbind(-2)
    t = TIME.to(theta) - onset
    return torch.sin(2 * math.pi * (f + r * t / 2) * t) * torch.exp(-((t / 0.2) ** 2))


@parameters(Parameter("phase", "phi", "rad", -2.0, 2.0, scale="linear"))
def point(theta):
    return torch.cat([theta.cos(), theta.sin()], dim=-1)


def test_gradient_descent_recovers_an_aligned_chirp():
    match = gradient_descent(short, LOSS, short(TRUTH), START)
    assert errors(match, TRUTH)[-1] < 0.05
    torch.testing.assert_close(match.thetas[0], START)
    assert len(match.thetas) == len(match.losses) == match.evaluations
    assert match.parameters == am_chirp.parameters
    few = gradient_descent(short, lambda x, y: LOSS(x, y), short(TRUTH), START, steps=4)
    assert few.stop is Stop.STEPS and not few.converged
    expected = torch.stack([LOSS(short(theta), short(TRUTH)) for theta in few.thetas])
    torch.testing.assert_close(few.losses, expected, rtol=1e-4, atol=0)
    assert len(few.thetas) == 5


def test_gradient_descent_comes_to_rest_after_steps_of_the_stated_size():
    match = gradient_descent(torch.log, bowl, TRUTH.log(), START, steps=1000, tolerance=1e-3)
    moved = (match.thetas[1] / match.thetas[0]).log()
    torch.testing.assert_close(moved, torch.full((2,), 0.1), rtol=1e-3, atol=0)
    assert match.stop is Stop.AT_REST and match.converged
    assert len(match.thetas) < 1001
    flat = gradient_descent(short, lambda x, y: 0 * x.sum(), short(TRUTH), START)
    assert flat.stop is Stop.ZERO_GRADIENT and flat.converged
    assert flat.thetas.tolist() == [START.tolist()]


def test_gradient_descent_on_jtfs_survives_its_small_gradients():
    """Squared, they fall below Adam's usual epsilon: scaling the loss down must change nothing."""
    loss = SpectralLoss(JTFS(8192, J=8, Q=(4, 1), J_fr=3, Q_fr=1), p=2)
    plain, scaled = (
        gradient_descent(short, lambda x, y, c=c: c * loss(x, y), short(TRUTH), START, steps=5)
        for c in (1.0, 1e-6)
    )
    torch.testing.assert_close(plain.thetas, scaled.thetas, rtol=1e-3, atol=0)
    assert plain.losses[-1] < plain.losses[0]


def test_gauss_newton_solves_an_ill_conditioned_linear_problem_at_once():
    steep = torch.tensor([1.0, 100.0])
    match = gauss_newton(torch.log, lambda x: x * steep, TRUTH.log(), START, tolerance=1e-3)
    assert errors(match, TRUTH)[-1] < 1e-3
    assert match.evaluations <= 5
    assert match.stop is Stop.AT_REST


def test_gauss_newton_recovers_a_chirp_and_never_goes_up():
    for start in (START, torch.tensor([12.0, 1.5])):
        match = gauss_newton(short, PHI, short(TRUTH), start)
        assert (match.losses.diff() < 0).all()
        assert len(match.thetas) == len(match.losses) <= match.evaluations <= 31
        expected = SpectralLoss(PHI, p=2)(short(match.thetas), short(TRUTH)).square()
        torch.testing.assert_close(match.losses, expected, rtol=1e-3, atol=1e-12)
    near = gauss_newton(short, PHI, short(TRUTH), 1.05 * TRUTH)
    assert errors(near, TRUTH)[-1] < 1e-3


@pytest.mark.parametrize("samples", [0, 512])
def test_gauss_newton_on_jtfs_recovers_a_delayed_chirp(samples):
    phi = JTFS(8192, J=10, Q=(8, 2), J_fr=4, Q_fr=2)
    match = gauss_newton(short, phi, delay(short(TRUTH), samples), START)
    assert match.converged
    assert errors(match, TRUTH)[-1] < 0.05
    assert match.evaluations < 15


def test_gauss_newton_takes_back_a_step_that_goes_up():
    """From far out on an arctangent, the undamped step overshoots, to a higher loss."""
    match = gauss_newton(
        torch.log, lambda x: torch.atan(20 * x), torch.zeros(1), torch.tensor([1.1])
    )
    assert match.evaluations > len(match.thetas)
    assert (match.losses.diff() < 0).all()
    assert match.thetas[-1].item() == pytest.approx(1, abs=1e-3)


def test_gauss_newton_says_why_it_stopped():
    flat = gauss_newton(short, lambda x: 0 * x[..., :3], short(TRUTH), START)
    assert flat.stop is Stop.ZERO_GRADIENT and flat.converged
    spent = gauss_newton(short, PHI, short(TRUTH), START, steps=1)
    assert spent.stop is Stop.STEPS and not spent.converged


def test_gauss_newton_leaves_a_parameter_without_effect():
    match = gauss_newton(lambda theta: theta[..., :1].log(), torch.exp, TRUTH[:1].log(), START)
    assert match.thetas[-1, 0].item() == pytest.approx(8, rel=1e-3)
    assert match.thetas[-1, 1] == START[1]


@pytest.mark.parametrize(
    "solver",
    [
        partial(gauss_newton, phi=MSS((128,))),
        partial(gradient_descent, loss=SpectralLoss(MSS((128,)), p=1)),
    ],
)
@pytest.mark.parametrize("side", [-1, 1])
def test_finds_a_chirp_rate_and_an_onset_from_the_other_side_of_zero(solver, side):
    truth = torch.tensor([300.0, side * 150.0, side * 0.01])
    start = torch.tensor([280.0, side * -8.0, side * -0.005])
    match = solver(sweep, target=sweep(truth), theta0=start)
    assert errors(match, truth)[-1] < 0.01
    torch.testing.assert_close(match.thetas[0], start)
    assert match.parameters == sweep.parameters


def test_a_step_is_a_share_of_a_linear_range():
    truth, start = torch.tensor([-1.5]), torch.tensor([0.6])
    match = gradient_descent(point, bowl, point(truth), start, step_size=0.1)
    torch.testing.assert_close(match.thetas[1], start - 0.4)
    assert errors(match, truth)[-1] < 0.01


@pytest.mark.parametrize("loss", [LOSS, lambda x, y: LOSS(x, y)], ids=["operator", "callable"])
def test_losses_over_a_grid_are_those_of_its_sounds(loss):
    target = sweep(torch.tensor([320.0, 80.0, 0.05]))
    thetas = grid(sweep, (4, 4, 4)).reshape(-1, 3)
    expected = LOSS(sweep(thetas), target)
    torch.testing.assert_close(losses_at(sweep, loss, target, thetas), expected)
