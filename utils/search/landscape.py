"""A loss and its gradient over a grid of parameters.

The features of the candidate sounds do not depend on the target, and the gradient of a p-norm
distance is the Jacobian of the features transposed, times a function of the difference of
features. So one pass over the grid serves every target and every delay.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float
from joblib import delayed
from scipy.ndimage import minimum_filter
from torch import Tensor
from tqdm import tqdm

from .. import checks
from .first_order import objective
from .jacobian import batch_size, features_and_slopes, features_of
from .many import parallel

COLUMNS = 512  # features compared at once: their differences stay in a processor's cache


@dataclass(frozen=True)
class Atlas:
    """Features at the G points of a grid, and their Jacobian in search coordinates."""

    grid: Float[Tensor, "*grid P"]
    features: Float[Tensor, "G D"]
    jacobian: Float[Tensor, "G D P"]

    def surface(
        self, target: Float[Tensor, " D"], p: int = 2
    ) -> tuple[Float[Tensor, "*grid"], Float[Tensor, "*grid P"]]:
        """The p-norm loss against features of any target and its gradient, with no new transform.

        The gradient is with respect to search coordinates, in which solvers move.
        """
        target = target.detach().to(self.features)
        known = target.detach().to(self.features)[None]
        loss, gradient = _distances(self.features, self.jacobian, known, p)
        return loss.reshape(self.grid.shape[:-1]), gradient.reshape(self.grid.shape)


def survey(
    synth: Callable[[Tensor], Tensor],
    phi: Callable[[Tensor], Tensor],
    grid: Float[Tensor, "*grid P"],
    *,
    n_jobs: int = 1,
) -> Atlas:
    """Compute features and their Jacobian, by forward differentiation, at every grid point.

    Parameters
    ----------
    phi : from sounds (..., N) to features (..., D), as in `features_and_jacobian`.
    n_jobs : processes of joblib that share the work; -1 for one a core; one on an
        accelerator. The result is the same.
    """
    parts = _parts(synth, phi, grid)
    return Atlas(grid, *_everywhere(partial(features_and_slopes, synth, phi), parts, n_jobs))


def loss_surfaces(
    synth: Callable[[Tensor], Tensor],
    phi: Callable[[Tensor], Tensor],
    grid: Float[Tensor, "*grid P"],
    targets: Float[Tensor, "K n"],
    *,
    p: int = 1,
    n_jobs: int = 1,
) -> tuple[Float[Tensor, "*surfaces"], Float[Tensor, "*surfaces P"]]:
    """The losses (K, *grid) against target sounds, and their gradients as in `Atlas.surface`.

    No features are kept: of `MSS`, there are too many. `n_jobs` is as in `survey`.
    """
    parts = _parts(synth, phi, grid)
    checks.floating("targets", targets, ndim=2, last=synth(parts[0][:1]).shape[-1])
    checks.together("targets", targets, "grid", grid)
    known = features_of(phi, targets).numpy(force=True)  # joblib shares arrays between processes
    found = _everywhere(partial(_compare, synth, phi, known, p), parts, n_jobs)
    losses, gradients = (each.movedim(1, 0) for each in found)
    return losses.reshape(-1, *grid.shape[:-1]), gradients.reshape(-1, *grid.shape)


def losses_at(
    synth: Callable, loss: Callable, target: Float[Tensor, " n"], thetas: Float[Tensor, "K P"]
) -> Float[Tensor, " K"]:
    """The loss against a target at each of some parameters, without gradient."""
    value_at = objective(synth, loss, target)
    with torch.no_grad():
        return torch.stack([value_at(theta) for theta in thetas])


def local_minima(loss: Float[Tensor, "*grid"]) -> Bool[Tensor, "*grid"]:
    """Where a loss on a grid is lower than at each neighbour, diagonal ones included.

    Points at the edge of the grid have fewer neighbours, and may be minima too: a descent that
    stays in range ends there.
    """
    ring = np.ones((3,) * loss.ndim, dtype=bool)
    ring[(1,) * loss.ndim] = False
    around = minimum_filter(loss.numpy(force=True), footprint=ring, mode="constant", cval=np.inf)
    return loss < torch.from_numpy(around).to(loss)


def _parts(synth: Callable, phi: Callable, grid: Tensor) -> tuple[Tensor, ...]:
    """The points of a grid, some (B, P) at a time."""
    checks.function("synth", synth)
    checks.function("phi", phi)
    checks.floating("grid", grid)
    return grid.detach().reshape(-1, grid.shape[-1]).split(batch_size(grid.device))


def _everywhere(work: Callable, parts: tuple[Tensor, ...], n_jobs: int) -> list[Tensor]:
    """What `work` finds in all parts of a grid: tensors (B, ...) of each, finite, end to end."""
    pool = parallel(n_jobs, parts[0].device, len(parts))
    found = pool(delayed(work)(part) for part in parts)
    kept = tqdm(found, desc="survey", total=len(parts), leave=False)
    results = [torch.cat(part) for part in zip(*kept, strict=True)]
    if not all(each.isfinite().all() for each in results):
        raise ValueError(
            "phi has NaN or infinite features or derivatives on the grid; expected none"
        )
    return results


def _compare(
    synth: Callable, phi: Callable, targets: np.ndarray, p: int, points: Tensor
) -> tuple[Tensor, Tensor]:
    return _distances(*features_and_slopes(synth, phi, points), torch.tensor(targets).to(points), p)


def _distances(
    features: Tensor, jacobian: Tensor, targets: Tensor, p: int
) -> tuple[Tensor, Tensor]:
    """Distances (B, K) of features (B, D) to targets (K, D), and gradients (B, K, P)."""
    checks.one_of("p", p, (1, 2))
    total, gradient = 0.0, 0.0
    split = (each.split(COLUMNS, dim=1) for each in (features, jacobian, targets))
    for f, j, t in zip(*split, strict=True):
        difference = f[:, None] - t
        total += (difference.abs() if p == 1 else difference.square()).sum(-1)
        gradient += (difference.sign() if p == 1 else difference) @ j
    if p == 1:
        return total, gradient
    root = total.sqrt()
    return root, gradient / torch.where(root > 0, root, 1.0)[..., None]
