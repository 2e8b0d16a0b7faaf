"""The numbers behind the explorers: losses over a grid, for many targets and delays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from joblib import delayed
from torch import Tensor

from ..parameters import parameters_of
from ..search.landscape import loss_surfaces, survey
from ..search.many import parallel
from ..synth import am_chirp, delay
from .cache import once

TARGETS = (8, 8)  # over modulation frequency and chirp rate
MANY = 10_000  # features, from which on a survey keeps losses instead
AT_ONCE = 128  # targets of such a survey: their features are held in memory


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
    axes = []
    for parameter, count in zip(parameters_of(am_chirp), counts, strict=True):
        part = (torch.arange(count) + 0.5) / count
        axes.append(parameter.low * (parameter.high / parameter.low) ** part)
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)


def chart(
    phi: Callable,
    grid: Float[Tensor, "A B 2"],
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
    with torch.no_grad():
        many = phi(sounds[0]).shape[-1] > MANY
    targets = torch.cat([delay(sounds, samples) for samples in delays])
    if many:
        found = [
            loss_surfaces(am_chirp, phi, grid, part, n_jobs=n_jobs)
            for part in targets.split(AT_ONCE)
        ]
        losses, slopes = (torch.cat(part) for part in zip(*found, strict=True))
    else:
        atlas = once(survey, am_chirp, phi, grid, n_jobs=n_jobs)
        # Parts are copied: a view would take the whole of its tensor along to another process.
        work = (delayed(_features)(phi, part.clone()) for part in targets.split(8))
        features = torch.cat(list(parallel(n_jobs, targets.device)(work)))
        found = [atlas.surface(wanted, p=1) for wanted in features]
        losses, slopes = (torch.stack(part) for part in zip(*found, strict=True))
    shape = (len(delays), *counts, *grid.shape[:-1])
    return Chart(grid, tuple(delays), losses.reshape(shape), slopes.reshape(*shape, -1))


def _features(phi: Callable, sounds: Tensor) -> Tensor:
    with torch.no_grad():
        return phi(sounds)
