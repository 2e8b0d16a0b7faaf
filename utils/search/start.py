"""Where to start a search: the best of a coarse grid, by the loss itself."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from ..parameters import grid, parameters_of
from .first_order import objective


def best_of_grid(
    synth: Callable, loss: Callable, target: Float[Tensor, " n"], count: int = 6
) -> Float[Tensor, " P"]:
    """The parameters at which a loss against a target is smallest, of a grid over their ranges.

    The grid has `count` values along each parameter. `loss` is as in `gradient_descent`.
    """
    thetas = grid(synth, (count,) * len(parameters_of(synth))).flatten(0, -2)
    return thetas[losses_at(synth, loss, target, thetas).argmin()]


def losses_at(
    synth: Callable, loss: Callable, target: Float[Tensor, " n"], thetas: Float[Tensor, "K P"]
) -> Float[Tensor, " K"]:
    """The loss against a target at each of some parameters, without gradient."""
    value_at = objective(synth, loss, target)
    with torch.no_grad():
        return torch.stack([value_at(theta) for theta in thetas])
