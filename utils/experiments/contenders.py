"""The losses that the comparison compares. To add one, add a line to `contenders`."""

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from ..features.compression import Root
from ..features.loss import SpectralLoss
from ..features.mss import MSS
from .recipe import floor_of, root_jtfs

# MSS with its logarithm added, for several floors of it, asked only of sounds that are on time.
FLOORS = {f"MSS + log MSS, floor {floor:g}": floor for floor in (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)}


class Way(NamedTuple):
    """A loss and the solver that descends on it.

    The solver is "LM", Levenberg-Marquardt, which needs a `SpectralLoss` (or `Aligned`) of the
    Euclidean distance; "BFGS"; or "Adam". These take any callable `loss(x, y)`.
    """

    loss: Callable
    solver: str


class Contender(NamedTuple):
    """A row of the comparison: the way to search from a random start, and from a grid.

    For each, the way that found most was chosen, on pairs that the comparison does not use.
    """

    random: Way
    grid: Way


def root(phi: nn.Module) -> Root:
    """The square roots of features, above a floor that suits chirps."""
    return Root(phi, floor_of(phi))


def adam(phi: nn.Module) -> Way:
    """First-order descent on the L1 distance of features."""
    return Way(SpectralLoss(phi, 1), "Adam")


def lm(phi: nn.Module) -> Way:
    """Second-order descent on the Euclidean distance of features."""
    return Way(SpectralLoss(phi, 2), "LM")


def contenders() -> dict[str, Contender]:
    """The losses of the comparison, by name."""
    mss = MSS()
    found = {
        "MSS": Contender(adam(mss), lm(root(mss))),
        "root JTFS": Contender(lm(root_jtfs()), lm(root_jtfs())),
    }
    for name, floor in FLOORS.items():
        phi = MSS(magnitude="both", floor=floor)
        found[name] = Contender(adam(phi), lm(phi))
    return found
