"""Values and Jacobians by forward differentiation, for functions of few parameters."""

from collections.abc import Callable

import torch
from torch import Tensor


def value_and_jacobian(f: Callable[[Tensor], Tensor], theta: Tensor) -> tuple[Tensor, Tensor]:
    """f(theta) (..., D) and its Jacobian (..., D, P), for a batch of `theta` (..., P).

    Each row of the batch must depend on its own parameters alone. One forward pass carries all
    P tangents.
    """

    def along(direction: Tensor) -> tuple[Tensor, Tensor]:
        return torch.func.jvp(f, (theta,), (direction.expand_as(theta),))

    directions = torch.eye(theta.shape[-1], dtype=theta.dtype, device=theta.device)
    value, jacobian = torch.func.vmap(along, out_dims=(None, -1))(directions)
    return value, jacobian
