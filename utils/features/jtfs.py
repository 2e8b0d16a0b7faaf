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
# same along log-frequency, where the mean is global.
SAMPLES_PER_SIGMA = 8
MIN_SAMPLES = 128

# Samples below it count as silence. Below it the first modulus would reach the subnormal numbers,
# at some of which the derivative of torch's complex `abs` is NaN.
SILENCE = 1e-20

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

        # First order: wavelets by scale, whose rows keep the bins that the rest of them reads.
        bands_2 = [self._band(self.bank_2, n2) for n2 in range(len(self.bank_2.xi))]
        read = np.array([max(band.start + len(band.values), -band.start) for band in bands_2])
        scales = np.unique(self.bank_1.j)
        averaged = self.padded >> self.log2_stride + 1
        self.kept = [1 + max([averaged, *read[self.bank_2.j > j]]) for j in scales] + [1 + averaged]
        self.scalogram = nn.ModuleList(map(self._rows, scales, self.kept))
        self.lead = max(0, *(-band.start for band in self.scalogram))

    def _band(self, bank, n):
        return wavelets.morlet_band(self.padded, bank.xi[n], bank.sigma[n])

    def _rows(self, j, kept):
        """The first-order wavelets of scale j, sampled as Kymatio samples them and `kept` asks."""
        bands = [self._band(self.bank_1, n1) for n1 in np.flatnonzero(self.bank_1.j == j)]
        size = max(self.oversampling * self.padded / 2**j, *(len(band.values) for band in bands))
        return _Bandpass(bands, _fast_size(max(size, 2 * kept * (self.bank_2.j > j).any())))

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
        bands = self._bands(self._input(z.reshape(len(z), -1, self.length)))
        rows, order_2 = bands[0].new_empty(*bands[0].shape[:-2], 0, self.kept[0]), []
        for band, joint in zip(bands, self.order_2, strict=True):
            Y, rows = joint.filter(rows, _modulus(band))
            order_2 += [joint(Y)] if joint.n2 else []
        features = torch.cat([self._first_order(rows), *order_2], dim=-1)
        return features.reshape(*z.shape[:-1], -1)

    def _input(self, z):
        """Silence made zero, reflections added: (..., batch, length) -> spectrum (..., padded)"""
        z = z.masked_fill(z[0].abs() <= SILENCE, 0.0)  # a NaN is not silence
        pad_right = self.padded - self.length - self.pad_left
        padded = nn.functional.pad(z, (self.pad_left, pad_right), mode="reflect")
        return torch.fft.fft(padded, norm="forward")

    def _bands(self, spectrum):
        """x * psi_1, scale by scale: (..., padded) -> tuple of (..., n1, time)"""

        def there(spectrum):  # with bins below zero in front
            bins = torch.cat([spectrum[..., self.padded - self.lead :], spectrum], dim=-1)
            bins = bins.unsqueeze(-2)
            return tuple(band.there(bins, self.lead).squeeze(-2) for band in self.scalogram)

        def back(*grads):
            bins = grads[0].new_zeros(*grads[0].shape[:-2], 1, self.lead + self.padded)
            for band, grad in zip(self.scalogram, grads, strict=True):
                band.back(grad.unsqueeze(-2), bins, self.lead)
            bins[..., self.padded :] += bins[..., : self.lead]
            return (bins[..., 0, self.lead :],)

        return _Linear.apply(there, back, spectrum)

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


class _Bandpass(nn.Module):
    """Wavelets along time, each brought to base band and sampled `size` times.

    Spectra are read from bin `start` on as if they began at zero: what comes out is shifted in
    frequency, which a modulus does not see. Real and imaginary parts are scaled side by side,
    hence each value twice in a row.
    """

    def __init__(self, bands, size):
        super().__init__()
        self.start = min(band.start for band in bands)
        self.width = max(band.start + len(band.values) for band in bands) - self.start
        values = np.zeros((len(bands), 1, self.width))
        for row, band in zip(values, bands, strict=True):
            row[0, band.start - self.start :][: len(band.values)] = band.values
        self.values, self.size = _buffer(values.repeat(2, axis=-1)), size

    def there(self, spectra, below=0):
        """(..., n, bins), the first `below` zero -> complex (..., wavelets, n, size)"""
        (bins, values), *folded = self._pieces(spectra, below)
        bands = bins.unsqueeze(-3) * values
        # A band wider than the sampling rate still gives exact samples, once it is folded.
        for bins, values in folded:
            bands[..., : bins.shape[-1]].addcmul_(bins.unsqueeze(-3), values)
        return torch.fft.ifft(_complex(bands), n=self.size, norm="forward")

    def back(self, grad, spectra, below=0):
        """Add to the gradient of `spectra` what comes from that of what `there` returns."""
        bands = _real(torch.fft.fft(grad))
        for bins, values in self._pieces(spectra, below):
            part = bands[..., : bins.shape[-1]]
            if len(values) == 1:
                bins.addcmul_(part.squeeze(-3), values[0])
            else:
                bins += (part * values).sum(-3)

    def _pieces(self, spectra, below):
        """Where the wavelets are, `size` bins at a time: parts of the spectra, and the values."""
        bins = _real(spectra)[..., 2 * (below + self.start) :][..., : 2 * self.width]
        values = self.values.to(bins)
        return zip(bins.split(2 * self.size, -1), values.split(2 * self.size, -1), strict=True)


class _Joint(nn.Module):
    """Second-order paths of the wavelets `n2` along time, which all read the same rows.

    `scale` is that of the last of these rows.
    """

    def __init__(self, scattering, scale, n2, quefrency):
        super().__init__()
        self.n2, self.quefrency, self.frames = n2.tolist(), quefrency, scattering.frames
        self.kept, self.passed = scattering.kept[scale : scale + 2]
        # A half spectrum stands for two bins each, but for the first and the last.
        size = scattering.scalogram[scale].size
        share = np.where(2 * np.arange(self.kept) % size, 0.5, 1.0)
        self.share = _buffer(share.repeat(2))
        sizes = [self._size(scattering, n) for n in self.n2]
        self.bands = nn.ModuleList(
            _Bandpass([scattering._band(scattering.bank_2, n) for n, _ in group], size)
            for size, group in itertools.groupby(
                zip(self.n2, sizes, strict=True), lambda pair: pair[1]
            )
        )
        self.below = max([0, *(-band.start for band in self.bands)])
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
                each, starts = wavelets.time_average(size, N, T, first, self.frames, BLOCK)
            step, offset = size if len(set(starts)) == 1 else BLOCK, sum(sizes[:i])
            for t, start in zip(range(0, size, step), starts, strict=False):
                frame = i * self.frames + start
                span = slice(offset + t, offset + min(t + step, size))
                self.spans.append((span, slice(frame, frame + each.shape[1])))
            weights.append(each)
        reach = max(each.shape[1] for each in weights)
        padded = [np.pad(each, ((0, 0), (0, reach - each.shape[1]))) for each in weights]
        self.weights = _buffer(np.concatenate(padded))

    def filter(self, rows, U):
        """U_1 * psi_2, up to a phase common to all n1, and what the next scale reads of the rows.

        Half spectra of the finer rows (..., n, kept), own rows (..., n1, time) -> real and
        imaginary parts side by side (..., samples, 2 (n + n1)), half spectra (..., n + n1, passed)
        """
        n, size, below = rows.shape[-2], U.shape[-1], self.below

        def there(rows, U):
            own = torch.fft.rfft(U, norm="forward")[..., : self.kept]
            if own.shape[-1] < self.kept:
                own = nn.functional.pad(own, (0, self.kept - own.shape[-1]))
            rows = torch.cat([rows, own], dim=-2)
            spectra = rows
            if below:
                spectra = torch.cat([rows[..., 1 : below + 1].flip(-1).conj(), rows], dim=-1)
            Y = rows.new_empty(*rows.shape[:-2], len(self.weights), rows.shape[-2])
            for band, plane in self._planes(Y):
                plane.copy_(band.there(spectra, below))
            return _real(Y), rows[..., : self.passed]

        def back(Y, rows):
            rows = nn.functional.pad(rows, (below, self.kept - self.passed))
            for band, plane in self._planes(_complex(Y)):
                band.back(plane, rows, below)
            if below:
                rows[..., below + 1 : 2 * below + 1] += rows[..., :below].flip(-1).conj()
            rows = rows[..., below:]
            own = _real(rows[..., n:, : size // 2 + 1])
            own = own * self.share[: own.shape[-1]].to(own)
            return rows[..., :n, :], torch.fft.irfft(_complex(own), n=size)

        return _Linear.apply(there, back, rows, U)

    def _planes(self, Y):
        """Filters, and where their outputs (..., wavelets, n, size) stand in Y (..., samples, n)"""
        counts = [len(band.values) for band in self.bands]
        parts = Y.split([n * band.size for n, band in zip(counts, self.bands, strict=True)], dim=-2)
        for n, band, part in zip(counts, self.bands, parts, strict=True):
            yield band, part.unflatten(-2, (n, -1)).mT

    def forward(self, Y):
        C, weights = self.quefrency.convolve.to(Y), self.weights.to(Y)
        filters = C, weights, self.spans, len(self.n2) * self.frames
        if len(Y) == 1:
            U = _AveragedModulus.apply(Y.squeeze(0), *filters).unsqueeze(0)
        else:
            U = _PushForward.apply(Y[1:], Y[0], *filters)
        return self.quefrency.average(U.unflatten(-2, (len(self.n2), -1))).flatten(-2)


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
        self.order_1 = Quefrency(self, count, (1,), 4 * rate)  # it is cheap
        self.order_2 = self._second_order(lambda n: Quefrency(self, n, (1, -1), rate))


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
        kind = next(each.device.type for each in inputs if isinstance(each, torch.Tensor))
        if not (torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)):
            return forward(*inputs)
        with torch.autocast(kind, enabled=False):
            return forward(*inputs)

    return inner


class _Function(torch.autograd.Function):
    """One whose inputs have an axis of items, `axes` says where, as have its outputs."""

    axes, out_axis = (0,), 0

    @classmethod
    def vmap(cls, info, in_dims, *inputs):
        """`torch.func.vmap` makes more items."""
        size, folded = info.batch_size, list(inputs)
        for i, axis in enumerate(cls.axes):
            value, dim = inputs[i], in_dims[i]
            value = value.unsqueeze(axis) if dim is None else value.movedim(dim, axis)
            shape = *value.shape[:axis], size, *value.shape[axis + 1 :]
            folded[i] = value.expand(shape).flatten(axis, axis + 1)
        return cls.apply(*folded).unflatten(cls.out_axis, (size, -1)), cls.out_axis


class _Linear(torch.autograd.Function):
    """A linear map of tensors, `there`, whose adjoint is `back`: of tuples, along trailing axes."""

    @staticmethod
    @_exact
    def forward(there, back, *inputs):
        return there(*inputs)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.there, ctx.back, *_ = inputs

    @staticmethod
    def backward(ctx, *grads):
        return None, None, *_Linear.apply(ctx.back, ctx.there, *grads)

    @staticmethod
    def jvp(ctx, _, __, *tangents):
        return _Linear.apply(ctx.there, ctx.back, *tangents)

    @staticmethod
    def vmap(info, in_dims, there, back, *inputs):
        moved = [
            value.expand(info.batch_size, *value.shape) if dim is None else value.movedim(dim, 0)
            for value, dim in zip(inputs, in_dims[2:], strict=True)
        ]
        outputs = _Linear.apply(there, back, *moved)
        return outputs, (0,) * len(outputs)


def product(Y, C):
    """Y @ C in full precision both ways: (..., n), constant (n, m) -> (..., m).

    Inside `torch.autocast` the operator `@` rounds, and so does its gradient, which does not know
    how the forward pass was made.
    """
    return _Linear.apply(lambda Y: (Y @ C,), lambda grad: (grad @ C.mT,), Y)[0]


class _AveragedModulus(_Function):
    """|Y C| averaged over time, of which nothing but Y is stored.

    Y (batch, M, 2 n1), C (2 n1, 2 rows) in real form, weights (M, reach): each span of time
    samples adds to the frames named beside it. Returns (batch, frames, rows).
    """

    @staticmethod
    @_exact
    def forward(Y, C, weights, spans, frames):
        out = Y.new_zeros(len(Y), frames, C.shape[1] // 2)
        for item, time, parts in _blocks(Y, spans):
            _add_average(out[item], _abs(_complex_product(Y[item, time], C)), weights[time], parts)
        return out

    @staticmethod
    def setup_context(ctx, inputs, output):
        *tensors, ctx.spans, ctx.frames = inputs
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)

    @staticmethod
    def backward(ctx, grad):
        return _Adjoint.apply(grad, *ctx.saved_tensors, ctx.spans), None, None, None, None

    @staticmethod
    def jvp(ctx, tangent, *_):
        return _PushForward.apply(tangent[None], *ctx.saved_tensors, ctx.spans, ctx.frames)[1]


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

    axes = (0, 0)

    @staticmethod
    @_exact
    def forward(grad, Y, C, weights, spans):
        out = torch.empty_like(Y)
        for item, time, parts in _blocks(Y, spans):
            z = _complex_product(Y[item, time], C)
            ratio = _positive(_abs(z))
            for span, frame in parts:
                change = weights[time][span, : frame.stop - frame.start] @ grad[item, frame]
                torch.div(change, ratio[:, span], out=ratio[:, span])
            z *= ratio[:, :, None]
            out[item, time] = z.flatten(2) @ C.T
        return out


class _PushForward(_Derivative):
    """Averaged modulus of Y, then its derivatives along K tangents of Y, (K, batch, M, 2 n1)."""

    axes, out_axis = (1, 0), 1

    @staticmethod
    @_exact
    def forward(tangents, Y, C, weights, spans, frames):
        out = Y.new_zeros(1 + len(tangents), len(Y), frames, C.shape[1] // 2)
        for item, time, parts in _blocks(Y, spans):
            z = _complex_product(Y[item, time], C)
            U = _abs(z)
            _add_average(out[0, item], U, weights[time], parts)
            z /= _positive(U)[:, :, None]
            for k, tangent in enumerate(tangents, start=1):
                real, imag = _complex_product(tangent[item, time], C).mul_(z).unbind(2)
                _add_average(out[k, item], real.add_(imag), weights[time], parts)
        return out


def _modulus(z):
    """|z[0]| and its derivatives along z[1:], zero where z[0] is: complex -> real, same shape."""
    if len(z) == 1:
        return z.abs()
    U = z[0].abs()
    tangents = z[1:].real * z[0].real + z[1:].imag * z[0].imag
    return torch.cat([U[None], tangents.div_(_positive(U))])


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


def _positive(U):
    """A modulus to divide by: what it divides is zero where it is, and so is then the ratio."""
    return U.clamp(min=torch.finfo(U.dtype).tiny ** 0.5)


def _real(z):
    """Complex (..., n) -> real and imaginary parts side by side (..., 2 n), a view"""
    return torch.view_as_real(z).flatten(-2)


def _complex(x):
    return torch.view_as_complex(x.unflatten(-1, (-1, 2)))


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
