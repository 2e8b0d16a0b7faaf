"""Many second-order searches at once, with one transform for all; and where to start them."""

import itertools
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from .. import checks
from ..parameters import coordinates, declared_by
from .jacobian import batch_size, features_and_slopes, features_of
from .match import Match, Stop, check_as_many, match_of
from .second_order import damped_step

STARTS = 3  # points of a grid from which a search sets out
NEARBY = 0.06  # from the end of a search to the points around it, in search coordinates


def gauss_newton_all(
    synth: Callable[[Tensor], Tensor],
    phi: Callable[[Tensor], Tensor],
    targets: Float[Tensor, "K n"],
    starts: Float[Tensor, "K P"],
    *,
    steps: int = 30,
    tolerance: float = 1e-4,
) -> list[Match]:
    """`gauss_newton` for each target sound, from a start of its own, to the same ends.

    Every search has its own damping and stops on its own. `synth` and `phi` take batches. The
    `seconds` of each match are those of all.
    """
    _check(synth, phi, targets, "starts", starts, ndim=2)
    check_as_many(targets, starts)
    checks.integer("steps", steps, least=1)
    checks.real("tolerance", tolerance, above=0)
    return _search(synth, phi, features_of(phi, targets), starts, steps, tolerance)


def search_from_grid(
    synth: Callable[[Tensor], Tensor],
    phi: Callable[[Tensor], Tensor],
    targets: Float[Tensor, "K n"],
    grid: Float[Tensor, "*grid P"],
) -> list[Match]:
    """The best of several `gauss_newton` searches for each target: the recipe of chapter 5.

    They start from those three points of a grid at which the distance of features is smallest.
    From the best of their ends the search looks around: a last one starts at the best of the
    3^P - 1 points that are 0.06 away in some search coordinates, 6 percent of a logarithmic
    parameter or of the range of a linear one. The smallest distance wins; nothing else is asked.
    """
    _check(synth, phi, targets, "grid", grid)
    began, points = time.perf_counter(), grid.reshape(-1, grid.shape[-1])
    to_z, from_z = coordinates(synth)
    wanted, known = features_of(phi, targets), features_of(phi, points, synth)
    checks.floating("phi(targets)", wanted)
    checks.floating("phi(synth(theta)) beside targets", known, last=wanted.shape[-1])
    count = min(STARTS, len(points))
    nearest = distances(wanted, known).topk(count, largest=False).indices
    best = _best(synth, phi, wanted, points[nearest])
    moves = [move for move in itertools.product((-1, 0, 1), repeat=grid.shape[-1]) if any(move)]
    ends = torch.stack([match.thetas[-1] for match in best])
    around = from_z(to_z(ends)[:, None] + NEARBY * ends.new_tensor(moves))
    near = features_of(phi, around.flatten(0, 1), synth).unflatten(0, around.shape[:2])
    closest = (near - wanted[:, None]).square().sum(-1).argmin(-1)
    again = _best(synth, phi, wanted, around.take_along_dim(closest[:, None, None], 1))
    spent = time.perf_counter() - began
    looked = len(points) + len(moves)
    return [
        replace(
            min(pair, key=lambda match: match.losses[-1].item()),
            evaluations=looked + sum(match.evaluations for match in pair),
            seconds=spent / len(targets),
        )
        for pair in zip(best, again, strict=True)
    ]


def _check(synth, phi, targets: Tensor, name: str, points: Tensor, ndim: int | None = None) -> None:
    """Raise unless targets and points, starts or a grid, fit a synthesizer."""
    checks.function("synth", synth)
    checks.function("phi", phi)
    checks.floating("targets", targets, ndim=2)
    checks.floating(name, points, ndim=ndim, last=len(declared_by(synth)) or None)
    checks.together(name, points[..., 0], "targets", targets[..., 0])
    if not coordinates(synth)[0](points.detach()).isfinite().all():
        raise ValueError(f"{name} is {points.tolist()}; expected positive on log scales")


def distances(features: Float[Tensor, "K D"], others: Float[Tensor, "G D"]) -> Tensor:
    """Euclidean distances (K, G), from differences: squares of single precision would cancel."""
    return torch.cdist(features, others, compute_mode="donot_use_mm_for_euclid_dist")


def _best(synth, phi, wanted: Tensor, starts: Tensor) -> list[Match]:
    """For each target the search with the smallest loss, of those from its starts (K, S, P)."""
    count = starts.shape[1]
    matches = _search(synth, phi, wanted.repeat_interleave(count, 0), starts.flatten(0, 1))
    groups = [matches[k : k + count] for k in range(0, len(matches), count)]
    return [
        replace(
            min(group, key=lambda match: match.losses[-1].item()),
            evaluations=sum(match.evaluations for match in group),
        )
        for group in groups
    ]


def _search(synth, phi, wanted, starts, steps: int = 30, tolerance: float = 1e-4) -> list[Match]:
    """`gauss_newton_all`, given the features of the targets."""
    began = time.perf_counter()
    to_z, from_z = coordinates(synth)
    z = to_z(starts.detach())
    state = [z, *_linearize(synth, phi, from_z(z), wanted)]
    _, loss, curvature, slope = state
    damping = torch.full_like(loss, 1e-2)
    evaluations, path = torch.ones(len(z), dtype=torch.long), [(z.clone(), loss.clone())]
    for _ in range(steps):
        at = slope.any(-1).nonzero().squeeze(-1)
        step = damped_step(curvature[at], slope[at], damping[at, None, None]).to(z)
        far = step.abs().amax(-1) >= tolerance
        at, ahead = at[far], (z[at] + step)[far]
        if not len(at):
            break
        trial = _linearize(synth, phi, from_z(ahead), wanted[at])
        evaluations[at.cpu()] += 1
        lower = trial[0] < loss[at]
        damping[at] *= torch.where(lower, 1 / 3, 4.0)
        for old, new in zip(state, (ahead, *trial), strict=True):
            old[at[lower]] = new[lower]
        path.append((z.clone(), loss.clone()))
    return _matches(synth, path, evaluations, at, slope, began)


def _linearize(synth, phi, thetas: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Squared distances (K,) of features, curvatures A^T A (K, P, P) and slopes A^T r (K, P)."""
    parts, size = [], batch_size(thetas.device)
    for theta, known in zip(thetas.split(size), wanted.split(size), strict=True):
        features, jacobian = features_and_slopes(synth, phi, theta)
        checks.floating("phi(synth(theta)) beside targets", features, last=known.shape[-1])
        residual, A = (features - known).double(), jacobian.double()
        slope = (A.mT @ residual[..., None]).squeeze(-1)
        parts.append((residual.square().sum(-1), A.mT @ A, slope))
    loss, curvature, slope = map(torch.cat, zip(*parts, strict=True))
    checks.floating("the distance of features", loss)
    checks.floating("the Jacobian of phi(synth(theta))", curvature)
    return loss, curvature, slope


def _matches(synth, path, evaluations, moving, slope, began) -> list[Match]:
    """A `Match` for each search, with the steps that it took; some were still `moving`."""
    zs = torch.stack([z for z, _ in path], 1)
    losses = torch.stack([loss for _, loss in path], 1).cpu().tolist()
    late, sloping, matches = set(moving.cpu().tolist()), slope.any(-1).cpu().tolist(), []
    for k, values in enumerate(losses):
        kept = [0] + [i for i in range(1, len(values)) if values[i] < values[i - 1]]
        stop = (Stop.STEPS if k in late else Stop.AT_REST) if sloping[k] else Stop.ZERO_GRADIENT
        taken = [zs[k, i] for i in kept], [values[i] for i in kept]
        matches.append(match_of(synth, *taken, int(evaluations[k]), began, stop))
    return matches
