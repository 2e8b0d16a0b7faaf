"""g: from parameters to sound.

A synthesizer is a function of `theta` (..., P) that returns a sound (..., N). Decorated with
`@parameters(...)`, it declares what it takes, and suits every solver, landscape and figure.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from scipy.interpolate import CubicSpline
from scipy.signal.windows import tukey
from torch import Tensor

from . import checks
from .parameters import Parameter, parameters

SAMPLE_RATE = 8192  # Hz, of every sound in the book unless stated otherwise
SILENT_TAIL = 2**12  # samples that `ripple` leaves free, so that the longest delay cuts nothing
OCTAVES = np.linspace(0, 3, 16)  # of the partials of `ripple`, above the lowest
PARTIALS = 256 * 2**OCTAVES  # Hz
PHASES = np.random.default_rng(0).random(len(PARTIALS))


@parameters(
    Parameter("modulation frequency", "f_m", "Hz", 4.0, 16.0),
    Parameter("chirp rate", "\\gamma", "octaves/s", 0.5, 4.0),
)
def am_chirp(
    theta: Float[Tensor, "*batch 2"],
    *,
    carrier: float = 512.0,
    bandwidth: float = 2.0,
    duration: float = 4.0,
    sample_rate: float = SAMPLE_RATE,
    unit_energy: bool = True,
) -> Float[Tensor, "*batch n"]:
    r"""An exponential chirp, modulated in amplitude, under a Gaussian window.

    .. math:: x(t) = \sin\Bigl(2\pi f_c \frac{2^{\gamma t} - 1}{\gamma \ln 2}\Bigr)
        \sin(2\pi f_m t) \exp\Bigl(-\frac{t^2}{2 \sigma^2}\Bigr), \quad \sigma = 0.1\, b / |\gamma|

    for t in [-duration/2, duration/2). Vahidi et al., "Mesostructures", JAES 71(9), 2023,
    section 3. Their code multiplies by gamma, so that the level gives the chirp rate away; here
    the sum of squares is one, unless `unit_energy` is false. The sound has the dtype and device of
    `theta`, and N = round(duration * sample_rate) samples.
    The explorers play a copy of this function, `page/scripts/chirp.js`.

    Parameters
    ----------
    theta : (..., 2)
        Modulation frequency f_m in Hz, above 0 and below the Nyquist frequency, and chirp rate
        gamma in octaves per second, of either sign, or zero for a steady tone.
    carrier : Hz, the frequency f_c at t = 0.
    bandwidth : octaves, b; the chirp crosses a tenth of it in one standard deviation.
    duration, sample_rate : seconds, Hz.
    unit_energy : whether each sound is divided by its Euclidean norm.
    """
    samples = _check_chirp(theta, carrier, bandwidth, duration, sample_rate)
    f_m, gamma = theta[..., 0, None], theta[..., 1, None]
    t = torch.arange(samples, dtype=torch.float64) / sample_rate - duration / 2
    t = t.to(theta)
    octaves = gamma * t
    phase = 2 * math.pi * carrier * t * _exprel(math.log(2) * octaves)
    # Written without dividing by gamma, which may be zero.
    window = torch.exp(-50 / bandwidth**2 * octaves * octaves)
    x = torch.sin(phase) * torch.sin(2 * math.pi * f_m * t) * window
    return _normalize(x) if unit_energy else x


@parameters(
    Parameter("temporal modulation rate", "w", "Hz", 2.0, 16.0),
    Parameter("spectral density", "\\Omega", "cycles/octave", 0.2, 1.5),
)
def ripple(
    theta: Float[Tensor, "*batch 2"],
    *,
    duration: float = 4.0,
    sample_rate: float = SAMPLE_RATE,
) -> Float[Tensor, "*batch n"]:
    r"""A moving ripple: partials whose loudness is a wave over time and log-frequency.

    .. math:: x(t) = v(t) \sum_i \sin(2\pi f_i t + \varphi_i)
        \bigl[1 + \sin\bigl(2\pi(w t + \Omega \log_2(f_i / f_0))\bigr)\bigr]

    with 16 frequencies f_i from 256 to 2048 Hz in geometric progression, fixed phases, and a
    Tukey window v that ends 2^12 samples before the sound does; the sum of squares is one. Crests
    fall in frequency when w and Omega have the same sign. Chi, Ru and Shamma, "Multiresolution
    spectrotemporal analysis of complex sounds", JASA 118(2), 2005.

    Parameters
    ----------
    theta : (..., 2)
        Temporal modulation rate w in Hz, below the Nyquist frequency, and spectral density
        Omega in cycles per octave, each of either sign.
    duration : seconds, longer than the silent tail of 2^12 samples.
    sample_rate : Hz, above 4096.
    """
    checks.real("sample_rate", sample_rate, above=2 * PARTIALS[-1])
    samples = _check_sound(theta, duration, sample_rate, signed=True)
    checks.integer("duration * sample_rate", samples, least=SILENT_TAIL + 1)
    w, density = theta[..., 0, None], theta[..., 1, None]
    t = (torch.arange(samples, dtype=torch.float64) / sample_rate).to(theta)
    event = torch.from_numpy(tukey(len(t) - SILENT_TAIL, 0.1)).to(t)
    fixed = PARTIALS, OCTAVES, PHASES
    frequencies, octaves, phases = (torch.from_numpy(each).to(t) for each in fixed)
    tones = torch.sin(2 * math.pi * (frequencies[:, None] * t + phases[:, None]))
    # Phasors: partials meet the density in a matrix product (of complex numbers, which
    # `torch.autocast` does not round), and w once for all.
    at_rest = torch.exp(2j * math.pi * density * octaves) @ tones.to(density.dtype.to_complex())
    x = tones.sum(0) + (torch.exp(2j * math.pi * w * t) * at_rest).imag
    return _normalize(torch.nn.functional.pad(event, (0, SILENT_TAIL)) * x)


def sequence(
    synth: Callable[[Tensor], Tensor],
    theta: Float[Tensor, "*batch P"],
    onsets: Sequence[float] | Tensor | np.ndarray,
    *,
    sample_rate: float = SAMPLE_RATE,
) -> Float[Tensor, "*batch n"]:
    """The same event at several onsets, with unit energy: the mesostructure of a sequence.

    Parameters
    ----------
    synth : a synthesizer at `sample_rate`. As `partial(sequence, synth, onsets=...)`, the
        sequence is itself a synthesizer with the same parameters.
    onsets : seconds by which each repetition comes later than `synth` places the event;
        negative is earlier. Rounded to samples; what leaves the frame is cut.
    sample_rate : Hz.
    """
    event = checks.function("synth", synth)(theta)
    longest = event.shape[-1] / checks.real("sample_rate", sample_rate, above=0)
    onsets = onsets.tolist() if hasattr(onsets, "tolist") else onsets
    if not isinstance(onsets, Sequence) or not onsets:
        raise TypeError(f"onsets is {onsets!r}; expected a sequence of seconds")
    seconds = [checks.real("onsets", each, above=-longest, below=longest) for each in onsets]
    return _normalize(sum(delay(event, round(each * sample_rate)) for each in seconds))


def delay(x: Float[Tensor, "*batch n"], samples: int) -> Float[Tensor, "*batch n"]:
    """Shift a sound (..., N) later by `samples` (earlier if negative) and fill with zeros."""
    length = checks.tensor("x", x).shape[-1]
    checks.integer("samples", samples, least=1 - length, most=length - 1)
    return torch.nn.functional.pad(x, (samples, -samples))  # a negative number of zeros cuts


def warp(x: Float[Tensor, " n"], amount: float, phase: float) -> Float[Tensor, " n"]:
    """A sound (N,) whose clock runs up to `amount` faster and slower, once in its duration.

    `amount` is between -1 and 1, where the clock would stand still; `phase` is in turns.
    """
    turn = torch.arange(len(x), dtype=torch.float64) / len(x)
    shift = amount / (2 * math.pi) * torch.sin(2 * math.pi * (turn + phase))
    spline = CubicSpline(turn.numpy(force=True), x.numpy(force=True).astype(float))
    return torch.from_numpy(spline((turn + shift).clamp(0, turn[-1]).numpy(force=True))).to(x)


def samples_of(duration: float, sample_rate: float) -> int:
    """How many samples a sound of `duration` seconds has."""
    seconds = checks.real("duration", duration, above=0)
    samples = round(seconds * checks.real("sample_rate", sample_rate, above=0))
    return checks.integer("duration * sample_rate", samples, least=1)


def _check_chirp(theta, carrier, bandwidth, duration, sample_rate) -> int:
    samples = _check_sound(theta, duration, sample_rate, signed=False)
    checks.real("carrier", carrier, above=0)
    checks.real("bandwidth", bandwidth, above=1e-6)
    top = carrier * 2 ** min(0.3 * bandwidth, 1000.0)  # three standard deviations up
    if top >= sample_rate / 2:
        raise ValueError(
            f"carrier is {carrier!r} and bandwidth {bandwidth!r}, so that the chirp reaches "
            f"{top:g} Hz; expected less than half the sample_rate {sample_rate!r}"
        )
    return samples


def _check_sound(theta, duration, sample_rate, signed: bool) -> int:
    """The number of samples, if the first parameter is a rate below the Nyquist frequency."""
    samples = samples_of(duration, sample_rate)
    rate = checks.floating("theta", theta, last=2)[..., 0]
    low, high = -sample_rate / 2 if signed else 0.0, sample_rate / 2
    if not checks.all_true((rate > low) & (rate < high)):
        some = rate.flatten()[:4].tolist()
        raise ValueError(f"theta[..., 0] is {some}; expected above {low:g} and below {high:g} Hz")
    return samples


def _exprel(u: Tensor) -> Tensor:
    """(e^u - 1) / u, and its limit 1 at u = 0, with derivatives that are exact on both sides.

    The quotient loses digits near zero, so e^(u/2) sinh(u/2) / (u/2) stands in there, with the
    Taylor polynomial of an even function, half as many terms as that of the quotient. Beyond
    |u| = 60 (more than 80 octaves) the window has long ended: the bound keeps e^u finite.
    """
    near = u.abs() < 0.3
    half = 0.5 * torch.where(near, u, 0.0)
    square = half * half
    series = 1 / math.factorial(11)
    for n in (9, 7, 5, 3, 1):  # products here too
        series = 1 / math.factorial(n) + square * series
    large = torch.where(near, 1.0, u.clamp(-60, 60))
    return torch.where(near, torch.exp(half) * series, torch.expm1(large) / large)


def _normalize(x: Tensor) -> Tensor:
    """Divide by the Euclidean norm; silence stays silence."""
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x / torch.where(norm > 0, norm, 1.0)
