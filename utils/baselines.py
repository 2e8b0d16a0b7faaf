"""The rivals: other distances between sounds, for the comparison."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from utils import checks
from utils.jtfs import JTFS, modulus
from utils.synth import delay
from utils.wavelets import time_average


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
    """Time scattering of orders one and two: JTFS without its wavelets along log-frequency.

    The average over time of U_1 = |x * psi_1|, per wavelet, and of |U_1 * psi_2|, per pair of
    wavelets with j1 < j2, at the sampling rates and with the padding of `JTFS`, of which it is a
    part. Andén and Mallat, "Deep scattering spectrum", IEEE TSP 62(16), 2014, equations 11 and 17.

    Parameters
    ----------
    length, J, Q, T, oversampling : as in `JTFS`.
    """

    def __init__(self, length: int, *, J=12, Q=(8, 2), T="global", oversampling=1.0):
        super().__init__()
        self.cascade = JTFS(length, J=J, Q=Q, J_fr=1, Q_fr=1, T=T, oversampling=oversampling)
        self.weights = [self._weights(joint.size) for joint in self.cascade.order_2]

    def _weights(self, size: int) -> Tensor:
        """What each of so many samples adds to each frame, (size, frames)."""
        of = self.cascade
        if of.T == "global":
            return torch.full((size, 1), 1 / size)
        weights, _ = time_average(size, of.padded, of.T, of.first_frame, of.frames, size)
        return torch.from_numpy(weights).float()

    def __repr__(self) -> str:
        of = self.cascade
        return (
            f"TimeScattering({of.length}, J={of.J}, Q={of.Q}, T={of.T!r}, "
            f"oversampling={of.oversampling})"
        )

    def forward(self, x: Tensor) -> Tensor:
        """From sounds (..., length) to features (..., D). Silence is legal."""
        checks.floating("x", x, last=self.cascade.length)
        return self._push(x[None])[0]

    def push_forward(self, x: Tensor, tangents: Tensor) -> tuple[Tensor, Tensor]:
        """Features of x, and their derivatives along `tangents` (K, ..., length), in one pass."""
        checks.floating("x", x, last=self.cascade.length)
        pushed = self._push(torch.cat([x[None], tangents]))
        return pushed[0], pushed[1:]

    def _push(self, z: Tensor) -> Tensor:
        of = self.cascade
        rows = of.rows(z.reshape(len(z), -1, of.length))
        first = torch.cat([of.averaged(row) for row in rows], dim=-2)
        orders = [first.mean(-1, keepdim=True) if of.T == "global" else of.inside(first)]
        for joint, weights in zip(of.order_2, self.weights, strict=True):
            orders.append(modulus(joint.filter(rows)) @ weights.to(z))
        return torch.cat([S.flatten(-2) for S in orders], dim=-1).reshape(*z.shape[:-1], -1)
