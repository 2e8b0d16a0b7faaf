"""The rivals: other distances between sounds, for the comparison.

Operators, from sounds (..., N) to features (..., D), go into a `SpectralLoss`; `Aligned` and
`DynamicTimeWarping` are losses of two sounds. All take silence, with finite gradients.
"""

import math
from collections.abc import Callable, Sequence

import librosa
import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from .. import checks
from . import wavelets
from .jtfs import SAMPLES_PER_SIGMA_FR, Described, Quefrency, Scattering, product
from .mss import MSS, spectrogram

SMOOTHING = 1025  # samples; the width of the moving average that makes an envelope of energy
OCTAVES, BINS = 6, 12  # of a modulation spectrum: from the Nyquist frequency down, bins in each


class Waveform(nn.Module):
    """The samples themselves, as features."""

    def forward(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        return checks.tensor("x", x)


class Aligned(Described):
    """A loss after alignment: the candidate is shifted to where it agrees best with the target.

    `loss` is any callable `loss(x, y)`, or a `SpectralLoss` for second-order search.
    """

    def __init__(self, loss: Callable):
        super().__init__()
        self.loss = loss

    def forward(self, x: Float[Tensor, "*batch n"], y: Float[Tensor, " n"]) -> Tensor:
        return self.loss(align(x, y), y)

    def operator(self, target: Float[Tensor, " n"]) -> Callable:
        """Features of sounds (..., N) after alignment with one target."""
        return lambda x: self.loss.phi(align(x, target))


def align(x: Float[Tensor, "*batch n"], y: Float[Tensor, "*other n"]) -> Float[Tensor, "*batch n"]:
    """Sounds, each shifted to where it agrees best with `y`, one sound or one for each of them.

    Zeros move in on one side.
    """
    length = checks.floating("y", y).shape[-1]
    checks.together("x", checks.floating("x", x, last=length), "y", y)
    if y.ndim > 1 and y.shape != x.shape:
        raise ValueError(
            f"y has shape {tuple(y.shape)}; expected one sound, or {tuple(x.shape)} as x has"
        )
    ahead = torch.arange(length, device=x.device) - lag(x.detach(), y.detach())[..., None]
    shifted = x.gather(-1, ahead.clamp(0, length - 1))
    return torch.where((ahead >= 0) & (ahead < length), shifted, 0.0)


def lag(x: Float[Tensor, "*batch n"], y: Float[Tensor, "*other n"]) -> Int[Tensor, "*batch"]:
    """By how many samples, of either sign, `y` comes later than `x`.

    That maximizes the cross-correlation of the smoothed envelopes of energy. It has no gradient.
    """
    length = y.shape[-1]
    box = torch.fft.rfft(x.new_full((SMOOTHING,), 1 / SMOOTHING), 2 * length)
    one, other = (torch.fft.rfft(each.square(), 2 * length) for each in (x, y))  # room for signs
    correlation = torch.fft.irfft(other * one.conj() * box.abs().square())
    ends = correlation[..., length + 1 :], correlation[..., :length]  # lags below 0, and up
    return torch.cat(ends, -1).argmax(-1) - (length - 1)


class MultiResolution(Described):
    """The multi-resolution STFT loss of the package auraloss, as its defaults are.

    Spectral convergence and logarithms of magnitudes, in windows of 512, 1024 and 2048 samples.
    Steinmetz and Reiss, "auraloss", DMRN+15, 2020.
    """

    def __init__(self):
        super().__init__()
        from auraloss.freq import MultiResolutionSTFTLoss  # the one thing that needs it

        self.loss = MultiResolutionSTFTLoss()

    def forward(self, x: Float[Tensor, " n"], y: Float[Tensor, " n"]) -> Float[Tensor, ""]:
        return self.loss(x[None, None], y[None, None])


class LogMel(Described):
    """Logarithms of mel spectrograms, in the windows of `MSS`, above a floor.

    A window of n samples has n // 16 mel bands, and so does each feature the weight that `MSS`
    gives it. Bands are librosa's (Slaney's).
    """

    def __init__(self, sample_rate: float, floor: float = 1e-1):
        super().__init__()
        self.sample_rate, self.floor, self.n_ffts = sample_rate, floor, MSS().n_ffts
        for n in self.n_ffts:
            bands = librosa.filters.mel(sr=sample_rate, n_fft=n, n_mels=n // 16)
            bands /= bands.max()
            self.register_buffer(f"bands_{n}", torch.from_numpy(bands), persistent=False)

    def forward(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch d"]:
        features = []
        for n in self.n_ffts:
            mel = product(spectrogram(x, n, n // 4).mT, self.get_buffer(f"bands_{n}").T.to(x))
            log = mel.clamp(min=self.floor).log().flatten(-2)
            features.append(log / (len(self.n_ffts) * log.shape[-1]))
        return torch.cat(features, -1)


class Concatenated(Described):
    """Features of several operators one after the other, whose squared distances add.

    Those of `phis[k]` are divided by `scales[k]`, a distance that is to count as one.
    """

    def __init__(self, phis: Sequence[nn.Module], scales: Sequence[float]):
        super().__init__()
        self.phis, self.scales = nn.ModuleList(phis), tuple(scales)

    def forward(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch d"]:
        each = zip(self.phis, self.scales, strict=True)
        return torch.cat([phi(x) / scale for phi, scale in each], -1)


class AverageSpectrum(nn.Module):
    """The magnitudes of a spectrogram, in windows of 1024 samples, averaged over time."""

    def forward(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch bins"]:
        return spectrogram(x, 1024, 256).mean(-1)


class DynamicTimeWarping(Described):
    """The squared distance of envelopes under dynamic time warping.

    Envelopes are mean magnitudes of a spectrogram, in windows of 256 samples. Its gradient is that
    along the best path. Sakoe and Chiba, IEEE TASSP 26(1), 1978; the path is found by librosa.
    """

    def forward(self, x: Float[Tensor, " n"], y: Float[Tensor, " n"]) -> Float[Tensor, ""]:
        one, other = (spectrogram(sound, 256, 128).mean(-2) for sound in (x, y))
        cost = (one[:, None] - other).square()
        _, path = librosa.sequence.dtw(C=cost.numpy(force=True).astype(float))
        rows, columns = torch.from_numpy(path.copy()).to(x.device).T
        return cost[rows, columns].sum()


class Quantiles(Described):
    """Quantile functions of a spectrogram: optimal transport along frequency, or along time.

    Between distributions on a line, the Wasserstein distance of order p is the p-norm of the
    difference of their quantile functions (Peyré and Cuturi, "Computational optimal transport",
    2019, remark 2.30); so this operator and a `SpectralLoss` make a loss by optimal transport, as
    Torres, Peeters and Richard (ICASSP 2024, arXiv 2312.14507) use along frequency. Each frame (or,
    along time, each bin) has `levels` quantiles, in parts of the axis. A floor of a thousandth of
    the mean magnitude makes a silent one flat.
    """

    def __init__(self, n_fft: int = 1024, levels: int = 64, along: str = "frequency"):
        super().__init__()
        self.n_fft, self.levels = n_fft, levels
        self.along = checks.one_of("along", along, ("frequency", "time"))

    def forward(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch d"]:
        mass = spectrogram(x, self.n_fft, self.n_fft // 4)
        mass = mass.mT if self.along == "frequency" else mass
        mass = mass + 1e-3 * mass.mean((-2, -1), keepdim=True) + 1e-12
        up_to = torch.nn.functional.pad((mass / mass.sum(-1, keepdim=True)).cumsum(-1), (1, 0))
        level = (torch.arange(self.levels).to(x) + 0.5) / self.levels
        level = level.expand(*up_to.shape[:-1], -1).contiguous()
        # Where each level is reached, and how far into that bin or frame.
        reached = torch.searchsorted(up_to.detach(), level).clamp(1, mass.shape[-1])
        below, above = up_to.gather(-1, reached - 1), up_to.gather(-1, reached)
        quantile = (reached - 1 + (level - below) / (above - below)) / mass.shape[-1]
        return quantile.flatten(-2)


class ModulationSpectrum(Described):
    """The two-dimensional Fourier modulus of a spectrogram over time and log-frequency.

    Singh and Theunissen, "Modulation spectra of natural sounds", JASA 114(6), 2003, on a
    logarithmic axis of frequency, where magnitudes are interpolated linearly. The hop is an eighth
    of the window: a delay by a number of hops that cuts nothing leaves it as it is.
    """

    def __init__(self, n_fft: int = 512):
        super().__init__()
        self.n_fft = n_fft
        center = n_fft // 2 * 2.0 ** (-torch.arange(OCTAVES * BINS) / BINS)
        distance = (center[:, None] - torch.arange(n_fft // 2 + 1)).abs()
        self.warp = nn.Buffer((1 - distance).clamp(min=0), persistent=False)

    def forward(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch d"]:
        magnitudes = spectrogram(x, self.n_fft, self.n_fft // 8)
        bands = product(magnitudes.mT, self.warp.T.to(magnitudes)).mT
        return torch.fft.rfft2(bands, norm="ortho").abs().flatten(-2)


class TimeScattering(Scattering):
    """Time scattering of orders one and two: the wavelets of `JTFS` along time, and no others.

    The average over time of U_1 = |x * psi_1|, per wavelet, and of |U_1 * psi_2|, per pair of
    wavelets with j1 < j2. Andén and Mallat, "Deep scattering spectrum", IEEE TSP 62(16), 2014,
    equations 11 and 17. F averages over log-frequency too. Arguments, padding, sampling and input
    are those of `JTFS`.
    """

    def __init__(self, length: int, *, J=12, Q=(8, 2), T="global", F=None, oversampling=1.0):
        super().__init__(length, J, Q, T, oversampling)
        self.F = F
        self.order_1 = _Rows(len(self.bank_1.xi), F)
        self.order_2 = self._second_order(lambda count: _Rows(count, F))


class SeparableScattering(Scattering):
    """Time scattering, then scattering along log-frequency of what it averaged over time.

    As `JTFS`, but for the order: there, the wavelet along log-frequency comes before the modulus of
    the second order, so that it sees in which direction a sound moves. Arguments are those of
    `JTFS`. Andén, Lostanlen and Mallat, IEEE TSP 67(14), 2019, section II.
    """

    def __init__(
        self, length, *, J=12, Q=(8, 2), J_fr=5, Q_fr=2, T="global", F="global", oversampling=1.0
    ):
        super().__init__(length, J, Q, T, oversampling)
        self.J_fr, self.Q_fr, self.F = J_fr, Q_fr, F
        self.order_1 = Quefrency(self, len(self.bank_1.xi), (1,), 4 * SAMPLES_PER_SIGMA_FR)
        self.order_2 = self._second_order(lambda count: _ThenQuefrency(self, count))


class _Rows(nn.Module):
    """In place of wavelets along log-frequency: `count` rows, averaged over F of them."""

    def __init__(self, count: int, F: int | str | None = None):
        super().__init__()
        real = torch.eye(2 * count)  # re, im of each row side by side -> all re, then all im
        self.convolve = nn.Buffer(torch.cat([real[:, ::2], real[:, 1::2]], dim=1), persistent=False)
        reach = 0 if F in (None, "global") else 8 * F  # zeros beyond the rows, as JTFS has
        pool, kept = wavelets.pooling(
            np.arange(count + reach), count, count + reach, F, int(reach > 0)
        )
        self.pool = nn.Buffer(torch.from_numpy(pool[:count]).float(), persistent=False)
        self.outputs = [(-1, math.nan, math.nan, 0, n1) for n1 in kept]

    def modulus(self, S: Float[Tensor, "*batch rows"]) -> Float[Tensor, "*batch rows"]:
        return S

    def average(self, U: Float[Tensor, "*batch time rows"]) -> Float[Tensor, "*batch d"]:
        return product(U, self.pool.to(U)).mT.flatten(-2)


class _ThenQuefrency(_Rows):
    """Rows whose averages over time are scattered along log-frequency."""

    def __init__(self, scattering: Scattering, count: int):
        super().__init__(count)
        self.along = Quefrency(scattering, count, (1,), SAMPLES_PER_SIGMA_FR)
        self.outputs = self.along.outputs

    def average(self, U: Float[Tensor, "*batch time rows"]) -> Float[Tensor, "*batch d"]:
        return self.along.average(self.along.modulus(U))
