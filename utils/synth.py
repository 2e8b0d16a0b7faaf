"""g: from parameters to sound.

A synthesizer is a function of `theta` (..., P) that returns a sound (..., N) and carries the
tuple of its `parameters`. To add one, write the function and decorate it with `@parameters(...)`:
every solver, landscape and figure then takes it.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from scipy.signal.windows import tukey
from torch import Tensor

from . import checks

SAMPLE_RATE = 8192  # Hz, of every sound in the book unless stated otherwise
SILENT_TAIL = 2**12  # samples that `ripple` leaves free, so that the longest delay cuts nothing


class Parameter(NamedTuple):
    """One parameter of a synthesizer: its name, symbol and unit, and the range that is studied."""

    name: str
    symbol: str
    unit: str
    low: float
    high: float


def parameters(*each: Parameter) -> Callable[[Callable], Callable]:
    """Decorate a synthesizer with the `Parameter`s that the last axis of its `theta` holds.

    Raises
    ------
    TypeError, ValueError
        If a range is not one of positive numbers, as ranges are studied in logarithms.
    """

    for k, one in enumerate(each):
        checks.instance(f"parameters[{k}]", one, Parameter)
        low = checks.real(f"low of {one.name}", one.low, above=1e-15)
        checks.real(f"high of {one.name}", one.high, above=low)
    each = tuple(one._replace(low=float(one.low), high=float(one.high)) for one in each)

    def decorate(synth: Callable) -> Callable:
        synth.parameters = each
        return synth

    return decorate


def parameters_of(synth: Callable) -> tuple[Parameter, ...]:
    """The parameters of a synthesizer, also of a `functools.partial` of it or of a `sequence`.

    Raises
    ------
    TypeError
        If `synth` carries none: decorate it with `@parameters(...)`.
    """
    found = getattr(synth, "parameters", None)
    if found is None and isinstance(synth, partial):
        inner = synth.args[0] if synth.func is sequence and synth.args else synth.func
        return parameters_of(inner)
    if found is None:
        raise TypeError(f"synth is {synth!r}; expected a function decorated with @parameters(...)")
    return found


def draw(synth: Callable, count: int, seed: int) -> Tensor:
    """Independent parameters (count, P), log-uniform over the ranges of a synthesizer."""
    ranges = torch.tensor([(each.low, each.high) for each in parameters_of(synth)]).log()
    generator = torch.Generator().manual_seed(checks.seed("seed", seed))
    size = (checks.integer("count", count, least=1), len(ranges))
    uniform = torch.rand(size, generator=generator, device=generator.device)  # the same anywhere
    return torch.exp(ranges[:, 0] + (ranges[:, 1] - ranges[:, 0]) * uniform.to(ranges.device))


@parameters(
    Parameter("modulation frequency", "f_m", "Hz", 4.0, 16.0),
    Parameter("chirp rate", "\\gamma", "octaves/s", 0.5, 4.0),
)
def am_chirp(
    theta: Tensor,
    *,
    carrier: float = 512.0,
    bandwidth: float = 2.0,
    duration: float = 4.0,
    sample_rate: int = SAMPLE_RATE,
    unit_energy: bool = True,
) -> Tensor:
    r"""An exponential chirp, modulated in amplitude, under a Gaussian window.

    .. math:: x(t) = \sin\Bigl(2\pi f_c \frac{2^{\gamma t} - 1}{\gamma \ln 2}\Bigr)
        \sin(2\pi f_m t) \exp\Bigl(-\frac{t^2}{2 s^2}\Bigr), \quad s = 0.1\, b / |\gamma|

    for t in [-duration/2, duration/2). Vahidi et al., "Mesostructures", JAES 71(9), 2023,
    section 3. Their code multiplies by gamma, which lets the level betray the chirp rate; here
    the sum of squares is one, unless `unit_energy` is false.

    Parameters
    ----------
    theta : (..., 2)
        Modulation frequency f_m in Hz, above 0 and below the Nyquist frequency, and chirp rate
        gamma in octaves per second, of either sign, or zero for a steady tone.
    carrier : Hz, the frequency f_c at t = 0.
    bandwidth : octaves, b; the chirp crosses a tenth of it in one standard deviation.
    duration : seconds.
    sample_rate : Hz.
    unit_energy : whether each sound is divided by its Euclidean norm.

    Returns
    -------
    (..., N) with N = round(duration * sample_rate), in the dtype and on the device of `theta`.

    Raises
    ------
    TypeError, ValueError
        For a wrong type, shape or range, naming the argument.
    """
    t = _time(duration, sample_rate, theta, centred=True)
    f_m, gamma = _columns(theta)
    nyquist = sample_rate / 2
    carrier = checks.real("carrier", carrier, above=0)
    bandwidth = checks.real("bandwidth", bandwidth, above=1e-6)
    top = carrier * 2 ** min(0.3 * bandwidth, 1000.0)  # three standard deviations up
    if top >= nyquist:
        raise ValueError(
            f"carrier is {carrier!r} and bandwidth {bandwidth!r}: the chirp reaches {top:g} Hz; "
            f"expected less than the Nyquist frequency {nyquist:g} Hz of sample_rate "
            f"{sample_rate!r}"
        )
    if not checks.all_true((f_m > 0) & (f_m < nyquist)):
        raise ValueError(
            f"theta[..., 0] is {f_m.flatten().tolist()[:4]}; expected modulation frequencies "
            f"above 0 and below the Nyquist frequency {nyquist:g} Hz of sample_rate {sample_rate!r}"
        )
    octaves = gamma * t
    phase = 2 * math.pi * carrier * t * _exprel(math.log(2) * octaves)
    # t / s = 10 octaves / bandwidth, as products: forward differentiation is slow over a quotient.
    window = torch.exp(-50 / bandwidth**2 * octaves * octaves)
    x = torch.sin(phase) * torch.sin(2 * math.pi * f_m * t) * window
    return _normalize(x) if unit_energy else x


@parameters(
    Parameter("temporal modulation rate", "w", "Hz", 2.0, 16.0),
    Parameter("spectral density", "\\Omega", "cycles/octave", 0.2, 1.5),
)
def ripple(
    theta: Tensor,
    *,
    f_low: float = 256.0,
    f_high: float = 2048.0,
    partials: int = 16,
    duration: float = 4.0,
    sample_rate: int = SAMPLE_RATE,
    unit_energy: bool = True,
) -> Tensor:
    r"""A moving ripple: partials whose loudness is a wave over time and log-frequency.

    .. math:: x(t) = v(t) \sum_i \sin(2\pi f_i t + \varphi_i)
        \bigl[1 + \sin\bigl(2\pi(w t + \Omega \log_2(f_i / f_{low}))\bigr)\bigr]

    with f_i in geometric progression, fixed phases, and a Tukey window v that ends 2^12 samples
    before the sound does. Crests fall in frequency when w and Omega have the same sign. Chi,
    Ru and Shamma, "Multiresolution spectrotemporal analysis of complex sounds", JASA 118(2),
    2005.

    Parameters
    ----------
    theta : (..., 2)
        Temporal modulation rate w in Hz, below the Nyquist frequency, and spectral density
        Omega in cycles per octave, each of either sign.
    f_low, f_high : Hz, the first and the last partial.
    partials : their number, two or more.
    duration : seconds, longer than the silent tail of 2^12 samples.
    sample_rate : Hz.
    unit_energy : whether each sound is divided by its Euclidean norm.

    Returns
    -------
    (..., N) with N = round(duration * sample_rate), in the dtype and on the device of `theta`.

    Raises
    ------
    TypeError, ValueError
        For a wrong type, shape or range, naming the argument.
    """
    t = _time(duration, sample_rate, theta, centred=False)
    w, density = _columns(theta)
    nyquist = sample_rate / 2
    f_low = checks.real("f_low", f_low, above=1e-6)
    f_high = checks.real("f_high", f_high, above=f_low)
    if f_high >= nyquist:
        raise ValueError(
            f"f_high is {f_high!r}; expected less than the Nyquist frequency {nyquist:g} Hz of "
            f"sample_rate {sample_rate!r}"
        )
    checks.integer("partials", partials, least=2, most=2**16)
    if not checks.all_true(w.abs() < nyquist):
        raise ValueError(
            f"theta[..., 0] is {w.flatten().tolist()[:4]}; expected temporal modulation rates "
            f"below the Nyquist frequency {nyquist:g} Hz of sample_rate {sample_rate!r}"
        )
    if len(t) <= SILENT_TAIL:
        raise ValueError(
            f"duration is {duration!r}, {len(t)} samples; expected more than {SILENT_TAIL} samples"
        )
    window = torch.zeros_like(t)
    window[:-SILENT_TAIL] = torch.as_tensor(tukey(len(t) - SILENT_TAIL, 0.1)).to(t)
    # numpy's generator, since torch's is barred from vmap
    phases = torch.from_numpy(np.random.default_rng(0).random(partials)).to(t)
    octaves = np.linspace(0, math.log2(f_high / f_low), partials)
    frequencies, octaves = (torch.from_numpy(each).to(t) for each in (f_low * 2**octaves, octaves))
    tones = torch.sin(2 * math.pi * (frequencies[:, None] * t + phases[:, None]))
    # Phasors: partials meet the density in a matrix product (of complex numbers, which
    # `torch.autocast` does not round), and w once for all.
    at_rest = torch.exp(2j * math.pi * density * octaves) @ tones.to(density.dtype.to_complex())
    x = tones.sum(0) + (torch.exp(2j * math.pi * w * t) * at_rest).imag
    return _normalize(window * x) if unit_energy else window * x


def sequence(
    synth: Callable[[Tensor], Tensor],
    theta: Tensor,
    onsets: Sequence[float],
    *,
    sample_rate: int = SAMPLE_RATE,
    unit_energy: bool = True,
) -> Tensor:
    """The same event at several onsets: the mesostructure of a sequence.

    Parameters
    ----------
    synth : a synthesizer at `sample_rate`. As `partial(sequence, synth, onsets=...)`, the
        sequence is itself a synthesizer with the same parameters.
    theta : (..., P), the parameters of the event.
    onsets : seconds by which each repetition comes later than `synth` places the event;
        negative is earlier. Rounded to samples; what leaves the frame is cut.
    sample_rate : Hz.
    unit_energy : whether the sum is divided by its Euclidean norm.

    Returns
    -------
    (..., N), as `synth` does.

    Raises
    ------
    TypeError, ValueError
        If `onsets` is empty, not finite, or longer than the sound.
    """
    checks.function("synth", synth)
    sample_rate = checks.real("sample_rate", sample_rate, above=0)
    onsets = onsets.tolist() if isinstance(onsets, (Tensor, np.ndarray)) else onsets
    seconds = checks.every("onsets", onsets, checks.real)
    if not seconds:
        raise ValueError("onsets is empty; expected at least one, in seconds")
    event = synth(theta)
    for k, onset in enumerate(seconds):
        if round(abs(onset) * sample_rate) >= event.shape[-1]:
            raise ValueError(
                f"onsets[{k}] is {onset!r} at sample_rate {sample_rate!r}; expected less than the "
                f"sound's {event.shape[-1]} samples"
            )
    x = sum(delay(event, round(onset * sample_rate)) for onset in seconds)
    return _normalize(x) if unit_energy else x


def delay(x: Tensor, samples: int) -> Tensor:
    """Shift a sound (..., N) later by `samples` (earlier if negative) and fill with zeros.

    Raises
    ------
    TypeError, ValueError
        If `samples` is not an integer, or leaves nothing of the sound.
    """
    checks.floating("x", x)
    length = x.shape[-1]
    if abs(checks.integer("samples", samples)) >= length:
        raise ValueError(f"samples is {samples}; expected less than the {length} samples of x")
    kept = x[..., : length - samples] if samples >= 0 else x[..., -samples:]
    padding = (samples, 0) if samples >= 0 else (0, -samples)
    return torch.nn.functional.pad(kept, padding)


def examine(synth: Callable[[Tensor], Tensor], seed: int = 0) -> None:
    """Whether a synthesizer will do for the solvers, landscapes and figures of this book.

    At random parameters and at the ends of their ranges: a batch (B, P) becomes finite sounds
    (B, N) of its own dtype, each that of its row alone, the same whenever asked; and derivatives
    of both modes agree with differences.

    Raises
    ------
    TypeError, ValueError
        At the first thing that will not do, in a sentence that says what.
    """
    seed = checks.seed("seed", seed)
    ranges = torch.tensor([(each.low, each.high) for each in parameters_of(synth)])
    thetas = torch.cat([draw(synth, 3, seed), ranges.T]).double()
    x = checks.floating("synth(theta)", synth(thetas))
    if x.ndim != 2 or len(x) != len(thetas):
        raise ValueError(
            f"synth(theta) has shape {tuple(x.shape)} for theta of shape {tuple(thetas.shape)}; "
            f"expected ({len(thetas)}, N)"
        )
    for dtype in (torch.float32, torch.float64):
        if (found := synth(thetas.to(dtype)).dtype) != dtype:
            raise ValueError(f"synth(theta) is {found} for theta of {dtype}; expected the same")
    if not torch.allclose(torch.stack([synth(theta) for theta in thetas]), x, atol=1e-9):
        raise ValueError("synth(theta) of a batch is not that of its rows one by one; expected so")
    _compare_derivatives(synth, thetas, seed)


def _compare_derivatives(synth: Callable, thetas: Tensor, seed: int) -> None:
    """By each log-parameter: forward and reverse derivative, and a central difference."""
    generator = torch.Generator().manual_seed(seed)
    z, small = thetas.log().requires_grad_(), 1e-6
    sounds = synth(z.exp())
    weights = torch.randn(sounds.shape, generator=generator, device=generator.device).to(sounds)
    if not sounds.requires_grad:
        raise ValueError("synth(theta) does not depend on theta by operations of torch alone")
    (slopes,) = torch.autograd.grad((weights * sounds).sum(), z)
    for k, each in enumerate(parameters_of(synth)):
        way = torch.zeros_like(thetas)
        way[:, k] = 1.0
        try:
            _, forward = torch.func.jvp(lambda q: synth(q.exp()), (z.detach(),), (way,))
        except RuntimeError as error:
            raise ValueError(f"synth cannot be differentiated forwards: {error}") from error
        if not forward.any():
            raise ValueError(f"synth(theta) has no derivative by its {each.name}; expected one")
        with torch.no_grad():
            ends = [synth((z + sign * small * way).exp()) for sign in (1, -1)]
        pairs = {
            "difference": (forward, (ends[0] - ends[1]) / (2 * small)),
            "reverse derivative": ((weights * forward).sum(-1), slopes[:, k]),
        }
        for name, (one, other) in pairs.items():
            error = ((one - other).norm() / one.norm()).item()
            if not error < 1e-3:
                raise ValueError(
                    f"forward derivative of synth by its {each.name} differs from its {name} by a "
                    f"relative {error:.1g}; expected 0.001 at most"
                )


def _time(duration: float, sample_rate: float, like: Tensor, *, centred: bool) -> Tensor:
    """The time axis (N,) in seconds, in the dtype and on the device of `like`."""
    checks.floating("theta", like, last=2)
    samples = samples_of(duration, sample_rate)
    duration, sample_rate = float(duration), float(sample_rate)
    n = torch.arange(samples, dtype=torch.float64)
    start = -duration / 2 if centred else 0.0
    return (start + n / sample_rate).to(like)


def samples_of(duration: float, sample_rate: float) -> int:
    """How many samples a sound of `duration` seconds has.

    Raises
    ------
    TypeError, ValueError
        If that is none, or more than a machine holds.
    """
    seconds = checks.real("duration", duration, above=0)
    samples = round(seconds * checks.real("sample_rate", sample_rate, above=0))
    if not 1 <= samples <= checks.MOST_SAMPLES:
        raise ValueError(
            f"duration is {duration!r} at sample_rate {sample_rate!r}; expected a sample or more, "
            f"and at most {checks.MOST_SAMPLES}"
        )
    return samples


def _columns(theta: Tensor) -> tuple[Tensor, Tensor]:
    return theta[..., 0, None], theta[..., 1, None]


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
