"""The losses that the comparison compares. To add one, add a line to `MAKERS`."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import nn

from ..features import rivals
from ..features.compression import Root
from ..features.jtfs import JTFS
from ..features.loss import SpectralLoss
from ..features.mss import MSS
from ..synth import SAMPLE_RATE
from .recipe import features_of_chirps, floor_of, root_jtfs
from .tasks import LENGTH

# MSS without its logarithm and with it, for several floors: on other pairs, to choose one.
FLOORS = {"MSS, no logarithm": None} | {
    f"MSS + log MSS, floor {floor:g}": floor for floor in (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
}


class Way(NamedTuple):
    """A loss and the solver that descends on it.

    The solver is "LM", Levenberg-Marquardt, which needs a `SpectralLoss` (or `Aligned`) of the
    Euclidean distance; "BFGS"; or "Adam". These take any callable `loss(x, y)`.
    """

    loss: Callable
    solver: str


class Contender(NamedTuple):
    """A row of the comparison: the way to search from a random start, and from a grid.

    For each, we took the way that found most on eight pairs that the comparison does not use. Adam
    on the L1 distance suits spectrograms from random starts. Levenberg-Marquardt suits the rest,
    on roots of what cannot be negative, unless these find less.
    """

    random: Way
    grid: Way

    @property
    def description(self) -> str:
        """The first line of what the operator, or a loss without one, says of itself."""
        loss = getattr(self.grid.loss, "loss", self.grid.loss)
        phi = getattr(loss, "phi", self.grid.loss)
        return inspect.getdoc(getattr(phi, "phi", phi)).partition("\n")[0]


def root(phi: nn.Module) -> Root:
    """The square roots of features, above a floor that suits chirps."""
    return Root(phi, floor_of(phi))


def adam(phi: nn.Module) -> Way:
    """First-order descent on the L1 distance of features."""
    return Way(SpectralLoss(phi, 1), "Adam")


def lm(phi: nn.Module) -> Way:
    """Second-order descent on the Euclidean distance of features."""
    return Way(SpectralLoss(phi, 2), "LM")


def of_spectrograms(phi: nn.Module) -> Contender:
    """Features that cannot be negative, and are many."""
    return Contender(adam(phi), lm(root(phi)))


def plain(phi: nn.Module) -> Contender:
    """Features that go without roots."""
    return Contender(adam(phi), lm(phi))


def both(floor: float | None) -> Contender:
    """MSS with its logarithm added, if it has a floor."""
    return plain(MSS() if floor is None else MSS(magnitude="both", floor=floor))


def aligned() -> Contender:
    """Both ways to search with MSS, after alignment."""
    return Contender(
        *(way._replace(loss=rivals.Aligned(way.loss)) for way in of_spectrograms(MSS()))
    )


def twice(way: Way) -> Contender:
    """One way to search, whatever the start."""
    return Contender(way, way)


def mss_and_jtfs() -> Contender:
    """MSS and root JTFS added: the mean distance between chirps counts as one in each."""
    phis = [root(MSS()), root_jtfs()]
    scales = [torch.pdist(features_of_chirps(phi)).mean().item() for phi in phis]
    return twice(lm(rivals.Concatenated(phis, scales)))


HALF = {"length": LENGTH, "oversampling": 0.5}
LONG = tuple(2**k for k in range(14, 5, -1))  # windows, the longest of two seconds
MAKERS: dict[str, Callable[[], Contender]] = {
    "waveform": lambda: plain(rivals.Waveform()),
    "MSS": lambda: of_spectrograms(MSS()),
    "MSS + log MSS": lambda: both(0.1),  # of `FLOORS`, the one that finds most
    "auraloss": lambda: Contender(
        Way(rivals.MultiResolution(), "Adam"), Way(rivals.MultiResolution(), "BFGS")
    ),
    "MSS aligned": aligned,
    "average spectrum": lambda: twice(lm(rivals.AverageSpectrum())),
    "modulation spectrum": lambda: of_spectrograms(rivals.ModulationSpectrum()),
    "transport along frequency": lambda: twice(lm(rivals.Quantiles())),
    "transport along time": lambda: twice(lm(rivals.Quantiles(along="time"))),
    "time warping": lambda: twice(Way(rivals.DynamicTimeWarping(), "BFGS")),
    "time scattering": lambda: twice(lm(root(rivals.TimeScattering(**HALF)))),
    "pooled time scattering": lambda: twice(lm(root(rivals.TimeScattering(**HALF, F="global")))),
    "log-mel": lambda: plain(rivals.LogMel(SAMPLE_RATE)),
    "MSS, windows to 2 s": lambda: plain(MSS(LONG)),
    "JTFS as published": lambda: twice(lm(root(JTFS(**HALF, T=2**12, F=None)))),
    "MSS + root JTFS": mss_and_jtfs,
    "root JTFS": lambda: twice(lm(root_jtfs())),
}
MAKERS |= {name: partial(both, floor) for name, floor in FLOORS.items()}


def contenders(*names: str) -> dict[str, Contender]:
    """Losses of the comparison by name; those of `FLOORS` are not among all."""
    return {name: MAKERS[name]() for name in names or [n for n in MAKERS if n not in FLOORS]}
