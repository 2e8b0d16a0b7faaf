"""A loss and its gradient over a grid of parameters.

The features of the candidate sounds do not depend on the target, and the gradient of a p-norm
distance is the Jacobian of the features transposed, times a function of the difference of
features. So one pass over the grid serves every target and every delay.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from jaxtyping import Bool, Float
from joblib import delayed
from torch import Tensor
from tqdm import tqdm

from .. import checks
from ..parameters import Parameter, coordinates, declared_by, per_coordinate
from .jacobian import BATCH, features_and_jacobian
from .many import parallel

COLUMNS = 2048  # features compared at once: their differences stay in a processor's cache


@dataclass(frozen=True)
class Atlas:
    """What `survey` computed.

    Attributes
    ----------
    grid : (..., P), the parameters surveyed; G points in all.
    features : (G, D) at every grid point, or None where targets were named beforehand.
    jacobian : (G, D, P), their derivative with respect to the parameters, or None likewise.
    losses : for each norm p, (K, G), the loss against each of K targets named beforehand.
    gradients : for each norm p, (K, G, P).
    parameters : what the synthesizer declared, or nothing.
    """

    grid: Float[Tensor, "*grid P"]
    features: Float[Tensor, "G D"] | None
    jacobian: Float[Tensor, "G D P"] | None
    losses: dict[int, Tensor] | None = None
    gradients: dict[int, Tensor] | None = None
    parameters: tuple[Parameter, ...] = ()

    def surface(
        self, target: Float[Tensor, " D"] | int, p: int = 2
    ) -> tuple[Float[Tensor, "*grid"], Float[Tensor, "*grid P"]]:
        """The loss and its gradient with respect to the parameters, without a new transform.

        Parameters
        ----------
        target : the features (D,) of any target; or, where targets were named beforehand, the
            index of one of them.
        p : 1 or 2, the norm.

        Returns
        -------
        loss (...) and gradient (..., P), in the shape of the grid.
        """
        if self.features is None:
            loss, gradient = self.losses[p][target], self.gradients[p][target]
        else:
            target = target.detach().to(self.features)
            pairs = zip(self.features, self.jacobian, strict=True)
            values = [_distances(f, j, target[None], (p,))[p] for f, j in pairs]
            loss = torch.cat([value for value, _ in values])
            gradient = torch.cat([slope for _, slope in values])
        shape = self.grid.shape[:-1]
        return loss.reshape(shape), gradient.reshape(*shape, -1)

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
    phi : from sounds (..., N) to features (..., D); differentiable in forward mode, or with a
        method `push_forward` as `JTFS` has.
    targets : sounds. Where they are given, the survey keeps the losses and gradients
        against them, and no features: of `MSS`, there are too many.
    n_jobs : processes of joblib that share the work; -1 for one a core; one on an
        accelerator. The result is the same.
    norms : p = 1, 2 or both, for which to keep losses against targets.
    """
    _check_survey(synth, phi, grid, targets, norms)
    parts = grid.detach().reshape(-1, grid.shape[-1]).split(BATCH)
    known = None if targets is None else _features_of(phi, targets)
    work = (delayed(_region)(synth, phi, part, known, norms) for part in parts)
    regions = parallel(n_jobs, grid.device)(work)
    # Of each part: features and Jacobian, or losses and gradients.
    kept = list(tqdm(regions, desc="survey", total=len(parts), leave=False))
    declared = declared_by(synth)
    if targets is None:
        features, jacobian = (torch.cat(part) for part in zip(*kept, strict=True))
        _check_finite(features, jacobian)
        return Atlas(grid, features, jacobian, parameters=declared)
    losses = {p: torch.cat([part[p][0] for part in kept], dim=1) for p in norms}
    gradients = {p: torch.cat([part[p][1] for part in kept], dim=1) for p in norms}
    _check_finite(*losses.values(), *gradients.values())
    return Atlas(grid, None, None, losses, gradients, declared)


def local_minima(loss: Float[Tensor, "*grid"]) -> Bool[Tensor, "*grid"]:
    """Where a loss on a grid is lower than at each neighbour, diagonal ones included.

    Points at the edge of the grid have fewer neighbours, and may be minima too: a descent that
    stays in range ends there.
    """
    padded = torch.nn.functional.pad(loss, (1, 1) * loss.ndim, value=torch.inf)
    lowest = torch.ones_like(loss, dtype=torch.bool)
    for offset in product((0, 1, 2), repeat=loss.ndim):
        if any(o != 1 for o in offset):
            shifted = tuple(slice(o, o + n) for o, n in zip(offset, loss.shape, strict=True))
            lowest &= loss < padded[shifted]
    return lowest


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


def _check_survey(synth, phi, grid, targets, norms) -> None:
    checks.function("synth", synth)
    checks.function("phi", phi)
    checks.floating("grid", grid)
    for p in norms:
        checks.one_of("norms", p, (1, 2))
    if targets is not None:
        length = synth(grid.detach().reshape(-1, grid.shape[-1])[:1]).shape[-1]
        checks.floating("targets", targets, ndim=2, last=length)
        checks.together("targets", targets, "grid", grid, broadcast=False)


def _check_finite(*results: Tensor) -> None:
    if not all(checks.all_true(each.isfinite()) for each in results):
        raise ValueError(
            "phi has NaN or infinite features or derivatives on the grid; expected none"
        )


def _features_of(phi: Callable, sounds: Float[Tensor, "K n"]) -> np.ndarray:
    """As an array, which joblib shares between processes instead of sending it with each part."""
    with torch.no_grad():
        return torch.cat([phi(part) for part in sounds.split(BATCH)]).cpu().numpy()


def _region(
    synth: Callable,
    phi: Callable,
    points: Float[Tensor, "B P"],
    targets: np.ndarray | None,
    norms: Sequence[int],
):
    """Features and Jacobian at some points or, if there are targets (K, D), losses and gradients.

    These are, for each norm, a pair of tensors (K, B) and (K, B, P).
    """
    features, jacobian = features_and_jacobian(synth, phi, points)
    if targets is None:
        return features, jacobian
    known = torch.tensor(targets).to(points)
    rows = [_distances(f, j, known, norms) for f, j in zip(features, jacobian, strict=True)]
    return {
        p: [torch.stack([row[p][part] for row in rows], dim=1) for part in (0, 1)] for p in norms
    }


def _distances(
    features: Float[Tensor, " D"],
    jacobian: Float[Tensor, "D P"],
    targets: Float[Tensor, "K D"],
    norms: Sequence[int],
) -> dict[int, tuple[Float[Tensor, " K"], Float[Tensor, "K P"]]]:
    """For each norm, the distances of features to targets and their gradients."""
    sums = {p: features.new_zeros(len(targets)) for p in norms}
    slopes = {p: features.new_zeros(len(targets), jacobian.shape[-1]) for p in norms}
    split = (each.split(COLUMNS) for each in (features, jacobian))
    for f, j, t in zip(*split, targets.split(COLUMNS, dim=-1), strict=True):
        difference = f - t
        if 1 in norms:
            sums[1] += difference.abs().sum(-1)
            slopes[1] += difference.sign() @ j
        if 2 in norms:
            sums[2] += difference.square().sum(-1)
            slopes[2] += difference @ j
    if 2 in norms:
        sums[2] = sums[2].sqrt()
        slopes[2] = slopes[2] / torch.where(sums[2] > 0, sums[2], 1.0)[:, None]
    return {p: (sums[p], slopes[p]) for p in norms}
