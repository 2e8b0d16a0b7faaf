import math
from functools import partial

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from utils.synth import (
    Parameter,
    am_chirp,
    delay,
    draw,
    examine,
    parameters,
    parameters_of,
    ripple,
    sequence,
)

RATES = [-4.0, -0.5, -1e-9, 0.0, 1e-9, 1e-3, 0.5, 2.0, 4.0]
short = partial(am_chirp, duration=0.25)


def double(*values, grad=False):
    return torch.tensor(values, dtype=torch.float64, requires_grad=grad)


def test_chirp_is_the_published_formula():
    f_m, gamma, t = 8.0, 2.0, np.arange(32768) / 8192 - 2
    phase = 2 * np.pi * 512 * (2 ** (gamma * t) - 1) / (gamma * np.log(2))
    window = np.exp(-(t**2) / (2 * (0.1 * 2.0 / gamma) ** 2))
    expected = np.sin(phase) * np.sin(2 * np.pi * f_m * t) * window
    x = am_chirp(double(f_m, gamma), unit_energy=False)
    np.testing.assert_allclose(x.numpy(), expected, atol=1e-9)


def test_chirp_rate_zero_is_a_steady_tone():
    t = torch.arange(2048, dtype=torch.float64) / 8192 - 0.125
    expected = torch.sin(2 * math.pi * 512 * t) * torch.sin(2 * math.pi * 8 * t)
    torch.testing.assert_close(short(double(8.0, 0.0), unit_energy=False), expected)


@pytest.mark.parametrize("gamma", RATES)
def test_chirp_gradient_agrees_with_finite_differences(gamma):
    theta = double(8.0, gamma, grad=True)
    assert gradcheck(short, theta, atol=1e-6, rtol=1e-6, check_forward_ad=True)


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


def test_published_energy_goes_as_one_over_chirp_rate():
    one, two = am_chirp(double([8.0, 1.0], [8.0, 2.0]), unit_energy=False).square().sum(-1)
    assert one / two == pytest.approx(2, rel=0.01)


def test_extreme_chirp_rates_stay_finite():
    theta = torch.tensor([[8.0, 1000.0], [8.0, -1000.0]], requires_grad=True)
    x = am_chirp(theta)
    (gradient,) = torch.autograd.grad(x.square().sum(), theta)
    assert x.isfinite().all()
    assert gradient.isfinite().all()


def test_ripple_gradient_agrees_with_finite_differences():
    theta = double(4.0, 1.0, grad=True)
    assert gradcheck(partial(ripple, duration=0.501), theta, atol=1e-6, check_forward_ad=True)


def test_ripple_envelope_of_one_partial_moves_at_its_rate():
    """Two partials far apart: the lower one beats at w, and ends before the silent tail."""
    x = ripple(double(4.0, 0.5), f_low=500.0, f_high=1500.0, partials=2)
    assert x[-4096:].abs().max() == 0
    spectrum = torch.fft.rfft(x[:24576]).abs()
    hertz = torch.fft.rfftfreq(24576, 1 / 8192)
    for expected in (500 - 4, 500, 500 + 4):
        near = (hertz - expected).abs() < 0.5
        between = ((hertz - expected).abs() - 2).abs() < 0.5
        assert spectrum[near].max() > 5 * spectrum[between].max()


def test_sequence_is_a_sum_of_delays():
    theta = double(8.0, 4.0)
    event = am_chirp(theta)
    expected = delay(event, -4096) + delay(event, 8192)
    x = sequence(am_chirp, theta, [-0.5, 1.0], unit_energy=False)
    torch.testing.assert_close(x, expected)


def test_delay_shifts_and_fills_with_zeros():
    x = double(1.0, 2.0, 3.0)
    assert delay(x, 1).tolist() == [0.0, 1.0, 2.0]
    assert delay(x, -2).tolist() == [3.0, 0.0, 0.0]
    assert delay(x, 0).tolist() == x.tolist()


def test_draws_are_seeded_and_in_range():
    theta = draw(am_chirp, 500, seed=7)
    torch.testing.assert_close(theta, draw(am_chirp, 500, seed=7))
    for column, each in zip(theta.T, parameters_of(am_chirp), strict=True):
        assert each.low <= column.min() < 1.1 * each.low
        assert each.high / 1.1 < column.max() <= each.high
    assert theta[:, 0].log().mean() == pytest.approx(math.log(8), abs=0.1)  # the geometric mean


def test_parameters_survive_partial_and_sequence():
    carried = partial(sequence, partial(am_chirp, carrier=400.0), onsets=[0.0])
    assert parameters_of(carried) == am_chirp.parameters
    with pytest.raises(TypeError, match="@parameters"):
        parameters_of(lambda theta: theta)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: am_chirp([8.0, 2.0]), TypeError, "theta is a list"),
        (lambda: am_chirp(torch.tensor([8, 2])), TypeError, "int64"),
        (lambda: am_chirp(torch.ones(3)), ValueError, r"\(3,\)"),
        (lambda: am_chirp(torch.ones(0, 2)), ValueError, r"\(0, 2\)"),
        (lambda: am_chirp(torch.tensor([8.0, math.nan])), ValueError, "NaN"),
        (lambda: am_chirp(torch.tensor([0.0, 2.0])), ValueError, "above 0"),
        (lambda: am_chirp(torch.tensor([5000.0, 2.0])), ValueError, "Nyquist frequency 4096"),
        (lambda: am_chirp(torch.ones(2), carrier=4000.0), ValueError, "carrier is 4000"),
        (lambda: am_chirp(torch.ones(2), bandwidth=0), ValueError, "bandwidth is 0"),
        (lambda: am_chirp(torch.ones(2), duration=-1.0), ValueError, "duration is -1"),
        (lambda: am_chirp(torch.ones(2), duration="4"), TypeError, "duration is '4'"),
        (lambda: am_chirp(torch.ones(2), sample_rate=0), ValueError, "sample_rate is 0"),
        (lambda: ripple(torch.ones(2), f_high=100.0), ValueError, "f_high is 100"),
        (lambda: ripple(torch.ones(2), partials=1), ValueError, "partials is 1"),
        (lambda: ripple(torch.ones(2), duration=0.5), ValueError, "duration is 0.5"),
        (lambda: ripple(torch.tensor([5000.0, 1.0])), ValueError, "temporal modulation"),
        (lambda: sequence(am_chirp, torch.ones(2), []), ValueError, "onsets is empty"),
        (lambda: sequence(am_chirp, torch.ones(2), [math.inf]), ValueError, r"onsets\[0\]"),
        (lambda: delay(torch.ones(4), 4), ValueError, "samples is 4"),
        (lambda: delay(torch.ones(4), 0.5), TypeError, "samples is 0.5"),
        (lambda: draw(am_chirp, 0, seed=0), ValueError, "count is 0"),
    ],
)
def test_bad_input_is_named(call, error, says):
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize("synth", [short, ripple, partial(sequence, short, onsets=(-0.05, 0.05))])
def test_the_books_synthesizers_pass_their_examination(synth):
    examine(synth)


TONE = parameters(Parameter("pitch", "f", "Hz", 2.0, 8.0))
TIME = torch.arange(256) / 256


@TONE
def fine(theta):
    return torch.sin(2 * math.pi * theta * TIME.to(theta))


@TONE
def one_for_all(theta):
    return fine(theta).mean(0)


@TONE
def undefined(theta):
    return (5.0 - theta).sqrt() * fine(theta)


@TONE
def single(theta):
    return fine(theta).float()


@TONE
def talkative(theta):
    """Each sound depends on the whole batch."""
    return fine(theta) * theta.mean()


@TONE
def foreign(theta):
    return torch.from_numpy(np.sin(theta.detach().numpy() * TIME.numpy())).to(theta)


@TONE
def rounded(theta):
    return fine(theta.round())


@TONE
def halved(theta):
    """Its derivative is half of what it should be."""
    return fine(theta / 2 + (theta / 2).detach())


def test_a_sound_synthesizer_passes():
    examine(fine)


@pytest.mark.parametrize(
    ("synth", "says"),
    [
        (one_for_all, r"has shape \(256,\) for theta of shape \(5, 1\)"),
        (undefined, "holds NaN"),
        (single, "is torch.float32 for theta of torch.float64"),
        (talkative, "not that of its rows"),
        (foreign, "differentiated|depend on theta"),
        (rounded, "no derivative by its pitch"),
        (halved, "differs from its difference by a relative"),
    ],
)
def test_what_will_not_do_is_told(synth, says):
    with pytest.raises(ValueError, match=says):
        examine(synth)


def test_a_synthesizer_without_parameters_is_told():
    with pytest.raises(TypeError, match="parameters"):
        examine(lambda theta: theta)
