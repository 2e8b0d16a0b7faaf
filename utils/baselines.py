"""The rivals: other distances between sounds, for the comparison."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from utils import checks
from utils.mss import SILENCE
from utils.synth import delay
from utils.wavelets import filter_bank, morlet_1d

# Time scattering reads the scalogram at this share of its sampling rate, hence modulations up to
# half as fast: 512 Hz at 8192 Hz.
SLOW = 1 / 8


class Aligned(nn.Module):
    """A loss after alignment: the candidate is first delayed so that the envelopes agree best.

    The lag is that of the largest correlation of the two sounds' smoothed energies. It is found
    without gradient, anew at each call.

    Parameters
    ----------
    loss : any callable `loss(x, y)` on two sounds (N,).
    smoothing : samples; the width of the moving average that makes an envelope of energy.
    """

    def __init__(self, loss: Callable[[Tensor, Tensor], Tensor], smoothing: int = 1025):
        super().__init__()
        self.loss, self.smoothing = loss, smoothing

    def extra_repr(self) -> str:
        return f"smoothing={self.smoothing}"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.loss(delay(x, self.lag(x, y)), y)

    def lag(self, x: Tensor, y: Tensor) -> int:
        """Samples by which `x` (N,) should come later to agree with `y` (N,)."""
        energies = torch.stack([x, y]).detach().square()
        spectra = torch.fft.rfft(energies, 2 * len(x))  # room for lags of both signs
        box = torch.fft.rfft(x.new_full((self.smoothing,), 1 / self.smoothing), 2 * len(x))
        correlation = torch.fft.irfft(spectra[1] * spectra[0].conj() * box.abs().square())
        correlation[len(x)] = 0  # a lag of the whole length leaves nothing to compare
        best = int(correlation.argmax())
        return best if best < len(x) else best - 2 * len(x)


class TimeScattering(nn.Module):
    """Time scattering of orders one and two, averaged over the sound: JTFS without its wavelets
    along log-frequency.

    Mean over time of U_1 = |x * psi_1|, per wavelet; then of |U_1 * psi_2|, per pair of wavelets
    with j1 < j2. Sounds are taken to be periodic, so that a circular delay changes nothing.
    Andén and Mallat, "Deep scattering spectrum", IEEE TSP 62(16), 2014, equations 11 and 17.

    Parameters
    ----------
    length : samples of a sound, at least 2**J.
    J : the longest wavelets span about 2**J samples.
    Q : wavelets per octave of the first and second order.
    """

    def __init__(self, length: int, J: int = 12, Q: tuple[int, int] = (8, 2)):
        super().__init__()
        self.length, self.J, self.Q = checks.integer("length", length, least=2**J), J, Q
        first, second = (filter_bank(J, q) for q in Q)
        slow = second.xi + 4 * second.sigma < SLOW / 2
        self.psi_1 = self._spectra(first.xi, first.sigma)
        self.psi_2 = _slow_bins(self._spectra(second.xi[slow], second.sigma[slow]))
        self.rows = [int((first.j < j).sum()) for j in second.j[slow]]

    def _spectra(self, xi: np.ndarray, sigma: np.ndarray) -> Tensor:
        bands = [morlet_1d(self.length, *each) for each in zip(xi, sigma, strict=True)]
        return torch.tensor(np.stack(bands), dtype=torch.float32)

    def extra_repr(self) -> str:
        return f"{self.length}, J={self.J}, Q={self.Q}"

    def forward(self, x: Tensor) -> Tensor:
        """From sounds (..., length) to features (..., D). Silence is legal."""
        checks.floating("x", x, last=self.length)
        x = torch.where(x.abs() > SILENCE, x, 0.0)
        U = torch.fft.ifft(torch.fft.fft(x)[..., None, :] * self.psi_1.to(x)).abs()
        slow = _slow_bins(torch.fft.fft(U, norm="forward"))
        orders = [U.mean(-1)]
        for psi, rows in zip(self.psi_2.to(x), self.rows, strict=True):
            modulated = torch.fft.ifft(slow[..., :rows, :] * psi, norm="forward")
            orders.append(modulated.abs().mean(-1))
        return torch.cat(orders, dim=-1)


def _slow_bins(spectrum: Tensor) -> Tensor:
    """The bins of a spectrum (..., N) that lie below SLOW / 2 cycles per sample, on both sides."""
    kept = round(spectrum.shape[-1] * SLOW / 2)
    return torch.cat([spectrum[..., :kept], spectrum[..., -kept:]], dim=-1)
