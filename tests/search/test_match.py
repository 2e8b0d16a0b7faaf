import math
from functools import partial

import pytest
import torch

from utils.features.jtfs import JTFS
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.search.match import errors, gauss_newton, gradient_descent, steps_to
from utils.synth import am_chirp, delay

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


def test_records_the_loss_at_each_step():
    match = gradient_descent(short, LOSS, short(TRUTH), START, steps=4)
    expected = torch.stack([LOSS(short(theta), short(TRUTH)) for theta in match.thetas])
    torch.testing.assert_close(match.losses, expected, rtol=1e-4, atol=0)
    assert len(match.thetas) == 5
    assert not match.converged
    assert match.reason == "the step budget is spent"


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
    assert match.converged
    assert match.reason == "the parameters are at rest"
    assert len(match.thetas) < 1001
    flat = gradient_descent(short, lambda x, y: 0 * x.sum(), short(TRUTH), START)
    assert flat.converged
    assert flat.reason == "the gradient is zero"
    assert flat.thetas.tolist() == [START.tolist()]


def quadratic(x):
    """Features that make the identity of log-parameters an ill-conditioned bowl."""
    return x * torch.tensor([1.0, 100.0])


def test_gauss_newton_solves_a_linear_problem_at_once():
    match = gauss_newton(torch.log, quadratic, TRUTH.log(), START, tolerance=1e-3)
    assert errors(match, TRUTH)[-1] < 1e-3
    assert match.evaluations <= 5
    assert (match.converged, match.reason) == (True, "the parameters are at rest")


def test_gauss_newton_recovers_a_chirp_and_never_goes_up():
    for start in (START, torch.tensor([12.0, 1.5])):
        match = gauss_newton(short, MSS((512, 128)), short(TRUTH), start)
        assert (match.losses.diff() < 0).all()
        assert len(match.thetas) == len(match.losses) <= match.evaluations <= 31
        expected = SpectralLoss(LOSS.phi, p=2)(short(match.thetas), short(TRUTH)).square()
        torch.testing.assert_close(match.losses, expected, rtol=1e-3, atol=1e-12)
    near = gauss_newton(short, MSS((512, 128)), short(TRUTH), 1.05 * TRUTH)
    assert errors(near, TRUTH)[-1] < 1e-3


@pytest.mark.parametrize("samples", [0, 512])
def test_gauss_newton_on_jtfs_recovers_a_delayed_chirp(samples):
    phi = JTFS(8192, J=10, Q=(8, 2), J_fr=4, Q_fr=2)
    match = gauss_newton(short, phi, delay(short(TRUTH), samples), START)
    assert match.converged
    assert errors(match, TRUTH)[-1] < 0.05
    assert match.evaluations < 15


def test_gradient_descent_on_jtfs_survives_its_small_gradients():
    """Squared, they fall below Adam's usual epsilon: scaling the loss down must change nothing."""
    loss = SpectralLoss(JTFS(8192, J=8, Q=(4, 1), J_fr=3, Q_fr=1), p=2)
    plain, scaled = (
        gradient_descent(short, lambda x, y, c=c: c * loss(x, y), short(TRUTH), START, steps=5)
        for c in (1.0, 1e-6)
    )
    torch.testing.assert_close(plain.thetas, scaled.thetas, rtol=1e-3, atol=0)
    assert plain.losses[-1] < plain.losses[0]


def test_gauss_newton_takes_back_a_step_that_goes_up():
    """From far out on an arctangent, the undamped step overshoots, to a higher loss."""
    match = gauss_newton(
        torch.log, lambda x: torch.atan(20 * x), torch.zeros(1), torch.tensor([1.1])
    )
    assert match.evaluations > len(match.thetas)
    assert (match.losses.diff() < 0).all()
    assert match.thetas[-1].item() == pytest.approx(1, abs=1e-3)


def test_gauss_newton_stops_for_a_stated_reason():
    flat = gauss_newton(short, lambda x: 0 * x[..., :3], short(TRUTH), START)
    assert (flat.converged, flat.reason) == (True, "the gradient is zero")
    spent = gauss_newton(short, MSS((512, 128)), short(TRUTH), START, steps=1)
    assert (spent.converged, spent.reason) == (False, "the step budget is spent")


def test_gauss_newton_leaves_a_parameter_without_effect():
    def first_only(theta):
        return theta[..., :1].log()

    match = gauss_newton(first_only, torch.exp, torch.log(torch.tensor([8.0])), START)
    assert match.thetas[-1, 0].item() == pytest.approx(8, rel=1e-3)
    assert match.thetas[-1, 1] == START[1]


def test_gauss_newton_shows_progress_only_when_asked(capsys):
    for progress in (False, True):
        gauss_newton(torch.log, quadratic, TRUTH.log(), START, progress=progress)
        assert ("gauss_newton" in capsys.readouterr().err) == progress


def test_steps_to_needs_the_error_to_stay_small():
    match = gradient_descent(torch.log, bowl, TRUTH.log(), START, steps=60)
    first = steps_to(match, TRUTH)
    found = errors(match, TRUTH)
    assert (found[first:] <= 0.05).all()
    assert found[first - 1] > 0.05
    assert steps_to(match, 2 * TRUTH) is None
    assert steps_to(match, match.thetas[-1], tolerance=10) == 0


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"theta0": torch.tensor([8.0, -1.0])}, ValueError, "theta0 is"),
        ({"theta0": torch.ones(2, 2)}, ValueError, "theta0 is"),
        ({"theta0": [8.0, 2.0]}, TypeError, "theta0 is a list"),
        ({"target": torch.ones(2, 8192)}, ValueError, r"target has shape \(2, 8192\)"),
        ({"target": torch.full((8192,), math.nan)}, ValueError, "target holds NaN"),
        ({"steps": 0}, ValueError, "steps is 0"),
        ({"step_size": -0.1}, ValueError, "step_size is -0.1"),
        ({"tolerance": 0}, ValueError, "tolerance is 0"),
        ({"loss": lambda x, y: x - y}, ValueError, "finite scalar"),
        ({"loss": lambda x, y: math.nan * x.sum()}, ValueError, "finite scalar"),
    ],
)
def test_bad_input_is_named(change, error, says):
    arguments = {"loss": LOSS, "target": short(TRUTH), "theta0": START} | change
    with pytest.raises(error, match=says):
        gradient_descent(short, **arguments)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"theta0": -START}, ValueError, "theta0 is"),
        ({"target": torch.ones(2, 8192)}, ValueError, "target has shape"),
        ({"steps": 2.5}, TypeError, "steps is 2.5"),
        ({"tolerance": -1.0}, ValueError, "tolerance is -1"),
        ({"phi": lambda x: torch.sqrt(-x.abs() - 1)}, ValueError, "is not finite"),
    ],
)
def test_bad_input_to_gauss_newton_is_named(change, error, says):
    arguments = {"phi": LOSS.phi, "target": short(TRUTH), "theta0": START} | change
    with pytest.raises(error, match=says):
        gauss_newton(short, **arguments)
