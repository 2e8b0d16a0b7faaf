"""Joint time-frequency scattering (JTFS): exact, band-limited, differentiable both ways.

A scalogram |x * psi_1| is filtered by wavelets along time and along log-frequency, a modulus
is taken, and the result is averaged: a map of spectrotemporal modulations. Andén, Lostanlen
and Mallat, "Joint time-frequency scattering", IEEE TSP 67(14), 2019; Muradeli et al.,
"Differentiable time-frequency scattering on GPU", DAFx 2022.

What makes it fast: a wavelet is narrow in the Fourier domain, so that each is applied, brought
to base band and sampled at the rate of its bandwidth; scattering along log-frequency is one
matrix product; and the modulus is averaged while it is still in the processor's cache, never
stored, and recomputed for the gradient.

This file and `wavelets.py` need torch, numpy, scipy and kymatio, and nothing else of this library.
"""

import contextlib
import functools
import inspect
import math
from numbers import Integral, Real

import numpy as np
import torch
from torch import nn

try:
    from . import wavelets
except ImportError:  # both files copied side by side into a project of one's own
    import wavelets

# Samples per bandwidth sigma of a second-order wavelet, and at least. The modulus has no sharp
# band limit, so that this, not the wavelet's own band, decides how exact its average is. More
# than 8 gains little while MIN_SAMPLES is the limit; 6 errs twice as much where T is local. The
# same along log-frequency, where the mean is global.
SAMPLES_PER_SIGMA = 8
MIN_SAMPLES = 128

# Samples below it count as silence. Below it the first modulus would reach the subnormal numbers,
# at some of which the derivative of torch's complex `abs` is NaN.
SILENCE = 1e-20

# Samples above it are a slip: squares of them, and sums of those, would leave float32.
LOUDEST = 1e15

# Time samples that the modulus takes at once: on a CPU to stay in cache; on a GPU, which wants
# many, to stay below some 500 MB however large the batch.
BLOCK, GPU_BLOCK = 512, 2**15

PATH = np.dtype(
    [(name, np.int64) for name in ("order", "n1", "n2", "n_fr", "spin")]
    + [(f"{name}_{axis}", float) for axis in ("1", "2", "fr") for name in ("xi", "sigma")]
    + [("time", float)]
)


class Described(nn.Module):
    """A module whose `repr` is the call that makes it; it keeps its arguments under their names."""

    def __repr__(self):
        names = inspect.signature(type(self)).parameters
        settings = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({settings})"


class Scattering(Described):
    """What `JTFS` and time scattering share: all that happens along time. Arguments as of `JTFS`.

    A subclass sets `order_1` and `order_2`, whose filters act along log-frequency.
    """

    def __init__(self, length, J, Q, T, oversampling):
        super().__init__()
        _check_settings(length, J, Q, T, oversampling)
        self.length, self.J, self.Q, self.T = length, J, tuple(Q), T
        self.oversampling = float(oversampling)
        self.bank_1, self.bank_2 = (wavelets.filter_bank(J, q) for q in Q)
        width = 2**J if T == "global" else T

        # Input: the signal with reflections on both sides.
        self.padded = wavelets.padded_length(length, width)
        self.pad_left = (self.padded - length) // 2

        # Averages: one frame in 2**log2_stride samples of the signal.
        self.log2_stride = int(math.log2(width))
        self.first_frame = -(-self.pad_left >> self.log2_stride)
        end_frame = -(-(self.pad_left + length) >> self.log2_stride)
        self.frames = 1 if T == "global" else end_frame - self.first_frame
        self.lowpass = _buffer(wavelets.lowpass_band(self.padded, width))

        # The scalogram keeps the Fourier bins that the average and the second order read.
        self.bands_2 = [
            wavelets.morlet_band(self.padded, xi, sigma)
            for xi, sigma, _ in zip(*self.bank_2, strict=True)
        ]
        self.scalogram = nn.ModuleList(_ScalogramRows(self, j) for j in np.unique(self.bank_1.j))

    def forward(self, x):
        _check_input("x", x, self.length)
        return self._push(x[None])[0]

    def push_forward(self, x, tangents):
        """Features of x, and their derivatives along `tangents`, in one pass over both.

        x (..., length), tangents (K, ..., length) -> (..., D), (K, ..., D). Same values as `jvp`
        of `torch.func` along each tangent, in less time, as a modulus is computed once for all
        tangents. What comes out cannot be differentiated again.
        """
        _check_input("x", x, self.length)
        _check_input("tangents", tangents, self.length)
        pushed = self._push(torch.cat([x[None], tangents]))
        return pushed[0], pushed[1:]

    def _push(self, z):
        """Features of z[0] and derivatives along z[1:]: (1 + K, ..., length) -> (1 + K, ..., D)

        In what follows the first axis, 1 + K, is carried along; all is linear but the moduli.
        """
        spectrum = self._input(z.reshape(len(z), -1, self.length))
        rows = [scale(spectrum) for scale in self.scalogram]
        features = [self._first_order(rows)] + [joint(rows) for joint in self.order_2]
        return torch.cat(features, dim=-1).reshape(*z.shape[:-1], -1)

    def _input(self, z):
        """Silence made zero, reflections added: (..., batch, length) -> spectrum (..., padded)"""
        pad_right = self.padded - self.length - self.pad_left
        z = torch.where(z[0].abs() <= SILENCE, 0.0, z)  # a NaN is not silence
        padded = nn.functional.pad(z, (self.pad_left, pad_right), mode="reflect")
        return torch.fft.fft(padded, norm="forward")

    def _first_order(self, rows):
        """Scattering of the averaged scalogram: half spectra of its rows -> (..., outputs)"""
        S = torch.cat([self._average(row) for row in rows], dim=-2)
        if self.T != "global":
            S = S[..., self.first_frame : self.first_frame + self.frames]
        real, imag = product(S.mT, self.order_1.convolve[::2].to(S)).chunk(2, dim=-1)
        U = _modulus(torch.complex(real, imag))
        return self.order_1.average(U.mean(-2, keepdim=True) if self.T == "global" else U)

    def _average(self, rows):
        """Scalogram rows averaged over T: half spectra (..., n1, bins) -> (..., n1, time)"""
        averaged = rows * self.lowpass[: rows.shape[-1]].to(rows.real)
        return torch.fft.irfft(averaged, n=self.padded >> self.log2_stride, norm="forward")

    def _second_order(self, filters):
        """One module per wavelet along time and its rows, those with j1 < j2.

        `filters(n)` returns the filters along log-frequency of the first n rows.
        """
        counts = [int((self.bank_1.j < j2).sum()) for j2 in self.bank_2.j]
        shared = {n: filters(n) for n in set(counts) - {0}}
        return nn.ModuleList(_Joint(self, n2, shared[n]) for n2, n in enumerate(counts) if n)

    @property
    def paths(self):
        """One row per output, normalized: see `table`."""
        return self.table()

    def table(self, sample_rate=None):
        """What each output is: a structured array of D rows.

        order; indices n1, n2, n_fr of the wavelets (-1: none, or averaged over); spin; xi and
        sigma, centre frequency and bandwidth, of the first-order wavelet (_1), of the second
        along time (_2) and along log-frequency (_fr); time at which a local average is centred.
        In cycles per sample, cycles per log-frequency bin and samples, or, with a sample rate
        in Hz: in Hz, cycles per octave and seconds. NaN where it has no meaning.
        """
        joint = [(2, joint.n2, joint.quefrency) for joint in self.order_2]
        frames = self.first_frame + np.arange(self.frames)
        times = [np.nan] if self.T == "global" else (frames << self.log2_stride) - self.pad_left
        rows = [
            (order, n1, n2, n_fr, spin, *first, *_wavelet(self.bank_2, n2), xi, sigma, time)
            for order, n2, stage in [(1, -1, self.order_1), *joint]
            for n_fr, xi, sigma, spin, n1 in stage.outputs
            for first in [_wavelet(self.bank_1, n1)]
            for time in times
        ]
        table = np.array(rows, dtype=PATH)
        if sample_rate is not None:
            for name in ("xi_1", "sigma_1", "xi_2", "sigma_2"):
                table[name] *= sample_rate
            for name in ("xi_fr", "sigma_fr"):
                table[name] *= self.Q[0]
            table["time"] /= sample_rate
        return table


class _ScalogramRows(nn.Module):
    """First-order rows U_1 = |x * psi_1| of one scale j, amplitudes.

    Spectrum of x (..., N) -> half spectra (..., n1, bins). Rows are sampled as Kymatio samples
    them, and keep the bins that are read further on.
    """

    def __init__(self, scattering, j):
        super().__init__()
        N, bank = scattering.padded, scattering.bank_1
        selected = bank.j == j
        bands = [
            wavelets.morlet_band(N, *parameters)
            for parameters in zip(bank.xi[selected], bank.sigma[selected], strict=True)
        ]
        width = max(len(band.values) for band in bands)
        self.values = _buffer(
            np.stack([np.pad(b.values, (0, width - len(b.values))) for b in bands])
        )
        bins = np.stack([(b.start + np.arange(width)) % N for b in bands])
        self.bins = nn.Buffer(torch.from_numpy(bins), persistent=False)
        read = [
            max(band.start + len(band.values), -band.start)
            for j2, band in zip(scattering.bank_2.j, scattering.bands_2, strict=True)
            if j2 > j
        ]
        self.kept = 1 + max([N >> scattering.log2_stride + 1, *read])
        self.size = _fast_size(
            max(scattering.oversampling * N / 2**j, width, 2 * self.kept if read else 0)
        )

    def forward(self, spectrum):
        bands = spectrum[..., self.bins.to(spectrum.device)] * self.values.to(spectrum.real)
        # Cut from bin `start` on, the band is transformed back as if it began at zero: its output
        # is shifted in frequency, which the modulus does not see.
        U = _modulus(torch.fft.ifft(bands, n=self.size, norm="forward"))
        return torch.fft.rfft(U, norm="forward")[..., : self.kept]


class _Joint(nn.Module):
    """Second-order paths of one temporal wavelet: half spectra of rows -> (..., outputs)"""

    def __init__(self, scattering, n2, quefrency):
        super().__init__()
        N, T, frames = scattering.padded, scattering.T, scattering.frames
        bank_1, bank_2 = scattering.bank_1, scattering.bank_2
        band = scattering.bands_2[n2]
        self.n2, self.start, self.stop = n2, band.start, band.start + len(band.values)
        self.scales = len(np.unique(bank_1.j[bank_1.j < bank_2.j[n2]]))
        self.quefrency, self.frames = quefrency, frames
        size = max(SAMPLES_PER_SIGMA * bank_2.sigma[n2] * N, MIN_SAMPLES) * scattering.oversampling
        if T == "global":
            self.size = _fast_size(size)
            weights = np.full((self.size, 1), 1 / self.size)
            self.starts = (0,) * -(-self.size // BLOCK)
        else:  # leave room for the band of the low-pass filter beside that of the modulus
            self.size = _fast_size(size + (N >> scattering.log2_stride))
            weights, self.starts = wavelets.time_average(
                self.size, N, T, scattering.first_frame, frames, BLOCK
            )
        self.band, self.weights = _buffer(band.values), _buffer(weights)

    def forward(self, rows):
        Y = torch.view_as_real(self.filter(rows).mT.contiguous()).flatten(-2)
        filters = self.quefrency.convolve.to(Y), self.weights.to(Y), self.starts, self.frames
        if len(Y) == 1:
            U = _AveragedModulus.apply(Y[0], *filters)[None]
        else:
            U = _PushForward.apply(Y[1:], Y[0], *filters)
        return self.quefrency.average(U)

    def filter(self, rows):
        """U_1 * psi_2 up to a phase common to all n1: half spectra -> complex (..., n1, M)"""
        rows = torch.cat([_bins(row, self.start, self.stop) for row in rows[: self.scales]], dim=-2)
        rows = rows * self.band.to(rows.real)
        # Folded onto M bins, a band wider than the sampling rate still gives exact samples.
        rows = nn.functional.pad(rows, (0, -rows.shape[-1] % self.size))
        return torch.fft.ifft(rows.unflatten(-1, (-1, self.size)).sum(-2), norm="forward")


class JTFS(Scattering):
    """Joint time-frequency scattering of signals of `length` samples: (..., length) -> (..., D).

    Order 1, |S_1 * psi_fr| for spins >= 0, then order 2, |U_1 * psi_2 * psi_fr|, in the order of
    Kymatio's development version, of which these are the outputs as means instead of sums.
    `paths` names each. Signals are padded by reflection, as there.

    length      samples of the input, at least 2**J
    J           longest wavelets along time span about 2**J samples
    Q           first- and second-order wavelets per octave along time
    J_fr, Q_fr  the same along log-frequency, where 2**J_fr counts first-order wavelets
    T           "global": mean over time; int: average over T samples, every 2**floor(log2(T))
    F           "global": mean over log-frequency, for spin +1 and -1 with its zero padding;
                int: average over F bins, every 2**floor(log2(F)); None: no average, every 2**j
                bins for a wavelet of scale j
    oversampling  accuracy against time and memory, see below

    With T="global" the mean is over the signal and its reflections, hence both directions: spins
    of opposite sign come out nearly alike. Take a local T where up must differ from down; spin
    +1 then answers to rising, -1 to falling frequency.

    Outputs run over paths, then (F not "global") log-frequency, then (T not "global") time.
    Input is float32 or float64, up to 1e15 in size, on any device; filters follow its dtype and
    device, but `.to()` moves them once and for all. Silence is legal: where a modulus is zero, so
    is its derivative. A NaN in a signal makes its features NaN. Reverse mode, forward mode and
    `torch.func` work; second derivatives do not. `torch.autocast` changes nothing.

    oversampling, from 0.5 to 16, multiplies the sampling rates of both orders along time and,
    from 1 on and where F is global, along log-frequency. Measured with the default settings,
    2**15 samples, float32, against oversampling=4, worst of seven signals (noise, chirp, click,
    harmonic and beating tones, decaying and lone note):

        oversampling                                     0.5     1       2
        relative L2 error of all outputs                 3e-4    9e-5    1e-5
        error of the worst path above 1 % of the largest 8e-3    3e-3    3e-4
        time of value and gradient, relative             0.6     1       3
        memory of value and gradient, MB                 35      65      120

    Features of a sound of unit energy are of the order of 1e-6 to 1e-4, and the gradient of a
    squared distance of 1e-12, which Adam, of epsilon 1e-8, does not follow. Make the loss
    relative, |S x - S y|^2 / |S y|^2: its gradient is of the order of 1e-4.
    """

    def __init__(
        self, length, *, J=12, Q=(8, 2), J_fr=5, Q_fr=2, T="global", F="global", oversampling=1.0
    ):
        super().__init__(length, J, Q, T, oversampling)
        count = len(self.bank_1.xi)
        _check_integer("J_fr", J_fr, int(math.log2(count)))
        _check_integer("Q_fr", Q_fr, 128)
        _check_integer("F", F, count, others=("global", None))
        self.J_fr, self.Q_fr, self.F = J_fr, Q_fr, F
        rate = SAMPLES_PER_SIGMA * max(1, self.oversampling)
        self.order_1 = _Quefrency(self, count, (1,), 4 * rate)  # it is cheap
        self.order_2 = self._second_order(lambda n: _Quefrency(self, n, (1, -1), rate))


class _Quefrency(nn.Module):
    """Wavelets along the first n1_max log-frequency bins, and the average over log-frequency."""

    def __init__(self, jtfs, n1_max, spins, rate):
        super().__init__()
        scales = jtfs.J, jtfs.Q[0], jtfs.J_fr, jtfs.Q_fr
        convolve, pool, self.outputs = wavelets.frequential(n1_max, *scales, jtfs.F, spins, rate)
        # A complex product as a real one: re, im of each bin side by side -> all re, then all im.
        C = convolve.T
        real_form = np.stack([np.hstack([C.real, C.imag]), np.hstack([-C.imag, C.real])], axis=1)
        self.convolve = _buffer(real_form.reshape(2 * n1_max, -1))
        self.pool = _buffer(pool)

    def average(self, U):
        """(..., time, rows) -> (..., outputs * time)"""
        return product(U, self.pool.to(U)).mT.flatten(-2)


def _exact(forward):
    """Decorate a function of a tensor: `torch.autocast` rounds no product in it."""

    @functools.wraps(forward)
    def inner(tensor, *others):
        kind = tensor.device.type
        if not (torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)):
            return forward(tensor, *others)
        with torch.autocast(kind, enabled=False):
            return forward(tensor, *others)

    return inner


def product(Y, C):
    """Y @ C in full precision both ways: (..., n), constant (n, m) -> (..., m).

    Inside `torch.autocast` the operator `@` rounds, and so does its gradient, which does not know
    how the forward pass was made.
    """
    return _Product.apply(Y, C)


class _Product(torch.autograd.Function):
    @staticmethod
    @_exact
    def forward(Y, C):
        return Y @ C

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[1])
        ctx.save_for_forward(inputs[1])

    @staticmethod
    def backward(ctx, grad):
        return _Product.apply(grad, ctx.saved_tensors[0].mT), None

    @staticmethod
    def jvp(ctx, tangent, _):
        return _Product.apply(tangent, ctx.saved_tensors[0])

    @staticmethod
    def vmap(info, in_dims, Y, C):
        return _Product.apply(Y.movedim(in_dims[0], 0), C), 0


class _Function(torch.autograd.Function):
    @classmethod
    def vmap(cls, info, in_dims, *inputs):
        """`torch.func.vmap` takes one item after the other."""
        values = [
            value.unbind(dim) if isinstance(dim, int) else [value] * info.batch_size
            for value, dim in zip(inputs, in_dims, strict=True)
        ]
        return torch.stack([cls.apply(*item) for item in zip(*values, strict=True)]), 0


class _AveragedModulus(_Function):
    """|Y C| averaged over time, of which nothing but Y is stored.

    Y (batch, M, 2 n1), C (2 n1, 2 rows) in real form, weights (M, reach): a block of time
    samples adds to the frames from its start on. Returns (batch, frames, rows).
    """

    @staticmethod
    @_exact
    def forward(Y, C, weights, starts, frames):
        out = Y.new_zeros(len(Y), frames, C.shape[1] // 2)
        for item, time, frame in _blocks(Y, weights, starts):
            out[item, frame] += weights[time].T @ _abs(_complex_product(Y[item, time], C))
        return out

    @staticmethod
    def setup_context(ctx, inputs, output):
        *tensors, ctx.starts, ctx.frames = inputs
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)

    @staticmethod
    def backward(ctx, grad):
        return _Adjoint.apply(grad, *ctx.saved_tensors, ctx.starts), None, None, None, None

    @staticmethod
    def jvp(ctx, tangent, *_):
        return _PushForward.apply(tangent[None], *ctx.saved_tensors, ctx.starts, ctx.frames)[1]


class _Derivative(_Function):
    """A first derivative, which refuses a second. `once_differentiable` would let pass, and take
    for constant, a gradient whose incoming gradient is constant."""

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, *grads):
        raise RuntimeError("JTFS has first derivatives only")

    jvp = backward


class _Adjoint(_Derivative):
    """Gradient of a loss with respect to Y, from its gradient (batch, frames, rows)."""

    @staticmethod
    @_exact
    def forward(grad, Y, C, weights, starts):
        out = torch.empty_like(Y)
        for item, time, frame in _blocks(Y, weights, starts):
            z = _complex_product(Y[item, time], C)
            z *= _inverse(_abs(z)).mul_(weights[time] @ grad[item, frame])[:, :, None]
            out[item, time] = z.flatten(2) @ C.T
        return out


class _PushForward(_Derivative):
    """Averaged modulus of Y, then its derivatives along K tangents of Y, (K, batch, M, 2 n1)."""

    @staticmethod
    @_exact
    def forward(tangents, Y, C, weights, starts, frames):
        out = Y.new_zeros(1 + len(tangents), len(Y), frames, C.shape[1] // 2)
        for item, time, frame in _blocks(Y, weights, starts):
            z, average = _complex_product(Y[item, time], C), weights[time].T
            U = _abs(z)
            out[0, item, frame] += average @ U
            z *= _inverse(U)[:, :, None]
            for k, tangent in enumerate(tangents, start=1):
                real, imag = _complex_product(tangent[item, time], C).mul_(z).unbind(2)
                out[k, item, frame] += average @ real.add_(imag)
        return out


def _modulus(z):
    """|z[0]| and its derivatives along z[1:], zero where z[0] is: complex -> real, same shape."""
    U = z[0].abs()
    if len(z) == 1:
        return U[None]
    tangents = z[1:].real * z[0].real + z[1:].imag * z[0].imag
    return torch.cat([U[None], tangents.mul_(_inverse(U))])


def _blocks(Y, weights, starts):
    """Slices of Y along batch and time that are handled at once, and of the frames they reach."""
    batch, M, _ = Y.shape
    whole = Y.is_cuda and len(set(starts)) == 1
    step = M if whole else min(BLOCK, M)
    items = max(1, (GPU_BLOCK if Y.is_cuda else BLOCK) // step)
    for i in range(0, batch, items):
        for t in range(0, M, step):
            start = starts[t // BLOCK]
            yield slice(i, i + items), slice(t, t + step), slice(start, start + weights.shape[1])


def _complex_product(Y, C):
    """Y (batch, time, 2 n1) times C in real form: (batch, time, 2, rows), real parts first."""
    return (Y.flatten(0, 1) @ C).view(*Y.shape[:2], 2, -1)


def _abs(z):
    """Modulus of z, real and imaginary parts along its axis 2."""
    real, imag = z.unbind(2)
    return (real * real).addcmul_(imag, imag).sqrt_()


def _inverse(U):
    """1 / U, large but finite where U is zero: times what is zero there too, it is zero."""
    return U.clamp(min=torch.finfo(U.dtype).tiny ** 0.5).reciprocal_()


def _bins(half, start, stop):
    """Bins start to stop, start possibly negative, from a real signal's half spectrum."""
    if start >= 0:
        return half[..., start:stop]
    return torch.cat([half[..., 1 : 1 - start].flip(-1).conj(), half[..., :stop]], dim=-1)


def _fast_size(n):
    """Smallest integer from n on of the form m 2**k, m in 1, 3, 5, 7: FFTs of it are fast."""
    return min(m << max(0, math.ceil(math.log2(n / m))) for m in (1, 3, 5, 7))


def _buffer(array):
    filters = torch.from_numpy(np.ascontiguousarray(array)).to(torch.get_default_dtype())
    return nn.Buffer(filters, persistent=False)


def _wavelet(bank, n):
    return (np.nan, np.nan) if n < 0 else (bank.xi[n], bank.sigma[n])


def _check_settings(length, J, Q, T, oversampling):
    if not isinstance(Q, (tuple, list)) or len(Q) != 2:
        raise TypeError(f"Q is {Q!r}; expected a pair of integers, one per order")
    _check_integer("length", length, 2**28, least=2)  # more is a slip, and fills the memory
    _check_integer("J", J, int(math.log2(length)))
    for n, per_octave in enumerate(Q):
        _check_integer(f"Q[{n}]", per_octave, 128)
    _check_integer("T", T, length, others=("global",))
    if not isinstance(oversampling, Real) or not 0.5 <= oversampling <= 16:
        raise ValueError(f"oversampling is {oversampling!r}; expected a number from 0.5 to 16")


def _check_integer(name, value, most, *, least=1, others=()):
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if value not in others and not (whole and least <= value <= most):
        expected = " or ".join([*map(repr, others), f"an integer from {least} to {most}"])
        raise ValueError(f"{name} is {value!r}; expected {expected}")


def _check_input(name, x, length):
    if not isinstance(x, torch.Tensor):
        raise TypeError(f"{name} is a {type(x).__name__}; expected a torch.Tensor")
    if x.dtype not in (torch.float32, torch.float64) or x.layout != torch.strided:
        kind = f"{x.dtype}, {x.layout}"
        raise TypeError(f"{name} is of {kind}; expected torch.float32 or torch.float64, dense")
    if x.shape[-1:] != (length,) or x.numel() == 0:
        raise ValueError(f"{name} has shape {tuple(x.shape)}; expected (..., {length})")
    peak = x.detach().abs().amax()
    with contextlib.suppress(RuntimeError):  # inside torch.vmap no value may be looked at
        if peak > LOUDEST:  # a NaN is passed on
            raise ValueError(f"{name} holds {peak:g}; expected values up to {LOUDEST:g}")
