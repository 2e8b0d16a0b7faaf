"""Values and Jacobians by forward differentiation, for functions of few parameters."""

import math
from collections.abc import Callable
from threading import RLock

import torch
from torch import Tensor

from .. import checks

# torch has one level of forward derivatives for all threads of a process: two that differentiate
# at once fail, or find derivatives of one another. (A function may take Jacobians within.)
ONE_AT_A_TIME = RLock()


def value_and_jacobian(f: Callable[[Tensor], Tensor], theta: Tensor) -> tuple[Tensor, Tensor]:
    """f(theta) (..., D) and its Jacobian (..., D, P), for a batch of `theta` (..., P).

    Each row of the batch must depend on its own parameters alone. One forward pass carries all
    P tangents. Threads wait for one another, since torch differentiates forwards in one at a time;
    processes need not.

    Raises
    ------
    TypeError, ValueError
        If `f` cannot be called, or `theta` is no finite tensor.
    """
    checks.function("f", f)
    theta = checks.floating("theta", theta).contiguous()  # functorch writes beside it

    def along(direction: Tensor) -> tuple[Tensor, Tensor]:
        return torch.func.jvp(f, (theta,), (direction.expand_as(theta),))

    directions = torch.eye(theta.shape[-1], dtype=theta.dtype, device=theta.device)
    with ONE_AT_A_TIME:
        value, jacobian = torch.func.vmap(along, out_dims=(None, -1))(directions)
    return value, jacobian


def features_and_jacobian(
    synth: Callable[[Tensor], Tensor], phi: Callable[[Tensor], Tensor], theta: Tensor
) -> tuple[Tensor, Tensor]:
    """phi(synth(theta)) (..., D) and its Jacobian (..., D, P), for a batch of `theta` (..., P).

    Where `phi` has a method `push_forward(x, tangents)`, as `JTFS` has, it carries the tangents
    of the sounds through; else the general rule of `torch.func` does.

    Raises
    ------
    TypeError, ValueError
        If `synth` or `phi` cannot be called, or `theta` is no finite tensor.
    """
    checks.function("synth", synth)
    checks.function("phi", phi)
    if not hasattr(phi, "push_forward"):
        return value_and_jacobian(lambda t: phi(synth(t)), theta)
    x, tangents = value_and_jacobian(synth, theta)
    features, derivatives = phi.push_forward(x, tangents.movedim(-1, 0))
    return features, derivatives.movedim(0, -1)


def condition(
    synth: Callable[[Tensor], Tensor], phi: Callable[[Tensor], Tensor], theta: Tensor
) -> float:
    """Largest over smallest curvature, at theta (P,), of the squared distance to synth(theta).

    In log-parameters: the condition number of J^T J, with the Jacobian J of the features by them.

    Raises
    ------
    TypeError, ValueError
        For a wrong type or shape, and where the Jacobian is singular.
    """
    checks.positive("theta", theta, ndim=1)
    _, jacobian = features_and_jacobian(synth, phi, theta)
    found = torch.linalg.cond(jacobian * theta).item() ** 2
    if not math.isfinite(found):
        raise ValueError(
            f"phi has a singular Jacobian at theta {theta.tolist()}; expected features that depend "
            "on each parameter"
        )
    return found
