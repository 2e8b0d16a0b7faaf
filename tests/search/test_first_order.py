"""Gradient descent: what it finds, records and says."""

from functools import partial

import torch

from utils.features.jtfs import JTFS
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.search.first_order import gradient_descent
from utils.search.match import Stop, errors
from utils.synth import am_chirp

short = partial(am_chirp, duration=1.0)
LOSS = SpectralLoss(MSS((512, 128)), p=1)
TRUTH, START = torch.tensor([8.0, 3.0]), torch.tensor([6.5, 2.2])


def bowl(x, y):
    return (x - y).norm()


def test_recovers_an_aligned_chirp():
    match = gradient_descent(short, LOSS, short(TRUTH), START)
    assert errors(match, TRUTH)[-1] < 0.05
    assert match.losses[-1] < 0.1 * match.losses[0]
    torch.testing.assert_close(match.thetas[0], START)
    assert len(match.thetas) == len(match.losses) == match.evaluations
    assert match.seconds > 0
    assert match.parameters == am_chirp.parameters


def test_records_the_loss_at_each_step():
    match = gradient_descent(short, LOSS, short(TRUTH), START, steps=4)
    expected = torch.stack([LOSS(short(theta), short(TRUTH)) for theta in match.thetas])
    torch.testing.assert_close(match.losses, expected, rtol=1e-4, atol=0)
    assert len(match.thetas) == 5
    assert match.stop is Stop.STEPS and not match.converged


def test_any_callable_is_a_loss_and_gives_the_same_path():
    plain = gradient_descent(short, lambda x, y: LOSS(x, y), short(TRUTH), START, steps=5)
    cached = gradient_descent(short, LOSS, short(TRUTH), START, steps=5)
    torch.testing.assert_close(plain.thetas, cached.thetas)


def test_first_step_has_the_stated_size():
    match = gradient_descent(torch.log, bowl, TRUTH.log(), START, steps=1, step_size=0.1)
    moved = (match.thetas[1] / match.thetas[0]).log()
    torch.testing.assert_close(moved, torch.full((2,), 0.1), rtol=1e-3, atol=0)


def test_comes_to_rest_and_says_so():
    match = gradient_descent(torch.log, bowl, TRUTH.log(), START, steps=1000, tolerance=1e-3)
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
