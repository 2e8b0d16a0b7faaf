import math
from functools import partial

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from utils.parameters import draw
from utils.synth import am_chirp, delay, ripple, sequence, warp

RATES = [-4.0, -0.5, -1e-9, 0.0, 1e-9, 1e-3, 0.5, 2.0, 4.0]
short = partial(am_chirp, duration=0.25)


def double(*values, grad=False):
    return torch.tensor(values, dtype=torch.float64, requires_grad=grad)


@pytest.mark.parametrize("gamma", [2.0, 1e-9])  # the latter is all but a steady tone
def test_chirp_is_the_published_formula(gamma):
    f_m, t = 8.0, np.arange(32768) / 8192 - 2
    phase = 2 * np.pi * 512 * np.expm1(gamma * t * np.log(2)) / (gamma * np.log(2))
    window = np.exp(-(t**2) / (2 * (0.1 * 2.0 / gamma) ** 2))
    expected = np.sin(phase) * np.sin(2 * np.pi * f_m * t) * window
    x = am_chirp(double(f_m, gamma), unit_energy=False)
    np.testing.assert_allclose(x.numpy(), expected, atol=1e-9)


POINTS = [(short, 8.0, gamma) for gamma in RATES] + [(partial(ripple, duration=0.501), 4.0, 1.0)]


@pytest.mark.parametrize("synth, first, second", POINTS)
def test_gradient_agrees_with_finite_differences(synth, first, second):
    theta = double(first, second, grad=True)
    assert gradcheck(synth, theta, atol=1e-6, rtol=1e-6, check_forward_ad=True)


@pytest.mark.parametrize("gamma", [0.2999, 0.3001])
def test_series_and_quotient_meet(gamma):
    """The phase passes from series to quotient at |gamma t ln 2| = 0.3, which is t = 1 / ln 2."""
    tone = partial(am_chirp, duration=4.0, sample_rate=2048, unit_energy=False)
    theta = double(8.0, gamma)
    step = double(0.0, 1e-6)
    slope = torch.func.jvp(tone, (theta,), (double(0.0, 1.0),))[1]
    witness = (tone(theta + step) - tone(theta - step)) / 2e-6
    assert (slope - witness).norm() < 1e-6 * witness.norm()


def test_reversal_is_the_opposite_chirp_rate():
    up, down = am_chirp(double([8.0, 2.0], [8.0, -2.0]))
    torch.testing.assert_close(up.flip(-1)[:-1], down[1:])


@pytest.mark.parametrize("synth", [am_chirp, ripple, partial(sequence, am_chirp, onsets=[-1, 0.5])])
def test_unit_energy_shape_and_dtype(synth):
    theta = draw(am_chirp, 6, seed=0).reshape(2, 3, 2)
    for dtype in (torch.float32, torch.float64):
        x = synth(theta.to(dtype))
        assert x.shape == (2, 3, 32768)
        assert x.dtype == dtype
        torch.testing.assert_close(x.square().sum(-1), torch.ones(2, 3, dtype=dtype))


def test_extreme_chirp_rates_stay_finite():
    theta = torch.tensor([[8.0, 1000.0], [8.0, -1000.0]], requires_grad=True)
    x = am_chirp(theta)
    (gradient,) = torch.autograd.grad(x.square().sum(), theta)
    assert x.isfinite().all()
    assert gradient.isfinite().all()


def test_ripple_envelope_of_one_partial_moves_at_its_rate():
    """The highest partial beats at w, and ends before the silent tail."""
    x = ripple(double(4.0, 0.5))
    assert x[-4096:].abs().max() == 0
    spectrum = torch.fft.rfft(x[:24576]).abs()
    hertz = torch.fft.rfftfreq(24576, 1 / 8192)
    for expected in (2048 - 4, 2048, 2048 + 4):
        near = (hertz - expected).abs() < 0.5
        between = ((hertz - expected).abs() - 2).abs() < 0.5
        assert spectrum[near].max() > 5 * spectrum[between].max()


def test_sequence_is_a_sum_of_delays():
    theta = double(8.0, 4.0)
    event = am_chirp(theta)
    expected = delay(event, -4096) + delay(event, 8192)
    x = sequence(am_chirp, theta, [-0.5, 1.0])
    torch.testing.assert_close(x, expected / expected.norm())


def test_delay_shifts_and_fills_with_zeros():
    x = double(1.0, 2.0, 3.0)
    assert delay(x, 1).tolist() == [0.0, 1.0, 2.0]
    assert delay(x, -2).tolist() == [3.0, 0.0, 0.0]
    assert delay(x, 0).tolist() == x.tolist()


def test_a_warp_bends_the_clock_by_its_amount():
    """A slow sine, whose rate then varies by as much."""
    t = torch.arange(32768) / 32768
    tone = torch.sin(2 * math.pi * 40 * t)
    expected = torch.sin(2 * math.pi * 40 * (t + 0.05 / (2 * math.pi) * torch.sin(2 * math.pi * t)))
    torch.testing.assert_close(warp(tone, 0.05, phase=0.0), expected, atol=1e-3, rtol=0)
