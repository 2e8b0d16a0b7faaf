"""Values and Jacobians by forward differentiation, for functions of few parameters."""

from collections.abc import Callable
from threading import RLock

import torch
from jaxtyping import Float
from joblib import delayed
from torch import Tensor

from ..parameters import declared_by, per_coordinate
from .many import parallel

BATCH, GPU_BATCH = 4, 64  # points whose Jacobians are computed together

# torch has one level of forward derivatives for all threads of a process: two that differentiate
# at once fail, or find derivatives of one another. (A function may take Jacobians within.)
ONE_AT_A_TIME = RLock()


def batch_size(device: torch.device) -> int:
    """How many sounds are transformed at once: on a processor few, which its cache holds."""
    return BATCH if device.type == "cpu" else GPU_BATCH


def features_of(
    phi: Callable, inputs: Float[Tensor, "K _"], synth: Callable = lambda x: x
) -> Float[Tensor, "K D"]:
    """Features of many sounds, or of the sounds of many parameters, some at a time."""
    with torch.no_grad():
        return torch.cat([phi(synth(part)) for part in inputs.split(batch_size(inputs.device))])


def value_and_jacobian(
    f: Callable, theta: Float[Tensor, "*batch P"]
) -> tuple[Float[Tensor, "*batch D"], Float[Tensor, "*batch D P"]]:
    """f(theta) (..., D) and its Jacobian (..., D, P), for a batch of `theta` (..., P).

    Each row of the batch must depend on its own parameters alone. One forward pass carries all
    P tangents. Threads wait for one another, since torch differentiates forwards in one at a time;
    processes need not.
    """
    theta = theta.contiguous()  # functorch writes beside it

    def along(direction: Tensor) -> tuple[Tensor, Tensor]:
        return torch.func.jvp(f, (theta,), (direction.expand_as(theta),))

    directions = torch.eye(theta.shape[-1], dtype=theta.dtype, device=theta.device)
    with ONE_AT_A_TIME:
        return torch.func.vmap(along, out_dims=(None, -1))(directions)


def features_and_jacobian(
    synth: Callable, phi: Callable, theta: Float[Tensor, "*batch P"]
) -> tuple[Float[Tensor, "*batch D"], Float[Tensor, "*batch D P"]]:
    """phi(synth(theta)) (..., D) and its Jacobian (..., D, P), for a batch of `theta` (..., P).

    `phi` is differentiable in forward mode; or it has a method `push_forward(x, tangents)`, as
    `JTFS` has, which carries the tangents of the sounds through.
    """
    if not hasattr(phi, "push_forward"):
        return value_and_jacobian(lambda t: phi(synth(t)), theta)
    x, tangents = value_and_jacobian(synth, theta)
    features, derivatives = phi.push_forward(x, tangents.movedim(-1, 0))
    return features, derivatives.movedim(0, -1)


def features_and_slopes(
    synth: Callable, phi: Callable, theta: Float[Tensor, "*batch P"]
) -> tuple[Float[Tensor, "*batch D"], Float[Tensor, "*batch D P"]]:
    """`features_and_jacobian`, with respect to search coordinates, in which solvers move."""
    features, jacobian = features_and_jacobian(synth, phi, theta)
    return features, jacobian * per_coordinate(declared_by(synth), theta)[..., None, :]


def condition(synth: Callable, phi: Callable, theta: Float[Tensor, " P"]) -> float:
    """Largest over smallest curvature at `theta` of the squared distance to its features.

    In search coordinates: the condition number of J^T J, with the Jacobian J of the features.
    """
    return torch.linalg.cond(features_and_slopes(synth, phi, theta)[1]).item() ** 2


def quadratic_forms(
    synth: Callable, phi: Callable, thetas: Float[Tensor, "K P"], n_jobs: int = 1
) -> Float[Tensor, "K P P"]:
    r"""The squared distance of features around each of some parameters, as quadratic forms.

    With the Jacobian J of the features with respect to search coordinates z,
    :math:`\lVert \Phi(g(z + \delta)) - \Phi(g(z)) \rVert^2 = \delta^T J^T J \delta + O(\delta^3)`.
    Han, Lostanlen and Lagrange, "Perceptual-neural-physical sound matching", ICASSP 2023.
    `n_jobs` is as in `survey`.
    """
    parts = thetas.detach().split(BATCH)
    work = (delayed(features_and_slopes)(synth, phi, part) for part in parts)
    slopes = torch.cat([each for _, each in parallel(n_jobs, thetas.device)(work)])
    return slopes.mT @ slopes
