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

import functools
import inspect
import itertools
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
# last is the same along log-frequency, where the mean is global.
SAMPLES_PER_SIGMA = 8
MIN_SAMPLES = 128
SAMPLES_PER_SIGMA_FR = 8

# Samples below it count as silence. Below it the first modulus would reach the subnormal numbers,
# at some of which the derivative of torch's complex `abs` is NaN.
SILENCE = 1e-20

# Time samples that the modulus takes at once: on a CPU to stay in cache; on a GPU, which wants
# many, to stay below some 500 MB however large the batch. And those that add to the same frames.
BLOCK, GPU_BLOCK, SPAN = 1024, 2**15, 512

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

        # First order, scale by scale: wavelets, and how many bins of their rows are read.
        first, second = (self._bands(bank) for bank in (self.bank_1, self.bank_2))
        read = np.array([max(band.stop, -band.start) for band in second])
        scales, averaged = np.unique(self.bank_1.j), self.padded >> self.log2_stride + 1
        self.kept = [1 + max([averaged, *read[self.bank_2.j > j]]) for j in scales] + [1 + averaged]
        self.below = max(0, *(-band.start for band in first))
        self.scalogram = nn.ModuleList()
        for j, kept in zip(scales, self.kept, strict=False):
            own = [first[n] for n in np.flatnonzero(self.bank_1.j == j)]
            stop = max(first[n].stop for n in np.flatnonzero(self.bank_1.j >= j))
            # Sampled as by Kymatio, or as densely as a band, or the bins to be read, ask.
            size = max(self.oversampling * self.padded / 2**j, 2 * kept)
            size = _fast_size(max(size, *(len(band.values) for band in own)))
            self.scalogram.append(_Bandpass(own, self.below, stop, size))

    def _bands(self, bank):
        pairs = zip(bank.xi, bank.sigma, strict=True)
        return [wavelets.morlet_band(self.padded, xi, sigma) for xi, sigma in pairs]

    def _second_order(self, filters):
        """One module per scale: of the wavelets along time that read its rows and all finer ones,
        but no more, since j1 < j2. `filters(n)` makes filters along log-frequency for n rows.
        """
        scales, counts = np.unique(self.bank_1.j, return_counts=True)
        last = np.searchsorted(scales, self.bank_2.j) - 1
        return nn.ModuleList(
            _Joint(self, i, np.flatnonzero(last == i), filters(n) if i in last else None)
            for i, n in enumerate(counts.cumsum().tolist())
        )

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
        rows, order_2 = spectrum.new_empty(*spectrum.shape[:-1], 0, self.kept[0]), []
        for band, joint in zip(self.scalogram, self.order_2, strict=True):
            spectrum = spectrum[..., : band.bins]  # coarser scales read no more
            U = _modulus(band(spectrum))
            own = torch.fft.rfft(U, norm="forward")[..., : joint.kept]
            rows = torch.cat([rows, own], dim=-2)
            order_2 += [joint(rows)] if joint.n2 else []
            rows = rows[..., : joint.passed]
        features = torch.cat([self._first_order(rows), *order_2], dim=-1)
        return features.reshape(*z.shape[:-1], -1)

    def _input(self, z):
        """Silence made zero, reflections added: (..., batch, length) -> spectrum (..., bins), from
        the bin at -below on."""
        z = z.masked_fill(z[0].abs() <= SILENCE, 0.0)  # a NaN is not silence
        pad_right = self.padded - self.length - self.pad_left
        padded = nn.functional.pad(z, (self.pad_left, pad_right), mode="reflect")
        spectrum = torch.fft.fft(padded, norm="forward")
        return torch.cat([spectrum[..., self.padded - self.below :], spectrum], dim=-1)

    def _first_order(self, rows):
        """Scattering of the averaged scalogram: half spectra of its rows -> (..., outputs)"""
        averaged = rows * self.lowpass[: rows.shape[-1]].to(rows.real)
        S = torch.fft.irfft(averaged, n=self.padded >> self.log2_stride, norm="forward")
        if self.T != "global":
            S = S[..., self.first_frame : self.first_frame + self.frames]
        U = self.order_1.modulus(S.mT)
        return self.order_1.average(U.mean(-2, keepdim=True) if self.T == "global" else U)

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
        joint = [(2, n2, joint.quefrency) for joint in self.order_2 for n2 in joint.n2]
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
    Input is float32 or float64 on any device; filters follow its dtype and device, but `.to()`
    moves them once and for all: then nothing waits for the device, and `torch.cuda.graph` can
    capture value and gradient. So no value is looked at: a NaN in a signal makes its features NaN,
    and squares of what is far above 1e15 overflow float32. Silence is legal: where a modulus is
    zero, so is its derivative. Reverse mode, forward mode and `torch.func` work; second derivatives
    do not. `torch.autocast` changes nothing.

    oversampling, from 0.5 to 16, multiplies the sampling rates of both orders along time and,
    from 1 on and where F is global, along log-frequency. Measured with the default settings,
    2**15 samples, float32, against oversampling=4, worst of seven signals (noise, chirp, click,
    harmonic and beating tones, decaying and lone note):

        oversampling                                     0.5     1       2
        relative L2 error of all outputs                 3e-4    9e-5    1e-5
        error of the worst path above 1 % of the largest 8e-3    3e-3    3e-4
        time of value and gradient, relative             0.6     1       3
        memory of value and gradient, MB                 35      55      130

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
        rate = SAMPLES_PER_SIGMA_FR * max(1, self.oversampling)
        self.order_1 = Quefrency(self, count, (1,), 4 * rate)  # it is cheap
        self.order_2 = self._second_order(lambda n: Quefrency(self, n, (1, -1), rate))


class _Bandpass(nn.Module):
    """Wavelets along time, each brought to base band and sampled `size` times.

    They read the bins from -below up to `stop` as if these began at zero: what comes out is shifted
    in frequency, which a modulus does not see.
    """

    def __init__(self, bands, below, stop, size):
        super().__init__()
        self.below, self.bins, self.size = below, below + stop, size
        values = np.zeros((len(bands), self.bins))
        for row, band in zip(values, bands, strict=True):
            row[below + band.start : below + band.stop] = band.values
        # Real and imaginary parts are scaled side by side, hence each value twice in a row.
        self.values = _buffer(values.repeat(2, axis=-1))

    def forward(self, spectra):
        """(..., bins) -> complex (..., wavelets, size)"""
        spectra = torch.view_as_real(spectra).flatten(-2).unsqueeze(-2)
        bands = spectra * self.values.to(spectra)
        if self.bins > self.size:  # samples are exact all the same, once the band is folded
            bands = nn.functional.pad(bands, (0, 2 * (-self.bins % self.size)))
            bands = bands.unflatten(-1, (-1, 2 * self.size)).sum(-2)
        bands = torch.view_as_complex(bands.unflatten(-1, (-1, 2)))
        return torch.fft.ifft(bands, n=self.size, norm="forward")


class _Joint(nn.Module):
    """Second-order paths of the wavelets `n2` along time, which all read the same rows.

    `scale` is that of the last of these rows.
    """

    def __init__(self, scattering, scale, n2, quefrency):
        super().__init__()
        self.n2, self.quefrency, self.frames = n2.tolist(), quefrency, scattering.frames
        self.kept, self.passed = scattering.kept[scale : scale + 2]
        bands = scattering._bands(scattering.bank_2)
        self.below = max([0, *(-bands[n].start for n in self.n2)])
        sizes = [self._size(scattering, n) for n in self.n2]
        groups = itertools.groupby(zip(sizes, self.n2, strict=True), lambda pair: pair[0])
        self.bands = nn.ModuleList(
            _Bandpass([bands[n] for _, n in group], self.below, self.kept, size)
            for size, group in groups
        )
        self._average(scattering, sizes)

    @staticmethod
    def _size(scattering, n2):
        size = max(SAMPLES_PER_SIGMA * scattering.bank_2.sigma[n2] * scattering.padded, MIN_SAMPLES)
        size *= scattering.oversampling
        if scattering.T != "global":
            # Leave room for the band of the low-pass filter beside that of the modulus.
            size += scattering.padded >> scattering.log2_stride
        return _fast_size(size)

    def _average(self, scattering, sizes):
        """Set weights (samples, reach) of the average over time, and which frames they reach.

        Samples and frames of one wavelet follow those of the other.
        """
        N, T, first = scattering.padded, scattering.T, scattering.first_frame
        weights, self.spans = [np.zeros((0, 1))], []
        for i, size in enumerate(sizes):
            if T == "global":
                each, starts = np.full((size, 1), 1 / size), [0]
            else:
                each, starts = wavelets.time_average(size, N, T, first, self.frames, SPAN)
            step, offset = size if len(set(starts)) == 1 else SPAN, sum(sizes[:i])
            for t, start in zip(range(0, size, step), starts, strict=False):
                frame = i * self.frames + start
                span = slice(offset + t, offset + min(t + step, size))
                self.spans.append((span, slice(frame, frame + each.shape[1])))
            weights.append(each)
        reach = max(each.shape[1] for each in weights)
        padded = [np.pad(each, ((0, 0), (0, reach - each.shape[1]))) for each in weights]
        self.weights = _buffer(np.concatenate(padded))

    def forward(self, rows):
        """Half spectra (..., n1, kept) of rows -> (..., outputs)"""
        return self.average(self.filter(rows))

    def filter(self, rows):
        """U_1 * psi_2, up to a phase common to all n1: (..., n1, kept) -> (..., samples, 2 n1),
        real and imaginary parts side by side."""
        if self.below:
            rows = torch.cat([rows[..., 1 : self.below + 1].flip(-1).conj(), rows], dim=-1)
        planes = [plane.mT for band in self.bands for plane in band(rows).unbind(-2)]
        return torch.view_as_real(torch.cat(planes, dim=-2)).flatten(-2)

    def average(self, Y):
        """Means of moduli |Y * psi_fr|: (1 + K, batch, samples, 2 n1) -> (1 + K, batch, outputs)"""
        C, weights = self.quefrency.convolve.to(Y), self.weights.to(Y)
        U = _AveragedModulus.apply(Y, C, weights, self.spans, len(self.n2) * self.frames)
        return self.quefrency.average(U.unflatten(-2, (len(self.n2), -1))).flatten(-2)


class Quefrency(nn.Module):
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

    def modulus(self, S):
        """|S * psi_fr| of real rows S (..., n1_max), at the sampled positions (..., rows)."""
        real, imag = product(S, self.convolve[::2].to(S)).chunk(2, dim=-1)
        return _modulus(torch.complex(real, imag))

    def average(self, U):
        """(..., time, rows) -> (..., outputs * time)"""
        return product(U, self.pool.to(U)).mT.flatten(-2)


def _exact(forward):
    """Decorate a function of tensors: `torch.autocast` rounds no product in it."""

    @functools.wraps(forward)
    def inner(*inputs):
        kind = inputs[0].device.type
        if not (torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)):
            return forward(*inputs)
        with torch.autocast(kind, enabled=False):
            return forward(*inputs)

    return inner


class _Product(torch.autograd.Function):
    """Y @ C, whose gradient `torch.autocast` does not round either."""

    @staticmethod
    @_exact
    def forward(Y, C):
        return Y @ C

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.C = inputs[1]

    @staticmethod
    def backward(ctx, grad):
        return _Product.apply(grad, ctx.C.mT), None

    @staticmethod
    def jvp(ctx, tangent, _):
        return _Product.apply(tangent, ctx.C)

    @staticmethod
    def vmap(info, in_dims, Y, C):
        return _Product.apply(Y.movedim(in_dims[0], 0), C), 0


def product(Y, C):
    """Y @ C in full precision both ways: (..., n), constant (n, m) -> (..., m)."""
    return _Product.apply(Y, C)


class _OfItems(torch.autograd.Function):
    """Its first inputs, `counted` of them, and its output have items along axis 1."""

    counted = 1

    @classmethod
    def vmap(cls, info, in_dims, *inputs):
        """`torch.func.vmap` makes more items."""
        size, folded = info.batch_size, list(inputs)
        for i in range(cls.counted):
            value, dim = inputs[i], in_dims[i]
            value = value.unsqueeze(1) if dim is None else value.movedim(dim, 1)
            folded[i] = value.expand(len(value), size, *value.shape[2:]).flatten(1, 2)
        return cls.apply(*folded).unflatten(1, (size, -1)), 1


class _AveragedModulus(_OfItems):
    """|Y[0] C| averaged over time, and its derivatives along Y[1:]; nothing but Y is stored.

    Y (1 + K, batch, M, 2 n1), C (2 n1, 2 rows) in real form, weights (M, reach): each span of time
    samples adds to the frames named beside it. Returns (1 + K, batch, frames, rows).
    """

    @staticmethod
    @_exact
    def forward(Y, C, weights, spans, frames):
        out = Y.new_zeros(*Y.shape[:2], frames, C.shape[1] // 2)
        for item, time, parts in _blocks(Y[0], spans):
            z = _complex_product(Y[0, item, time], C)
            U = _abs(z)
            _add_average(out[0, item], U, weights[time], parts)
            if len(Y) > 1:
                z /= U.clamp_(min=_least(U))[:, :, None]
            for slope, tangent in zip(out[1:], Y[1:], strict=True):
                real, imag = _complex_product(tangent[item, time], C).mul_(z).unbind(2)
                _add_average(slope[item], real.add_(imag), weights[time], parts)
        return out

    @staticmethod
    def setup_context(ctx, inputs, output):
        *tensors, ctx.spans, ctx.frames = inputs
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)

    @staticmethod
    def backward(ctx, grad):
        if len(grad) > 1:
            _refuse()
        return _Adjoint.apply(grad, *ctx.saved_tensors, ctx.spans), None, None, None, None

    @staticmethod
    def jvp(ctx, tangent, *_):
        Y, *filters = ctx.saved_tensors
        if len(Y) > 1:
            _refuse()
        return _AveragedModulus.apply(torch.cat([Y, tangent]), *filters, ctx.spans, ctx.frames)[1:]


class _Adjoint(_OfItems):
    """Gradient of a loss with respect to Y, from its gradient (1, batch, frames, rows)."""

    counted = 2

    @staticmethod
    @_exact
    def forward(grad, Y, C, weights, spans):
        out = torch.empty_like(Y)
        for item, time, parts in _blocks(Y[0], spans):
            z = _complex_product(Y[0, item, time], C)
            ratio = _abs(z).clamp_(min=_least(z))
            for span, frame in parts:
                change = weights[time][span, : frame.stop - frame.start] @ grad[0, item, frame]
                torch.div(change, ratio[:, span], out=ratio[:, span])
            z *= ratio[:, :, None]
            out[0, item, time] = z.flatten(2) @ C.T
        return out

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, *grads):
        # `once_differentiable` would let pass, and take for constant, a gradient whose incoming
        # gradient is constant.
        _refuse()

    jvp = backward


def _refuse():
    raise RuntimeError("JTFS has first derivatives only")


def _modulus(z):
    """|z[0]| and its derivatives along z[1:], zero where z[0] is: complex -> real, same shape."""
    if len(z) == 1:
        return z.abs()
    U = z[0].abs()
    tangents = z[1:].real * z[0].real + z[1:].imag * z[0].imag
    return torch.cat([U[None], tangents.div_(U.clamp(min=_least(U)))])


def _blocks(Y, spans):
    """Slices of Y along batch and time that are handled at once; and the spans within them."""
    limit = BLOCK if Y.is_cpu else GPU_BLOCK
    blocks = []
    for span, frame in spans:
        for start in range(span.start, span.stop, limit):
            stop = min(start + limit, span.stop)
            if not blocks or stop - blocks[-1][0] > limit:
                blocks.append((start, []))
            first, parts = blocks[-1]
            parts.append((slice(start - first, stop - first), frame))
    for first, parts in blocks:
        length = parts[-1][0].stop
        items = max(1, limit // length)
        for i in range(0, len(Y), items):
            yield slice(i, i + items), slice(first, first + length), parts


def _add_average(out, U, weights, parts):
    """Add to frames, out (items, frames, rows), the average of samples, U (items, time, rows)."""
    for span, frame in parts:
        average = weights[span, : frame.stop - frame.start].T
        torch.baddbmm(out[:, frame], average.expand(len(U), -1, -1), U[:, span], out=out[:, frame])


def _complex_product(Y, C):
    """Y (batch, time, 2 n1) times C in real form: (batch, time, 2, rows), real parts first."""
    return (Y.flatten(0, 1) @ C).view(*Y.shape[:2], 2, -1)


def _abs(z):
    """Modulus of z, real and imaginary parts along its axis 2."""
    real, imag = z.unbind(2)
    if not z.is_cpu:  # where memory, not arithmetic, takes the time
        return torch.hypot(real, imag)
    return (real * real).addcmul_(imag, imag).sqrt_()


def _least(U):
    """Of a modulus to divide by: what it divides is zero where it is, and so is then the ratio."""
    return torch.finfo(U.dtype).tiny ** 0.5


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
