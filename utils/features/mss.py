"""MSS: the multiscale spectrogram, the features of the loss that most of DDSP uses."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .. import checks

LOG_FLOOR = 1e-5  # magnitudes below it count as it, as in DDSP's own code
# Samples below it count as silence. Gaussian windows fade through the subnormal numbers, at some
# of which the derivative of `torch.abs` is NaN.
SILENCE = 1e-20


class MSS(nn.Module):
    r"""Magnitudes of short-time Fourier transforms at several window lengths.

    Each feature carries the weight of its scale, so that the L1 distance of features is the mean
    over scales s of the mean absolute difference of spectrograms,

    .. math:: L(x, y) = \frac{1}{S} \sum_s \frac{1}{K_s M_s}
        \sum_{k,m} \bigl| |X_s[k, m]| - |Y_s[k, m]| \bigr|

    Engel et al., "DDSP", ICLR 2020, equation 4; Yamamoto et al., "Parallel WaveGAN", ICASSP
    2020, equation 6. Windows are periodic Hann, hops a quarter of the window, frames centred,
    edges reflected.

    Parameters
    ----------
    n_ffts : window lengths in samples, one per scale; multiples of 4.
    magnitude : "linear" for |X|, "log" for log max(|X|, 1e-5), "both" for one after the other,
        whose L1 distance is the sum of the two.
    """

    def __init__(
        self,
        n_ffts: Sequence[int] = (2048, 1024, 512, 256, 128, 64),
        magnitude: str = "linear",
    ):
        super().__init__()
        each = checks.items("n_ffts", n_ffts)
        self.n_ffts = tuple(checks.integer("n_ffts", n_fft, least=4) for n_fft in each)
        if not self.n_ffts or any(n_fft % 4 for n_fft in self.n_ffts):
            raise ValueError(f"n_ffts is {n_ffts!r}; expected at least one, all multiples of 4")
        self.magnitude = checks.one_of("magnitude", magnitude, ("linear", "log", "both"))

    def extra_repr(self) -> str:
        return f"n_ffts={self.n_ffts}, magnitude={self.magnitude!r}"

    def forward(self, x: Tensor) -> Tensor:
        """From sounds (..., N) to features (..., D), in the dtype and on the device of `x`.

        Silence is legal: its linear features are zero, and so are its gradients. A NaN is passed
        on.

        Raises
        ------
        TypeError, ValueError
            If `x` is not a floating-point tensor, or not longer than half the longest window.
        """
        checks.floating("x", x, nan=True)
        longest = max(self.n_ffts)
        if x.shape[-1] <= longest // 2:
            raise ValueError(
                f"x has {x.shape[-1]} samples; expected more than half of the longest window, "
                f"{longest // 2}"
            )
        x = _audible(x)
        scales = [scale for n_fft in self.n_ffts for scale in self._scale(x, n_fft)]
        return torch.cat(scales, dim=-1)

    def _scale(self, x: Tensor, n_fft: int) -> list[Tensor]:
        """The weighted features of one scale: one block, or two for "both"."""
        modulus = _magnitudes(x, n_fft, n_fft // 4).flatten(-2)
        weight = 1 / (len(self.n_ffts) * modulus.shape[-1])
        kinds = []
        if self.magnitude in ("linear", "both"):
            kinds.append(weight * modulus)
        if self.magnitude in ("log", "both"):
            kinds.append(weight * torch.log(modulus.clamp(min=LOG_FLOOR)))
        return kinds


def spectrogram(x: Tensor, n_fft: int, hop: int) -> Tensor:
    """Magnitudes (..., n_fft // 2 + 1, frames) of sounds (..., N), as `MSS` makes them.

    Periodic Hann windows, frames centred, edges reflected. Silence is legal, a NaN is passed on.

    Raises
    ------
    TypeError, ValueError
        If `x` is not a floating-point tensor, or not longer than half the window, or the window or
        the hop has no samples.
    """
    checks.floating("x", x, nan=True)
    checks.integer("n_fft", n_fft, least=2)
    checks.integer("hop", hop, least=1)
    if x.shape[-1] <= n_fft // 2:
        raise ValueError(
            f"x has {x.shape[-1]} samples; expected more than {n_fft // 2}, half of n_fft"
        )
    return _magnitudes(_audible(x), n_fft, hop)


def _audible(x: Tensor) -> Tensor:
    return torch.where(x.abs() <= SILENCE, 0.0, x)  # a NaN is not silence


def _magnitudes(x: Tensor, n_fft: int, hop: int) -> Tensor:
    window = torch.hann_window(n_fft, dtype=x.dtype, device=x.device)
    batch = x.reshape(-1, x.shape[-1])
    stft = torch.stft(batch, n_fft, hop, window=window, return_complex=True)
    # The derivative of the modulus at zero is zero.
    return stft.abs().reshape(*x.shape[:-1], *stft.shape[-2:])
