"""The numbers behind the explorers: losses over a grid, for many targets and delays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..features.jtfs import JTFS
from ..features.mss import MSS
from ..parameters import grid
from ..search.landscape import loss_surfaces, survey
from ..synth import SAMPLE_RATE, am_chirp, delay
from .cache import once

TARGETS = (6, 6)  # over modulation frequency and chirp rate
DELAYS = (0, 2**8, 2**10, 2**12)  # samples
MANY = 10_000  # features, from which on a survey keeps losses instead
AT_ONCE = 144  # targets of such a survey: their features are held in memory


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
    points: Float[Tensor, "A B 2"],
    delays: Sequence[int],
    counts: tuple[int, int] = TARGETS,
    n_jobs: int = -1,
) -> Chart:
    """Survey a loss for the targets `target_grid(counts)` and delays; see `Chart`.

    Many features, as those of MSS, are compared with some targets at a time and forgotten; for
    few, one survey of the grid serves all, and is shared with other chapters. `n_jobs` is as in
    `survey`.
    """
    sounds = am_chirp(target_grid(counts)).flatten(0, 1)
    targets = torch.cat([delay(sounds, samples) for samples in delays])
    with torch.no_grad():
        many = phi(sounds[0]).shape[-1] > MANY
        features = [] if many else torch.cat([phi(part) for part in targets.split(8)])
    if many:
        parts = targets.split(AT_ONCE)
        found = [loss_surfaces(am_chirp, phi, points, part, n_jobs=n_jobs) for part in parts]
        losses, slopes = (torch.cat(part) for part in zip(*found, strict=True))
    else:
        atlas = once(survey, am_chirp, phi, points, n_jobs=n_jobs)
        found = [atlas.surface(wanted, p=1) for wanted in features]
        losses, slopes = (torch.stack(part) for part in zip(*found, strict=True))
    shape = (len(delays), *counts, *points.shape[:-1])
    return Chart(points, tuple(delays), losses.reshape(shape), slopes.reshape(*shape, -1))


def both() -> dict[str, Chart]:
    """Charts of the spectrogram loss and of JTFS over ten by ten candidates, computed once."""
    operators = {"MSS": MSS(), "JTFS": JTFS(4 * SAMPLE_RATE, oversampling=0.5)}
    points = grid(am_chirp, (10, 10))
    return {name: once(chart, phi, points, DELAYS) for name, phi in operators.items()}
