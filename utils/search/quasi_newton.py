"""Quasi-Newton search: L-BFGS on a loss of two sounds, for losses that have no features."""

import time
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import minimize
from torch import Tensor

from ..parameters import coordinates
from .first_order import objective
from .match import Match, Stop, check_search, match_of

REACH = 3.0  # in search coordinates


def quasi_newton(
    synth: Callable[[Tensor], Tensor],
    loss: Callable[..., Tensor],
    target: Float[Tensor, " n"],
    theta0: Float[Tensor, " P"],
    *,
    steps: int = 30,
) -> Match:
    """SciPy's L-BFGS-B on search coordinates, with gradients by automatic differentiation.

    It stays within `REACH` of the start in each coordinate, a factor of 20 for a logarithmic
    parameter, because a line search may ask for what no synthesizer plays. The loss is divided by
    its value at the start, because the first step goes along the gradient as it is. Nocedal and
    Wright, "Numerical Optimization", 2006, algorithm 7.5.

    Parameters
    ----------
    loss : as in `gradient_descent`.
    steps : the budget of steps; each costs one value and gradient, or a few where the loss is
        rough.
    """
    check_search(synth, loss, target, theta0, steps)
    began = time.perf_counter()
    to_z, from_z = coordinates(synth)
    value_at = objective(synth, loss, target)
    start = to_z(theta0.detach())
    with torch.no_grad():
        first = value_at(theta0.detach()).item()
    path, losses = [start], [first]

    def value_and_gradient(z: np.ndarray) -> tuple[float, np.ndarray]:
        z = torch.as_tensor(z).to(start).requires_grad_()
        value = value_at(from_z(z))
        (gradient,) = torch.autograd.grad(value, z)
        scale = first or 1.0
        return value.item() / scale, gradient.numpy(force=True).astype(float) / scale

    def keep(intermediate_result) -> None:
        path.append(torch.as_tensor(intermediate_result.x).to(start))
        losses.append(intermediate_result.fun * (first or 1.0))

    z0 = start.numpy(force=True).astype(float)
    found = minimize(
        value_and_gradient,
        z0,
        jac=True,
        method="L-BFGS-B",
        bounds=[(each - REACH, each + REACH) for each in z0],
        callback=keep,
        options={"maxiter": steps},
    )
    stop = Stop.STEPS if found.nit >= steps else Stop.AT_REST
    return match_of(synth, path, losses, found.nfev + 1, began, stop)
