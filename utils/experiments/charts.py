"""The numbers behind the explorer: losses over a grid, for many targets and delays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..features.jtfs import JTFS
from ..features.mss import MSS
from ..parameters import grid
from ..search.landscape import loss_surfaces
from ..synth import SAMPLE_RATE, am_chirp, delay
from .record import RECORDS

TARGETS = (6, 6)  # over modulation frequency and chirp rate
DELAYS = (0, 2**8, 2**10, 2**12)  # samples
CANDIDATES = grid(am_chirp, (10, 10))
OPERATORS = {"MSS": MSS(), "JTFS": JTFS(4 * SAMPLE_RATE, oversampling=0.5)}
RECORD = RECORDS / "explorer.npz"


@dataclass(frozen=True)
class Chart:
    """A loss, p = 1, over a grid (A, B) of candidates, for a grid (C, D) of targets and V delays.

    Delays are in samples; `slopes` is the gradient of `losses` in search coordinates.
    """

    grid: Float[Tensor, "A B 2"]
    delays: tuple[int, ...]
    losses: Float[Tensor, "V C D A B"]
    slopes: Float[Tensor, "V C D A B 2"]


def target_grid(counts: tuple[int, int] = TARGETS) -> Float[Tensor, "C D 2"]:
    """Parameters of targets: the middles of even cells of the range, in logarithms."""
    return grid(am_chirp, tuple(2 * count + 1 for count in counts))[1::2, 1::2]


def chart(
    phi: Callable,
    points: Float[Tensor, "A B 2"] = CANDIDATES,
    delays: Sequence[int] = DELAYS,
    counts: tuple[int, int] = TARGETS,
    n_jobs: int = -1,
) -> Chart:
    """A loss for the targets `target_grid(counts)` and delays; `n_jobs` is as in `survey`."""
    sounds = am_chirp(target_grid(counts)).flatten(0, 1)
    targets = torch.cat([delay(sounds, samples) for samples in delays])
    losses, slopes = loss_surfaces(am_chirp, phi, points, targets, n_jobs=n_jobs)
    shape = (len(delays), *counts, *points.shape[:-1])
    return Chart(points, tuple(delays), losses.reshape(shape), slopes.reshape(*shape, -1))


def write() -> None:
    """Compute the charts of all operators and write the record."""
    arrays = {}
    for name, phi in OPERATORS.items():
        one = chart(phi)
        arrays |= {f"{name} {part}": getattr(one, part).numpy() for part in ("losses", "slopes")}
    np.savez_compressed(RECORD, **{name: each.astype("f2") for name, each in arrays.items()})


def read() -> dict[str, Chart]:
    """The committed charts, to three digits."""
    with np.load(RECORD) as file:
        parts = {name: torch.from_numpy(file[name].astype("f4")) for name in file}
    return {
        name: Chart(CANDIDATES, DELAYS, parts[f"{name} losses"], parts[f"{name} slopes"])
        for name in OPERATORS
    }
