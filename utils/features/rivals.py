"""The rivals: other distances between sounds, for the comparison.

Operators, from sounds (..., N) to features (..., D), go into a `SpectralLoss`; `Aligned` and
`RandomWindows` are losses of two sounds themselves. All take silence, with finite gradients.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from .. import checks
from ..synth import delay
from .jtfs import JTFS, product
from .loss import SpectralLoss
from .mss import MSS, spectrogram

SMALLEST_SCALE = 1e-20  # of `Logarithm`: by less, the loudest features would leave float32


class Waveform(nn.Module):
    """The samples themselves, as features."""

    def forward(self, x: Tensor) -> Tensor:
        return checks.floating("x", x, nan=True)


class Aligned(nn.Module):
    """A loss after alignment: the candidate is shifted to where it agrees best with the target.

    The lag maximizes the cross-correlation of the smoothed envelopes of energy, or of the waveforms
    themselves. It is found without gradient; the loss then sees the shifted candidate.

    Parameters
    ----------
    loss : any callable `loss(x, y)` on two sounds (N,).
    by : "envelopes" or "waveforms".
    smoothing : samples; the width of the moving average that makes an envelope of energy.
    """

    def __init__(
        self,
        loss: Callable[[Tensor, Tensor], Tensor],
        by: str = "envelopes",
        smoothing: int = 1025,
    ):
        super().__init__()
        checks.one_of("by", by, ("envelopes", "waveforms"))
        checks.integer("smoothing", smoothing, least=1)
        self.loss, self.by, self.smoothing = checks.function("loss", loss), by, smoothing

    def extra_repr(self) -> str:
        return f"by={self.by!r}, smoothing={self.smoothing}"

    def features(self, y: Tensor) -> tuple[Tensor, Tensor | None]:
        """What needs computing only once for a target (N,): itself, and its features if any."""
        return y, self.loss.features(y) if hasattr(self.loss, "features") else None

    def forward(self, x: Tensor, y: Tensor | None = None, *, features: tuple | None = None):
        y, known = self.features(y) if features is None else features
        shifted = delay(x, self.lag(x, y))
        return self.loss(shifted, y) if known is None else self.loss(shifted, features=known)

    def lag(self, x: Tensor, y: Tensor) -> int:
        """Samples by which `x` (N,) should come later to agree with `y` (N,).

        Raises
        ------
        TypeError, ValueError
            If they are not two sounds of the same length, on one device.
        """
        checks.floating("x", x, ndim=1)
        checks.same_device("x", x, "y", checks.floating("y", y, ndim=1))
        if len(x) != len(y):
            raise ValueError(f"x has {len(x)} samples and y {len(y)}; expected the same length")
        pair = torch.stack([x, y]).detach()
        pair = pair.square() if self.by == "envelopes" else pair
        spectra = torch.fft.rfft(pair, 2 * len(x))  # room for lags of both signs
        correlation = spectra[1] * spectra[0].conj()
        if self.by == "envelopes":
            box = torch.fft.rfft(x.new_full((self.smoothing,), 1 / self.smoothing), 2 * len(x))
            correlation = correlation * box.abs().square()
        correlation = torch.fft.irfft(correlation)
        correlation[len(x)] = -torch.inf  # a lag of the whole length leaves nothing to compare
        best = int(correlation.argmax())
        return best if best < len(x) else best - 2 * len(x)


class RandomWindows(nn.Module):
    """MSS (linear, L1) whose window lengths are drawn anew at each call, log-uniformly.

    Steinmetz and Reiss, "auraloss", DMRN+15, 2020, random-resolution STFT loss.

    Parameters
    ----------
    scales : how many window lengths a call draws.
    shortest, longest : samples; lengths are multiples of 4 between them.
    seed : of the draws.
    """

    def __init__(self, scales: int = 6, shortest: int = 64, longest: int = 2048, seed: int = 0):
        super().__init__()
        self.scales = checks.integer("scales", scales, least=1, most=2**10)
        self.shortest = checks.integer("shortest", shortest, least=4)
        self.longest = checks.integer("longest", longest, least=shortest)
        self.seed = checks.seed("seed", seed)
        self._draws = torch.Generator().manual_seed(self.seed)

    def extra_repr(self) -> str:
        return f"{self.scales}, {self.shortest}, {self.longest}, seed={self.seed}"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        octaves = math.log2(self.longest / self.shortest)
        uniform = torch.rand(self.scales, generator=self._draws, device=self._draws.device)
        lengths = self.shortest * 2 ** (octaves * uniform)
        n_ffts = [4 * round(length / 4) for length in lengths.tolist()]
        return SpectralLoss(MSS(n_ffts), p=1)(x, y)


class AverageSpectrum(nn.Module):
    """The magnitudes of a spectrogram, averaged over time: (..., n_fft // 2 + 1)."""

    def __init__(self, n_fft: int = 1024):
        super().__init__()
        self.n_fft = checks.integer("n_fft", n_fft, least=4)

    def extra_repr(self) -> str:
        return f"n_fft={self.n_fft}"

    def forward(self, x: Tensor) -> Tensor:
        return spectrogram(x, self.n_fft, self.n_fft // 4).mean(-1)


class Quantiles(nn.Module):
    """The quantile functions of the spectrum of each frame: optimal transport along frequency.

    Between distributions on a line, the Wasserstein distance of order p is the p-norm of the
    difference of their quantile functions (Peyré and Cuturi, "Computational optimal transport",
    2019, remark 2.30); so this operator and a `SpectralLoss` make a loss by optimal transport, as
    Torres, Peeters and Richard (ICASSP 2024, arXiv 2312.14507) use along frequency. Levels are as
    many as `levels`, frequencies in parts of the Nyquist frequency. A floor of a thousandth of the
    mean magnitude makes the spectrum of a silent frame flat.
    """

    def __init__(self, n_fft: int = 1024, levels: int = 64):
        super().__init__()
        self.n_fft = checks.integer("n_fft", n_fft, least=4)
        self.levels = checks.integer("levels", levels, least=1, most=2**16)

    def extra_repr(self) -> str:
        return f"n_fft={self.n_fft}, levels={self.levels}"

    def forward(self, x: Tensor) -> Tensor:
        mass = spectrogram(x, self.n_fft, self.n_fft // 4).mT
        mass = mass + 1e-3 * mass.mean((-2, -1), keepdim=True) + 1e-12
        up_to = torch.nn.functional.pad((mass / mass.sum(-1, keepdim=True)).cumsum(-1), (1, 0))
        level = (torch.arange(self.levels).to(x) + 0.5) / self.levels
        level = level.expand(*up_to.shape[:-1], -1).contiguous()
        # The bin in which each level is reached, and how far into it.
        reached = torch.searchsorted(up_to.detach(), level).clamp(1, mass.shape[-1])
        below, above = up_to.gather(-1, reached - 1), up_to.gather(-1, reached)
        quantile = (reached - 1 + (level - below) / (above - below)) / mass.shape[-1]
        return quantile.flatten(-2)


class ModulationSpectrum(nn.Module):
    """The two-dimensional Fourier modulus of a spectrogram over time and log-frequency.

    Singh and Theunissen, "Modulation spectra of natural sounds", JASA 114(6), 2003, on a
    logarithmic axis of frequency. A delay by a number of hops that cuts nothing leaves it as it is.

    Parameters
    ----------
    n_fft : samples; the hop is an eighth of it.
    octaves : covered, downwards from the Nyquist frequency.
    bins : of log-frequency in an octave; magnitudes between those of the spectrogram are
        interpolated linearly.
    """

    def __init__(self, n_fft: int = 512, octaves: int = 6, bins: int = 12):
        super().__init__()
        self.n_fft = checks.integer("n_fft", n_fft, least=8, most=2**16)
        self.octaves = checks.integer("octaves", octaves, least=1, most=16)
        self.bins = checks.integer("bins", bins, least=1, most=128)
        place = n_fft // 2 * 2.0 ** (-torch.arange(octaves * bins) / bins)
        distance = (place[:, None] - torch.arange(n_fft // 2 + 1)).abs()
        self.warp = nn.Buffer((1 - distance).clamp(min=0), persistent=False)

    def extra_repr(self) -> str:
        return f"n_fft={self.n_fft}, octaves={self.octaves}, bins={self.bins}"

    def forward(self, x: Tensor) -> Tensor:
        magnitudes = spectrogram(x, self.n_fft, self.n_fft // 8)
        bands = product(magnitudes.mT, self.warp.T.to(magnitudes)).mT
        return torch.fft.rfft2(bands, norm="ortho").abs().flatten(-2)


class TimeScattering(JTFS):
    """Time scattering of orders one and two: JTFS without wavelets along log-frequency.

    The average over time of U_1 = |x * psi_1|, per wavelet, and of |U_1 * psi_2|, per pair of
    wavelets with j1 < j2. Andén and Mallat, "Deep scattering spectrum", IEEE TSP 62(16), 2014,
    equations 11 and 17. Arguments, padding, sampling, input and errors are those of `JTFS`.
    """

    def __init__(self, length: int, *, J=12, Q=(8, 2), T="global", oversampling=1.0):
        super().__init__(length, J=J, Q=Q, J_fr=1, Q_fr=1, T=T, oversampling=oversampling)
        self.order_1 = _Rows(len(self.bank_1.xi))
        for joint in self.order_2:
            joint.quefrency = _Rows(int((self.bank_1.j < self.bank_2.j[joint.n2]).sum()))

    def __repr__(self) -> str:
        return (
            f"TimeScattering({self.length}, J={self.J}, Q={self.Q}, T={self.T!r}, "
            f"oversampling={self.oversampling})"
        )


class Logarithm(nn.Module):
    """Features compressed by a logarithm, log(1 + S / scale), path by path.

    Lostanlen et al., "Time-frequency scattering accurately models auditory similarities",
    EURASIP JASMP 2021(3); its scale is a thousandth of each path's median over many sounds.

    Parameters
    ----------
    phi : an operator with a method `push_forward`, such as `JTFS`.
    scale : (D,), positive.
    """

    def __init__(self, phi: nn.Module, scale: Tensor):
        super().__init__()
        if not checks.all_true(checks.floating("scale", scale, ndim=1) > SMALLEST_SCALE):
            raise ValueError(
                f"scale is {scale.min():g} at its smallest; expected more than {SMALLEST_SCALE:g}"
            )
        self.phi = checks.function("phi", phi)
        self.scale = nn.Buffer(scale.detach(), persistent=False)

    def extra_repr(self) -> str:
        return f"scale of mean {self.scale.mean():.6g}"

    def forward(self, x: Tensor) -> Tensor:
        S = self.phi(x)
        if checks.tensor("phi(x)", S).shape[-1] != len(self.scale):
            raise ValueError(
                f"scale has shape {tuple(self.scale.shape)}; expected ({S.shape[-1]},), as many as "
                "phi has features"
            )
        return torch.log1p(S / self.scale.to(S))

    def push_forward(self, x: Tensor, tangents: Tensor) -> tuple[Tensor, Tensor]:
        """Features of x, and their derivatives along `tangents` (K, ..., length), in one pass."""
        S, slopes = self.phi.push_forward(x, tangents)
        scale = self.scale.to(x)
        return torch.log1p(S / scale), slopes / (scale + S)


class _Rows(nn.Module):
    """In place of wavelets along log-frequency: each of so many rows by itself."""

    def __init__(self, count: int):
        super().__init__()
        real = torch.eye(2 * count)  # re, im of each row side by side -> all re, then all im
        self.convolve = nn.Buffer(torch.cat([real[:, ::2], real[:, 1::2]], dim=1), persistent=False)
        self.outputs = [(-1, math.nan, math.nan, 0, n1) for n1 in range(count)]

    def average(self, U: Tensor) -> Tensor:
        """(..., time, rows) -> (..., rows * time)"""
        return U.mT.flatten(-2)
