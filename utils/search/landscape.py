"""A loss and its gradient over a grid of parameters.

The features of the candidate sounds do not depend on the target, and the gradient of a p-norm
distance is the Jacobian of the features transposed, times a function of the difference of
features. So one pass over the grid serves every target and every delay.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import torch
from joblib import delayed
from torch import Tensor
from tqdm import tqdm

from .. import checks
from ..synth import parameters_of
from .jacobian import features_and_jacobian
from .processes import parallel

BATCH = 4  # grid points computed together
COLUMNS = 2048  # features compared at once: their differences stay in a processor's cache


@dataclass(frozen=True)
class Atlas:
    """What `survey` found.

    Attributes
    ----------
    grid : (..., P), the parameters surveyed; G points in all.
    features : (G, D) at every grid point, or None where targets were named beforehand.
    jacobian : (G, D, P), the derivative of features by parameters, or None likewise.
    losses : by norm p, (K, G), the loss against each of K targets named beforehand.
    gradients : by norm p, (K, G, P).
    """

    grid: Tensor
    features: Tensor | None
    jacobian: Tensor | None
    losses: dict[int, Tensor] | None = None
    gradients: dict[int, Tensor] | None = None

    def surface(self, target: Tensor | int, p: int = 2) -> tuple[Tensor, Tensor]:
        """The loss and its gradient by the parameters on the grid, without a new transform.

        Parameters
        ----------
        target : the features (D,) of any target; or, where targets were named beforehand, the
            index of one of them.
        p : 1 or 2, the norm.

        Returns
        -------
        loss (...) and gradient (..., P), in the shape of the grid. `to_log` turns the gradient
        into that by log-parameters, in which solvers move.
        """
        checks.one_of("p", p, (1, 2))
        shape = self.grid.shape[:-1]
        if self.features is None:
            checks.one_of("p", p, self.losses)
            index = checks.integer("target", target, least=0)
            if index >= len(self.losses[p]):
                raise ValueError(f"target is {index}; expected less than {len(self.losses[p])}")
            loss, gradient = self.losses[p][index], self.gradients[p][index]
        else:
            checks.floating("target", target, last=self.features.shape[-1], ndim=1)
            checks.together("target", target, "features", self.features)
            target = target.detach().to(self.features)
            pairs = zip(self.features, self.jacobian, strict=True)
            values = [_distances(f, j, target[None], (p,))[p] for f, j in pairs]
            loss = torch.cat([value for value, _ in values])
            gradient = torch.cat([slope for _, slope in values])
        return loss.reshape(shape), gradient.reshape(*shape, -1)

    def to_log(self, gradient: Tensor) -> Tensor:
        """The gradient (..., P) by parameters, as the gradient by their natural logarithms."""
        checks.floating("gradient", gradient, last=self.grid.shape[-1])
        checks.together("gradient", gradient, "grid", self.grid)
        return gradient * self.grid


def survey(
    synth: Callable[[Tensor], Tensor],
    phi: Callable[[Tensor], Tensor],
    grid: Tensor,
    targets: Tensor | None = None,
    *,
    n_jobs: int = 1,
    norms: tuple[int, ...] = (1, 2),
) -> Atlas:
    """Compute features and their Jacobian, by forward differentiation, at every grid point.

    Parameters
    ----------
    synth : from parameters (..., P) to sounds (..., N).
    phi : from sounds (..., N) to features (..., D); differentiable in forward mode, or with a
        method `push_forward` as `JTFS` has.
    grid : (..., P), such as `log_grid` makes.
    targets : (K, N), sounds. Where they are given, the survey streams: it keeps the losses
        and gradients against these targets and forgets the features. So it does with many
        features, such as those of `MSS`.
    n_jobs : processes of joblib that share the work; -1 for one a core; one on an
        accelerator. The result is the same.
    norms : p = 1, 2 or both, for which to keep losses against targets.

    Returns
    -------
    Atlas

    Raises
    ------
    TypeError, ValueError
        For a wrong type, shape or range, naming the argument, and where features or their
        Jacobian are not finite.
    """
    checks.function("synth", synth)
    checks.function("phi", phi)
    checks.floating("grid", grid)
    checks.jobs(n_jobs)
    norms = checks.every("norms", norms, partial(checks.one_of, known=(1, 2)), least=1)
    points = grid.detach().reshape(-1, grid.shape[-1])
    wanted = None
    if targets is not None:
        checks.floating("targets", targets, ndim=2)
        checks.same_device("targets", targets, "grid", grid)
        length = synth(points[:1]).shape[-1]
        if targets.shape[-1] != length:
            raise ValueError(
                f"targets has shape {tuple(targets.shape)}; expected sounds of {length} samples, "
                "as synth makes"
            )
        with torch.no_grad():
            wanted = torch.cat([phi(part) for part in targets.split(BATCH)])
    parts = points.split(BATCH)
    # As an array, which joblib shares between processes instead of sending it with each part.
    known = None if wanted is None else wanted.cpu().numpy()
    work = (delayed(_region)(synth, phi, part, known, norms) for part in parts)
    found = parallel(n_jobs, grid.device)(work)
    # Of each part: features and Jacobian, or losses and gradients.
    kept = list(tqdm(found, desc="survey", total=len(parts), leave=False))
    if wanted is None:
        features, jacobian = (torch.cat(part) for part in zip(*kept, strict=True))
        _all_finite(features, jacobian)
        return Atlas(grid, features, jacobian)
    losses = {p: torch.cat([part[p][0] for part in kept], dim=1) for p in norms}
    gradients = {p: torch.cat([part[p][1] for part in kept], dim=1) for p in norms}
    _all_finite(*losses.values(), *gradients.values())
    return Atlas(grid, None, None, losses, gradients)


def log_grid(synth: Callable, counts: tuple[int, ...]) -> Tensor:
    """A grid (*counts, P) over the range of each parameter of a synthesizer, evenly in log."""
    ranges = parameters_of(synth)
    counts = checks.items("counts", counts, count=len(ranges))
    axes = []
    for each, count in zip(ranges, counts, strict=True):
        checks.integer("counts", count, least=2, most=2**16)
        low, high = torch.tensor([each.low, each.high]).log10().tolist()
        axes.append(torch.logspace(low, high, count))
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)


def local_minima(loss: Tensor) -> Tensor:
    """Where a loss on a grid is lower than at each neighbour, diagonal ones included.

    Points at the edge of the grid have fewer neighbours, and may be minima too: a descent that
    stays in range ends there.

    Raises
    ------
    TypeError, ValueError
        If the loss is not a finite tensor.
    """
    checks.floating("loss", loss)
    padded = torch.nn.functional.pad(loss, (1, 1) * loss.ndim, value=torch.inf)
    lowest = torch.ones_like(loss, dtype=torch.bool)
    for offset in product((0, 1, 2), repeat=loss.ndim):
        if any(o != 1 for o in offset):
            shifted = tuple(slice(o, o + n) for o, n in zip(offset, loss.shape, strict=True))
            lowest &= loss < padded[shifted]
    return lowest


def points_home(grid: Tensor, log_gradient: Tensor, theta: Tensor) -> Tensor:
    """Where descent along `log_gradient` starts within 90 degrees of the way to `theta`.

    All of (..., P) but `theta` (P,); angles are measured in log-parameters. This knows the
    answer: it judges a landscape, and no solver may use it.

    Raises
    ------
    TypeError, ValueError
        If shapes differ, or parameters are not positive.
    """
    checks.positive("grid", grid)
    checks.floating("log_gradient", log_gradient, last=grid.shape[-1])
    checks.positive("theta", theta, last=grid.shape[-1], ndim=1)
    checks.together("log_gradient", log_gradient, "grid", grid)
    checks.together("theta", theta, "grid", grid)
    way = (theta / grid).log()
    return (-log_gradient * way).sum(-1) > 0


def share_home(grid: Tensor, log_gradients: Iterable[Tensor], truths: Tensor) -> float:
    """The share of all arrows of descent that point home, one surface a truth (K, P).

    Raises
    ------
    TypeError, ValueError
        As `points_home` does, and unless there are as many surfaces as truths.
    """
    checks.positive("truths", truths, ndim=2)
    log_gradients = checks.items("log_gradients", log_gradients, count=len(truths))
    pairs = zip(log_gradients, truths, strict=True)
    return torch.stack([points_home(grid, g, t).float().mean() for g, t in pairs]).mean().item()


def share_home_by_chance(grid: Tensor, truths: Tensor) -> float:
    """`share_home` of arrows that point to the middle of the grid, whatever the sound."""
    checks.positive("grid", grid)
    checks.positive("truths", truths, ndim=2)
    middle = (grid[(0,) * (grid.ndim - 1)] * grid[(-1,) * (grid.ndim - 1)]).sqrt()
    return share_home(grid, [(grid / middle).log()] * len(truths), truths)


def _all_finite(*found: Tensor) -> None:
    if not all(checks.all_true(each.isfinite()) for each in found):
        raise ValueError(
            "phi has NaN or infinite features or derivatives on the grid; expected none"
        )


def _region(
    synth: Callable, phi: Callable, points: Tensor, targets: np.ndarray | None, norms: list[int]
):
    """Features and Jacobian at some points; or losses and gradients, if there are targets."""
    found = features_and_jacobian(synth, phi, points)
    return found if targets is None else _against(*found, torch.tensor(targets).to(points), norms)


def _against(
    features: Tensor, jacobian: Tensor, targets: Tensor, norms: list[int]
) -> dict[int, tuple]:
    """Losses (K, B) and gradients (K, B, P) of a batch (B, D) against targets (K, D)."""
    pairs = zip(features, jacobian, strict=True)
    found = [_distances(f, j, targets, norms) for f, j in pairs]
    return {
        p: tuple(torch.stack([each[p][part] for each in found], dim=1) for part in (0, 1))
        for p in norms
    }


def _distances(
    features: Tensor, jacobian: Tensor, targets: Tensor, norms: Sequence[int]
) -> dict[int, tuple]:
    """By norm: distances (K,) from features (D,) to targets (K, D), and gradients (K, P)."""
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
