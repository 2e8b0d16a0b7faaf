"""First-order search: gradient descent on a loss."""

import math
import time
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from .. import checks
from ..parameters import coordinates
from .match import Match, Stop, check_search, match_of


def gradient_descent(
    synth: Callable[[Tensor], Tensor],
    loss: Callable[..., Tensor],
    target: Float[Tensor, " n"],
    theta0: Float[Tensor, " P"],
    *,
    steps: int = 50,
    step_size: float = 0.1,
    tolerance: float = 1e-4,
) -> Match:
    """Adam on search coordinates, with a step size that decays as a cosine.

    Adam divides the gradient by its running magnitude, so neither the unit of the loss nor that
    of a parameter matters: a step changes each parameter by a factor of about exp(step_size), or
    by that share of the range on a linear scale.
    Kingma and Ba, "Adam", ICLR 2015, algorithm 1; Loshchilov and Hutter, "SGDR", ICLR 2017,
    equation 5 without restarts.

    Parameters
    ----------
    loss : any callable `loss(x, y)` with a scalar value. If it has a method `features`, as
        `SpectralLoss` does, the features of the target are computed once.
    theta0 : the start.
    steps : the budget.
    step_size : the first step, in search coordinates.
    tolerance : the search is at rest when no coordinate has left an interval of this width in
        ten steps.
    """
    check_search(synth, loss, target, theta0, steps, step_size=step_size, tolerance=tolerance)
    began = time.perf_counter()
    to_z, from_z = coordinates(synth)
    value_at = objective(synth, loss, target)
    z = to_z(theta0.detach()).requires_grad_()
    # Gradients of JTFS may be far below Adam's usual epsilon, and squares of them below float32's
    # smallest: an epsilon that only guards against 0 / 0.
    adam = torch.optim.Adam([z], lr=step_size, eps=1e-30)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    path, losses, stop = [z.detach().clone()], [], Stop.STEPS
    for _ in range(steps):
        value = value_at(from_z(z))
        losses.append(value.item())
        adam.zero_grad()
        value.backward()
        if not z.grad.any():
            stop = Stop.ZERO_GRADIENT
            break
        adam.step()
        cosine.step()
        path.append(z.detach().clone())
        low, high = torch.stack(path[-11:]).aminmax(dim=0)
        if len(path) > 10 and (high - low).max().item() < tolerance:
            stop = Stop.AT_REST
            break
    if len(losses) < len(path):
        with torch.no_grad():
            losses.append(value_at(from_z(z)).item())
    return match_of(synth, path, losses, len(losses), began, stop)


def objective(synth: Callable, loss: Callable, target: Float[Tensor, " n"]) -> Callable:
    """The loss against a target as a function of the parameters (P,); it raises unless finite."""
    features = loss.features(target) if hasattr(loss, "features") else None

    def value_at(theta: Tensor) -> Tensor:
        x = checks.tensor("synth(theta) beside target", synth(theta), last=len(target))
        value = loss(x, target) if features is None else loss(x, features=features)
        scalar = isinstance(value, Tensor) and value.ndim == 0
        if not scalar or not math.isfinite(value.item()):
            raise ValueError(f"loss is {value} at theta {theta.tolist()}; expected a finite scalar")
        return value

    return value_at
