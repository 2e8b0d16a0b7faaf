"""The rivals: other distances between sounds, for the comparison."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

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
