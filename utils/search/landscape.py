"""A loss and its gradient over a grid of parameters.

The features of the candidate sounds do not depend on the target, and the gradient of a p-norm
distance is the Jacobian of the features transposed, times a function of the difference of
features. So one pass over the grid serves every target and every delay.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from joblib import delayed
from scipy.ndimage import minimum_filter
from torch import Tensor
from tqdm import tqdm

from .. import checks
from ..parameters import Parameter, coordinates, declared_by, per_coordinate
from .jacobian import BATCH, features_and_jacobian
from .many import parallel

COLUMNS = 2048  # features compared at once: their differences stay in a processor's cache


@dataclass(frozen=True)
class Atlas:
    """What `survey` computed at the G points of a grid.

    It holds the features and their Jacobian with respect to the parameters; or, where K targets
    were named beforehand, the losses (K, G) and their gradients (K, G, P) for each norm p.
    """

    grid: Float[Tensor, "*grid P"]
    features: Float[Tensor, "G D"] | None
    jacobian: Float[Tensor, "G D P"] | None
    losses: dict[int, Tensor] | None = None
    gradients: dict[int, Tensor] | None = None
    parameters: tuple[Parameter, ...] = ()  # what the synthesizer declared

    def surface(
        self, target: Float[Tensor, " D"] | int, p: int = 2
    ) -> tuple[Float[Tensor, "*grid"], Float[Tensor, "*grid P"]]:
        """The loss and its gradient with respect to the parameters, without a new transform.

        Parameters
        ----------
        target : the features (D,) of any target; or, where targets were named beforehand, the
            index of one of them.
        p : 1 or 2, the norm.
        """
        if self.features is None:
            loss, gradient = self.losses[p][target], self.gradients[p][target]
        else:
            known = target.detach().to(self.features)[None]
            loss, gradient = _distances(self.features, self.jacobian, known, p)
        return loss.reshape(self.grid.shape[:-1]), gradient.reshape(self.grid.shape)

    def to_coordinates(self, gradient: Float[Tensor, "*grid P"]) -> Float[Tensor, "*grid P"]:
        """The gradient on the grid with respect to search coordinates, in which solvers move."""
        return gradient * per_coordinate(self.parameters, self.grid)


def survey(
    synth: Callable[[Tensor], Tensor],
    phi: Callable[[Tensor], Tensor],
    grid: Float[Tensor, "*grid P"],
    targets: Float[Tensor, "K n"] | None = None,
    *,
    n_jobs: int = 1,
    norms: tuple[int, ...] = (1, 2),
) -> Atlas:
    """Compute features and their Jacobian, by forward differentiation, at every grid point.

    Parameters
    ----------
    phi : from sounds (..., N) to features (..., D), as in `features_and_jacobian`.
    targets : sounds. Where they are given, the survey keeps the losses and gradients
        against them, and no features: of `MSS`, there are too many.
    n_jobs : processes of joblib that share the work; -1 for one a core; one on an
        accelerator. The result is the same.
    norms : p = 1, 2 or both, for which to keep losses against targets.
    """
    checks.function("synth", synth)
    checks.function("phi", phi)
    checks.floating("grid", grid)
    parts = grid.detach().reshape(-1, grid.shape[-1]).split(BATCH)
    known = None
    if targets is not None:
        length = synth(parts[0][:1]).shape[-1]
        checks.floating("targets", targets, ndim=2, last=length)
        checks.together("targets", targets, "grid", grid, broadcast=False)
        with torch.no_grad():
            features = torch.cat([phi(part) for part in targets.split(BATCH)])
        known = features.numpy(force=True)  # joblib shares arrays between processes
    work = (delayed(_region)(synth, phi, part, known, norms) for part in parts)
    regions = parallel(n_jobs, grid.device)(work)
    kept = tqdm(regions, desc="survey", total=len(parts), leave=False)
    results = [torch.cat(part) for part in zip(*kept, strict=True)]
    if not all(each.isfinite().all() for each in results):
        raise ValueError(
            "phi has NaN or infinite features or derivatives on the grid; expected none"
        )
    if targets is None:
        return Atlas(grid, *results, parameters=declared_by(synth))
    by_target = [each.movedim(1, 0) for each in results]
    losses, gradients = (dict(zip(norms, by_target[k::2], strict=True)) for k in (0, 1))
    return Atlas(grid, None, None, losses, gradients, declared_by(synth))


def local_minima(loss: Float[Tensor, "*grid"]) -> Bool[Tensor, "*grid"]:
    """Where a loss on a grid is lower than at each neighbour, diagonal ones included.

    Points at the edge of the grid have fewer neighbours, and may be minima too: a descent that
    stays in range ends there.
    """
    ring = np.ones((3,) * loss.ndim, dtype=bool)
    ring[(1,) * loss.ndim] = False
    around = minimum_filter(loss.numpy(force=True), footprint=ring, mode="constant", cval=np.inf)
    return loss < torch.from_numpy(around).to(loss)


def descends_toward(
    synth: Callable,
    grid: Float[Tensor, "*grid P"],
    gradient: Float[Tensor, "*grid P"],
    truth: Float[Tensor, " P"],
) -> Bool[Tensor, "*grid"]:
    """Where descent starts within 90 degrees of the way to the true parameters.

    The gradient is with respect to search coordinates, in which angles are measured. This knows
    the truth: it judges a landscape, and no solver may use it.
    """
    to_z, _ = coordinates(synth)
    return (-gradient * (to_z(truth) - to_z(grid))).sum(-1) > 0


def share_toward(
    synth: Callable,
    grid: Float[Tensor, "*grid P"],
    gradients: Iterable[Float[Tensor, "*grid P"]],
    truths: Float[Tensor, "K P"],
) -> float:
    """The share of grid points at which descent starts toward the truth: one surface a truth."""
    pairs = zip(gradients, truths, strict=True)
    shares = [descends_toward(synth, grid, *pair).float().mean() for pair in pairs]
    return torch.stack(shares).mean().item()


def share_toward_by_chance(
    synth: Callable, grid: Float[Tensor, "*grid P"], truths: Float[Tensor, "K P"]
) -> float:
    """`share_toward` of arrows that point to the middle of the grid, whatever the sound."""
    z = coordinates(synth)[0](grid)
    first, last = (z[(end,) * (grid.ndim - 1)] for end in (0, -1))
    return share_toward(synth, grid, [z - (first + last) / 2] * len(truths), truths)


def _region(
    synth: Callable, phi: Callable, points: Tensor, targets: np.ndarray | None, norms: Sequence[int]
) -> list[Tensor]:
    """Features (B, D) and Jacobian (B, D, P) at some points (B, P) or, if there are features
    (K, D) of targets, losses (B, K) and gradients (B, K, P) for one norm after the other.
    """
    features, jacobian = features_and_jacobian(synth, phi, points)
    if targets is None:
        return [features, jacobian]
    known = torch.tensor(targets).to(points)
    return [part for p in norms for part in _distances(features, jacobian, known, p)]


def _distances(features: Tensor, jacobian: Tensor, targets: Tensor, p: int) -> list[Tensor]:
    """Distances (B, K) of features (B, D) to targets (K, D), and gradients (B, K, P)."""
    rows = [_distance(*row, targets, p) for row in zip(features, jacobian, strict=True)]
    return [torch.stack(part) for part in zip(*rows, strict=True)]


def _distance(features: Tensor, jacobian: Tensor, targets: Tensor, p: int) -> list[Tensor]:
    """Distances (K,) of features (D,) to targets (K, D), and gradients (K, P)."""
    checks.one_of("p", p, (1, 2))
    total = features.new_zeros(len(targets))
    gradient = features.new_zeros(len(targets), jacobian.shape[-1])
    split = (each.split(COLUMNS) for each in (features, jacobian))
    for f, j, t in zip(*split, targets.split(COLUMNS, dim=-1), strict=True):
        difference = f - t
        total += (difference.abs() if p == 1 else difference.square()).sum(-1)
        gradient += (difference.sign() if p == 1 else difference) @ j
    if p == 1:
        return [total, gradient]
    root = total.sqrt()
    return [root, gradient / torch.where(root > 0, root, 1.0)[:, None]]
