"""The losses that the comparison compares. To add one, add a line to `contenders`."""

import inspect
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..features import rivals
from ..features.compression import Root
from ..features.jtfs import JTFS
from ..features.loss import SpectralLoss
from ..features.mss import MSS
from .recipe import features_of_chirps, floor_of, root_jtfs
from .tasks import LENGTH

LONG = (16384, 8192, 4096, 2048, 1024, 512, 256, 128, 64)  # windows of up to two seconds


class Contender(NamedTuple):
    """A loss of the comparison, and the solver that searches with it.

    The solver is "LM", Levenberg-Marquardt, which needs features and their Euclidean distance;
    "BFGS"; or "Adam". The loss is any callable `loss(x, y)`; for "LM", a `SpectralLoss` or
    `Aligned`. Of a cheap loss, a search from a fine grid costs no more than one of JTFS from a
    coarse grid.
    """

    loss: Callable
    solver: str = "LM"
    cheap: bool = True

    @property
    def description(self) -> str:
        """The first line of what the operator, or a loss without one, says of itself."""
        phi = getattr(self.loss, "phi", self.loss)
        return inspect.getdoc(getattr(phi, "phi", phi)).partition("\n")[0]


class MultiResolution(nn.Module):
    """The multi-resolution STFT loss of the package auraloss, with its defaults."""

    def __init__(self):
        super().__init__()
        from auraloss.freq import MultiResolutionSTFTLoss  # the comparison alone needs it

        self.loss = MultiResolutionSTFTLoss()

    def forward(self, x: Float[Tensor, " n"], y: Float[Tensor, " n"]) -> Float[Tensor, ""]:
        return self.loss(x[None, None], y[None, None])


def root(phi: nn.Module) -> Root:
    """The square roots of features, above a floor that suits chirps."""
    return Root(phi, floor_of(phi))


def joined(phis: Sequence[nn.Module]) -> rivals.Joined:
    """Operators side by side, so that the distances between chirps are as large in each."""
    distances = [torch.pdist(features_of_chirps(phi)).mean().item() for phi in phis]
    return rivals.Joined(phis, distances)


def operators(floor: float = 1e-2) -> dict[str, nn.Module]:
    """The features that are compared, by name. `floor` is that of logarithms of magnitudes."""
    scattering = {"length": LENGTH, "T": 2**12, "oversampling": 0.5}
    return {
        "waveform": rivals.Waveform(),
        "MSS": MSS(),
        "MSS, long windows": MSS(LONG),
        "MSS and log MSS": MSS(magnitude="both", floor=floor),
        "log-mel": rivals.LogMel(floor=floor),
        "modulation spectrum": rivals.ModulationSpectrum(),
        "transport in frequency": rivals.Quantiles(),
        "transport in time": rivals.Quantiles(along="time"),
        "time scattering": rivals.TimeScattering(**scattering),
        "time scattering, pooled": rivals.TimeScattering(**scattering, F="global"),
        "JTFS as published": JTFS(**scattering, F=None),
        "root JTFS": root_jtfs(),
    }


SIGNED = {"waveform", "MSS and log MSS", "log-mel"}


def ways(name: str, phi: nn.Module) -> dict[str, Contender]:
    """Ways to search with the features of an operator."""
    absolute, euclidean = SpectralLoss(phi, 1), SpectralLoss(phi, 2)
    found = {
        "Adam, L1": Contender(absolute, "Adam"),
        "BFGS, L1": Contender(absolute, "BFGS"),
        "BFGS, L2": Contender(euclidean, "BFGS"),
        "LM": Contender(euclidean),
    }
    if name not in SIGNED:
        found["LM, roots"] = Contender(SpectralLoss(root(phi), 2))
    return found
