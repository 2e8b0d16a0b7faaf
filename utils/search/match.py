"""The inverse problem: find the parameters that made a sound, by descent on a loss alone.

Parameters are rates, and a reader hears ratios: solvers move in their logarithms. A solver sees
the loss and nothing else, never the true parameters.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from .. import checks
from .jacobian import features_and_jacobian


@dataclass(frozen=True)
class Match:
    """What a solver did.

    Attributes
    ----------
    thetas : (steps + 1, P), the parameters from the start to the end.
    losses : (steps + 1,), the loss at each of them.
    evaluations : at how many parameters the loss was computed, with or without its gradient.
    seconds : how long the search took.
    converged : whether it came to rest before its budget was spent.
    reason : why it stopped, in words.
    """

    thetas: Tensor
    losses: Tensor
    evaluations: int
    seconds: float
    converged: bool
    reason: str


def gradient_descent(
    synth: Callable[[Tensor], Tensor],
    loss: Callable[..., Tensor],
    target: Tensor,
    theta0: Tensor,
    *,
    steps: int = 50,
    step_size: float = 0.1,
    tolerance: float = 1e-4,
) -> Match:
    """First-order descent: Adam on log-parameters, with a step size that decays as a cosine.

    Adam divides the gradient by its running magnitude, so neither the unit of the loss nor that
    of a parameter matters: a step changes each parameter by a factor of about exp(step_size).
    Kingma and Ba, "Adam", ICLR 2015, algorithm 1; Loshchilov and Hutter, "SGDR", ICLR 2017,
    equation 5 without restarts.

    Parameters
    ----------
    synth : from parameters (P,) to sound (N,).
    loss : any callable `loss(x, y)` with a scalar value. If it has a method `features`, as
        `SpectralLoss` does, the features of the target are computed once.
    target : (N,), the sound to match.
    theta0 : (P,), the start; positive.
    steps : the budget.
    step_size : the first step, in natural logarithms of the parameters.
    tolerance : the search is at rest when no log-parameter has left an interval of this width
        in ten steps.

    Raises
    ------
    TypeError, ValueError
        For a wrong type, shape or range, and where the loss is not a finite scalar.
    """
    steps = checks.integer("steps", steps, least=1)
    step_size = checks.real("step_size", step_size, above=0)
    tolerance = checks.real("tolerance", tolerance, above=0)
    began = time.perf_counter()
    value_at = objective(synth, loss, target)
    z = _start(theta0, target).log().requires_grad_()
    # Gradients of JTFS may be far below Adam's usual epsilon, and squares of them below float32's
    # smallest: an epsilon that only guards against 0 / 0.
    adam = torch.optim.Adam([z], lr=step_size, eps=1e-30)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    path, losses = [z.detach().clone()], []
    reason = "the step budget is spent"
    for _ in range(steps):
        value = value_at(z.exp())
        losses.append(value.item())
        if not value.requires_grad:
            raise ValueError("loss does not depend on theta; expected so, by operations of torch")
        adam.zero_grad()
        value.backward()
        if not z.grad.any():
            reason = "the gradient is zero"
            break
        adam.step()
        cosine.step()
        path.append(z.detach().clone())
        if len(path) > 10 and _spread(path[-11:]) < tolerance:
            reason = "the parameters are at rest"
            break
    if len(losses) < len(path):
        with torch.no_grad():
            losses.append(value_at(z.exp()).item())
    return Match(
        thetas=torch.stack(path).exp(),
        losses=torch.tensor(losses, dtype=z.dtype),
        evaluations=len(losses),
        seconds=time.perf_counter() - began,
        converged=reason != "the step budget is spent",
        reason=reason,
    )


def gauss_newton(
    synth: Callable[[Tensor], Tensor],
    phi: Callable[[Tensor], Tensor],
    target: Tensor,
    theta0: Tensor,
    *,
    steps: int = 30,
    tolerance: float = 1e-4,
    progress: bool = False,
) -> Match:
    r"""Second-order descent on the squared Euclidean distance of features.

    Levenberg-Marquardt on log-parameters z: with the residual r of the features and its Jacobian
    A by z, which forward differentiation gives, a step solves

    .. math:: (A^T A + \mu \operatorname{diag}(A^T A))\, \delta = -A^T r.

    A step that lowers the loss is accepted, and the damping mu divided by 3; any other is
    taken back, and mu multiplied by 4. No step changes a parameter by more than a factor e.
    Marquardt, SIAM J. Appl. Math. 11(2), 1963; Nocedal and Wright, "Numerical Optimization",
    2006, section 10.3.

    Parameters
    ----------
    synth : from parameters (..., P) to sounds (..., N).
    phi : from sounds (..., N) to features (..., D); differentiable in forward mode, or with a
        method `push_forward` as `JTFS` has.
    target : (N,), the sound to match.
    theta0 : (P,), the start; positive.
    steps : the budget of trial steps. One costs a value and Jacobian; after a step that was taken
        back, when the next is likely to be as well, the value comes first, at a third of the cost.
    tolerance : the search is at rest when a step changes no log-parameter by more than this.
    progress : show the loss of each step while it runs.

    Returns
    -------
    Match, whose `thetas` are the start and the accepted steps, and whose `losses` are the
    squared distances there, which never increase.

    Raises
    ------
    TypeError, ValueError
        For a wrong type, shape or range, and where features are not finite.
    """
    steps = checks.integer("steps", steps, least=1)
    tolerance = checks.real("tolerance", tolerance, above=0)
    began = time.perf_counter()
    distance, linearize = _around(synth, phi, target)
    z, damping = _start(theta0, target).log(), 1e-2
    loss, curvature, slope = linearize(z)
    taken_back = False
    path, losses, evaluations = [z], [loss], 1
    reason = "the step budget is spent"
    with tqdm(total=steps, desc="gauss_newton", leave=False, disable=not progress) as bar:
        while evaluations <= steps:
            if not slope.any():
                reason = "the gradient is zero"
                break
            step = _damped_step(curvature, slope, damping).to(z)
            if step.abs().max() < tolerance:
                reason = "the parameters are at rest"
                break
            doubtful = taken_back and not distance(z + step) < loss
            trial = None if doubtful else linearize(z + step)
            evaluations += 1
            bar.set_postfix(loss=f"{loss:.2e}")
            bar.update()
            taken_back = trial is None or not trial[0] < loss
            if taken_back:
                damping *= 4
            else:
                z, damping = z + step, damping / 3
                loss, curvature, slope = trial
                path.append(z)
                losses.append(loss)
    return Match(
        thetas=torch.stack(path).exp(),
        losses=torch.tensor(losses, dtype=z.dtype),
        evaluations=evaluations,
        seconds=time.perf_counter() - began,
        converged=reason != "the step budget is spent",
        reason=reason,
    )


def objective(synth: Callable, loss: Callable, target: Tensor) -> Callable[[Tensor], Tensor]:
    """The loss against a target (N,) as a function of the parameters (P,).

    If the loss has a method `features`, as `SpectralLoss` does, the features of the target are
    computed once.

    Raises
    ------
    TypeError, ValueError
        If the target is not one sound; when called, if the loss is not a finite scalar.
    """
    checks.function("synth", synth)
    checks.function("loss", loss)
    checks.floating("target", target, ndim=1)
    features = loss.features(target) if hasattr(loss, "features") else None

    def value_at(theta: Tensor) -> Tensor:
        x = synth(theta)
        _same_length(target, x)
        value = loss(x, target) if features is None else loss(x, features=features)
        scalar = isinstance(value, Tensor) and value.ndim == 0
        if not scalar or not math.isfinite(value.item()):
            raise ValueError(f"loss is {value} at theta {theta.tolist()}; expected a finite scalar")
        return value

    return value_at


def errors(match: Match, theta: Tensor) -> Tensor:
    """The larger relative error of the parameters at each step, (steps + 1,).

    This knows the truth `theta` (P,): it judges a solver, and no solver may use it.

    Raises
    ------
    TypeError, ValueError
        If `theta` does not hold as many parameters, all positive.
    """
    checks.instance("match", match, Match)
    checks.positive("theta", theta, last=match.thetas.shape[-1], ndim=1)
    checks.together("match.thetas", match.thetas, "theta", theta)
    return (match.thetas / theta - 1).abs().amax(-1)


def steps_to(match: Match, theta: Tensor, tolerance: float = 0.05) -> int | None:
    """The first step from which the error stays within `tolerance`, or None: no success."""
    tolerance = checks.real("tolerance", tolerance, above=0)
    outside = (errors(match, theta) > tolerance).nonzero().flatten().tolist()
    first = outside[-1] + 1 if outside else 0
    return first if first < len(match.thetas) else None


def _around(synth: Callable, phi: Callable, target: Tensor) -> tuple[Callable, Callable]:
    """Two functions of log-parameters: the squared distance, and that with its derivatives.

    The latter are the curvature A^T A and the slope A^T r.
    """
    checks.function("synth", synth)
    checks.function("phi", phi)
    checks.floating("target", target, ndim=1)
    with torch.no_grad():
        wanted = phi(target)

    def distance(z: Tensor) -> float:
        with torch.no_grad():
            loss = (phi(synth(z.exp())) - wanted).double().square().sum().item()
        if not math.isfinite(loss):
            raise ValueError(f"phi at theta {z.exp().tolist()} is not finite; expected so")
        return loss

    def linearize(z: Tensor) -> tuple[float, Tensor, Tensor]:
        found, jacobian = features_and_jacobian(lambda q: synth(q.exp()), phi, z)
        if found.shape != wanted.shape:
            raise ValueError(
                f"target has {len(target)} samples, whose features have shape "
                f"{tuple(wanted.shape)}; expected {tuple(found.shape)}, as those of synth(theta)"
            )
        residual, jacobian = (found - wanted).double(), jacobian.double()
        loss = residual.square().sum().item()
        if not (math.isfinite(loss) and jacobian.isfinite().all()):
            raise ValueError(
                f"phi at theta {z.exp().tolist()} is not finite, or its Jacobian is not; "
                "expected both to be"
            )
        return loss, jacobian.T @ jacobian, jacobian.T @ residual

    return distance, linearize


def _same_length(target: Tensor, x: Tensor) -> None:
    if target.shape[-1] != checks.tensor("synth(theta)", x).shape[-1]:
        raise ValueError(
            f"target has {target.shape[-1]} samples and synth(theta) {x.shape[-1]}; expected the "
            "same length"
        )


def _damped_step(curvature: Tensor, slope: Tensor, damping: float) -> Tensor:
    """The step of Levenberg and Marquardt, no longer than 1 in any log-parameter."""
    scale = curvature.diagonal()
    scale = scale.clamp(min=1e-12 * scale.max())  # a parameter without effect stays where it is
    step = torch.linalg.solve(curvature + damping * torch.diag(scale), -slope)
    return step / step.abs().max().clamp(min=1)


def _start(theta0: Tensor, target: Tensor) -> Tensor:
    checks.floating("theta0", theta0)
    checks.same_device("theta0", theta0, "target", target)
    if theta0.ndim != 1 or not checks.all_true(theta0 > 0):
        raise ValueError(
            f"theta0 is {theta0.tolist()}; expected positive parameters of one sound, (P,)"
        )
    return theta0.detach().clone()


def _spread(path: list[Tensor]) -> float:
    stacked = torch.stack(path)
    return (stacked.amax(0) - stacked.amin(0)).max().item()
