"""The rivals: other distances between sounds, for the comparison."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from utils.jtfs import JTFS
from utils.synth import delay


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
