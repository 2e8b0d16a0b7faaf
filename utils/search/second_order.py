"""Second-order search: Levenberg-Marquardt on the features of a loss."""

import time
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from .. import checks
from ..parameters import coordinates
from .jacobian import features_and_jacobian
from .match import Match, Stop, check_search, match_of


def gauss_newton(
    synth: Callable[[Tensor], Tensor],
    phi: Callable[[Tensor], Tensor],
    target: Float[Tensor, " n"],
    theta0: Float[Tensor, " P"],
    *,
    steps: int = 30,
    tolerance: float = 1e-4,
) -> Match:
    r"""Second-order descent on the squared Euclidean distance of features.

    Levenberg-Marquardt on search coordinates z. With the residual r of the features and its
    Jacobian A with respect to z, which forward differentiation gives, a step solves

    .. math:: (A^T A + \mu \operatorname{diag}(A^T A))\, \delta = -A^T r.

    A step that lowers the loss is accepted, and the damping mu divided by 3; any other is
    taken back, and mu multiplied by 4. No step changes a coordinate by more than 1.
    Marquardt, SIAM J. Appl. Math. 11(2), 1963; Nocedal and Wright, "Numerical Optimization",
    2006, section 10.3.

    Parameters
    ----------
    phi : from sounds (..., N) to features (..., D), as in `features_and_jacobian`.
    theta0 : the start.
    steps : the budget of trial steps. One costs a value and Jacobian; after a step that was taken
        back, when the next is likely to be as well, the value comes first, at a third of the cost.
    tolerance : the search is at rest when a step changes no coordinate by more than this.

    The `thetas` of the match are the start and the accepted steps, and its `losses` the squared
    distances there, which never increase.
    """
    check_search(synth, phi, target, theta0, steps, tolerance=tolerance)
    began = time.perf_counter()
    to_z, from_z = coordinates(synth)
    distance, linearize = _around(lambda z: synth(from_z(z)), phi, target)
    z, damping, taken_back = to_z(theta0.detach()), 1e-2, False
    loss, curvature, slope = linearize(z)
    path, losses, evaluations, stop = [z], [loss], 1, Stop.STEPS
    while evaluations <= steps:
        if not slope.any():
            stop = Stop.ZERO_GRADIENT
            break
        step = damped_step(curvature, slope, damping).to(z)
        if step.abs().max() < tolerance:
            stop = Stop.AT_REST
            break
        doubtful = taken_back and not distance(z + step) < loss
        trial = None if doubtful else linearize(z + step)
        evaluations += 1
        taken_back = trial is None or not trial[0] < loss
        if taken_back:
            damping *= 4
        else:
            z, damping = z + step, damping / 3
            loss, curvature, slope = trial
            path.append(z)
            losses.append(loss)
    return match_of(synth, path, losses, evaluations, began, stop)


def _around(play: Callable, phi: Callable, target: Tensor) -> tuple[Callable, Callable]:
    """Two functions of search coordinates (P,): the squared distance of features to those of the
    target; and that with the curvature A^T A (P, P) and the slope A^T r (P,).
    """
    with torch.no_grad():
        wanted = checks.floating("phi(target)", phi(target))

    def distance(z: Tensor) -> float:
        with torch.no_grad():
            features = checks.floating("phi(synth(theta))", phi(play(z)))
        return (features - wanted).double().square().sum().item()

    def linearize(z: Tensor) -> tuple[float, Tensor, Tensor]:
        features, jacobian = features_and_jacobian(play, phi, z)
        checks.floating("phi(synth(theta)) beside target", features, last=len(wanted))
        checks.floating("the Jacobian of phi(synth(theta))", jacobian)
        residual, jacobian = (features - wanted).double(), jacobian.double()
        return residual.square().sum().item(), jacobian.T @ jacobian, jacobian.T @ residual

    return distance, linearize


def damped_step(
    curvature: Float[Tensor, "*batch P P"],
    slope: Float[Tensor, "*batch P"],
    damping: float | Float[Tensor, "*batch 1 1"],
) -> Float[Tensor, "*batch P"]:
    """The step of Levenberg and Marquardt, no longer than 1 in any coordinate."""
    scale = curvature.diagonal(dim1=-2, dim2=-1)
    # A parameter without effect stays where it is.
    scale = scale.clamp(min=1e-12 * scale.amax(-1, keepdim=True))
    step = torch.linalg.solve(curvature + damping * torch.diag_embed(scale), -slope)
    return step / step.abs().amax(-1, keepdim=True).clamp(min=1)
