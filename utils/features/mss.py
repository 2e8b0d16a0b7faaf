"""MSS: the multiscale spectrogram, the features of the loss that most of DDSP uses."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from .. import checks
from .jtfs import SILENCE, Described


class MSS(Described):
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
    magnitude : "linear" for |X|, "log" for log max(|X|, floor), "both" for one after the other,
        whose L1 distance is the sum of the two.
    floor : magnitudes below it count as it; 1e-5 as in DDSP's own code.
    """

    def __init__(
        self,
        n_ffts: Sequence[int] = (2048, 1024, 512, 256, 128, 64),
        magnitude: str = "linear",
        floor: float = 1e-5,
    ):
        super().__init__()
        self.n_ffts = tuple(n_ffts)
        if any(n_fft % 4 for n_fft in self.n_ffts):
            raise ValueError(f"n_ffts is {n_ffts!r}; expected multiples of 4")
        self.magnitude = checks.one_of("magnitude", magnitude, ("linear", "log", "both"))
        self.floor = checks.real("floor", floor, above=0)

    def forward(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch d"]:
        """The features of sounds, each longer than half the longest window.

        Silence is legal: its linear features are zero, and so are its gradients. No value is looked
        at, so that a GPU need not wait: a NaN is passed on.
        """
        features = []
        for n_fft in self.n_ffts:
            X = spectrogram(x, n_fft, n_fft // 4).flatten(-2)
            weight = 1 / (len(self.n_ffts) * X.shape[-1])
            if self.magnitude in ("linear", "both"):
                features.append(weight * X)
            if self.magnitude in ("log", "both"):
                features.append(weight * torch.log(X.clamp(min=self.floor)))
        return torch.cat(features, dim=-1)


def spectrogram(
    x: Float[Tensor, "*batch n"], n_fft: int, hop: int
) -> Float[Tensor, "*batch bins frames"]:
    """Magnitudes of sounds, n_fft // 2 + 1 bins a frame, as `MSS` computes them.

    Periodic Hann windows, frames centred, edges reflected. Silence is legal, a NaN is passed on.
    """
    checks.tensor("x", x)
    if x.shape[-1] <= n_fft // 2:
        raise ValueError(
            f"x has {x.shape[-1]} samples; expected more than {n_fft // 2}, half of a window"
        )
    x = x.masked_fill(x.abs() <= SILENCE, 0.0)  # a NaN is not silence
    window = torch.hann_window(n_fft, dtype=x.dtype, device=x.device)
    batch = x.reshape(-1, x.shape[-1])
    stft = torch.stft(batch, n_fft, hop, window=window, return_complex=True)
    # The derivative of the modulus at zero is zero.
    return stft.abs().reshape(*x.shape[:-1], *stft.shape[-2:])
