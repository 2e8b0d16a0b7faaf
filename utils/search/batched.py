"""Many second-order searches at once, with one transform for all."""

import itertools
import time
from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from joblib import delayed
from torch import Tensor

from .. import checks
from ..parameters import coordinates, declared_by, ends_of
from .jacobian import batch_size, features_and_slopes, features_of
from .many import parallel
from .match import Match, Stop, check_as_many, match_of
from .second_order import damped_step

TOGETHER = 2  # searches of a process of a CPU: more would wait for the longest


def gauss_newton_all(
    synth: Callable[[Tensor], Tensor],
    phi: Callable[[Tensor], Tensor],
    targets: Float[Tensor, "K n"],
    starts: Float[Tensor, "K P"],
    *,
    steps: int = 30,
    tolerance: float = 1e-4,
    n_jobs: int = -1,
) -> list[Match]:
    """`gauss_newton` for each target sound, from a start of its own, to the same ends.

    Every search has its own damping and stops on its own. `synth` and `phi` take batches: on an
    accelerator of all searches, elsewhere of two at a time, which `n_jobs` processes of joblib
    share (-1: one a core). The `seconds` of each match are those of its batch.
    """
    check(synth, phi, targets, "starts", starts, ndim=2)
    check_as_many(targets, starts)
    checks.integer("steps", steps, least=1)
    checks.real("tolerance", tolerance, above=0)
    wanted = features_of(phi, targets)
    size = TOGETHER if targets.device.type == "cpu" else len(targets)
    parts = list(zip(wanted.split(size), starts.split(size), strict=True))
    search = partial(delayed(search_all), synth, phi, steps=steps, tolerance=tolerance)
    work = (search(known.clone(), start.clone()) for known, start in parts)
    matches = parallel(n_jobs if len(parts) > 1 else 1, targets.device)(work)
    return list(itertools.chain.from_iterable(matches))


def check(synth, phi, targets: Tensor, name: str, points: Tensor, ndim: int | None = None) -> None:
    """Raise unless targets and points, starts or a grid, fit a synthesizer."""
    checks.function("synth", synth)
    checks.function("phi", phi)
    checks.floating("targets", targets, ndim=2)
    checks.floating(name, points, ndim=ndim, last=len(declared_by(synth)) or None)
    checks.together(name, points[..., 0], "targets", targets[..., 0])
    if not coordinates(synth)[0](points.detach()).isfinite().all():
        raise ValueError(f"{name} is {points.tolist()}; expected positive on log scales")


def search_all(
    synth, phi, wanted, starts, steps: int = 30, tolerance: float = 1e-4, within: bool = False
) -> list[Match]:
    """`gauss_newton_all`, given the features of the targets.

    If `within`, no step leaves the ranges of the parameters.
    """
    began = time.perf_counter()
    to_z, from_z = coordinates(synth)
    z = to_z(starts.detach())
    low, high = ends_of(synth).to(z) if within else (-torch.inf, torch.inf)
    state = [z, *_linearize(synth, phi, from_z(z), wanted)]
    _, loss, curvature, slope = state
    damping = torch.full_like(loss, 1e-2)
    evaluations, path = torch.ones(len(z), dtype=torch.long), [(z.clone(), loss.clone())]
    for _ in range(steps):
        at = slope.any(-1).nonzero().squeeze(-1)
        step = damped_step(curvature[at], slope[at], damping[at, None, None]).to(z)
        step = (z[at] + step).clamp(low, high) - z[at]
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
