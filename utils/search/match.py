"""What a search for the parameters of a sound did, and how near it came.

Solvers see a loss and nothing else. The functions here know the true parameters: they judge
solvers, and no solver may use them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import torch
from jaxtyping import Float
from torch import Tensor

from .. import checks
from ..parameters import Parameter, coordinates, declared_by, deviations

Stop = StrEnum("Stop", "STEPS AT_REST ZERO_GRADIENT")  # why a search stopped; STEPS: its budget


@dataclass(frozen=True)
class Match:
    """What a solver did, from the start to the end of its path."""

    thetas: Float[Tensor, "path P"]
    losses: Float[Tensor, " path"]
    evaluations: int  # at how many parameters the loss was computed, with or without its gradient
    seconds: float
    stop: Stop
    parameters: tuple[Parameter, ...] = ()  # what the synthesizer declared

    @property
    def converged(self) -> bool:
        """Whether the search came to rest before its budget was spent."""
        return self.stop is not Stop.STEPS


def errors(match: Match, truth: Float[Tensor, " P"]) -> Float[Tensor, " path"]:
    """The largest error of a parameter at each step: relative, or as a share of a linear range."""
    return deviations(match.parameters, match.thetas, truth).amax(-1)


def match_of(
    synth: Callable, path: list[Tensor], losses: list[float], counted: int, began: float, stop: Stop
) -> Match:
    """The record of a search along a path of coordinates; `began` is when, by `perf_counter`."""
    return Match(
        thetas=coordinates(synth)[1](torch.stack(path)),
        losses=torch.tensor(losses, dtype=path[0].dtype),
        evaluations=counted,
        seconds=time.perf_counter() - began,
        stop=stop,
        parameters=declared_by(synth),
    )


def check_search(
    synth: Callable, criterion: Callable, target: Tensor, theta0: Tensor, steps: int, **sizes: float
) -> None:
    """Raise unless the arguments of a solver fit; `sizes` are positive numbers by name."""
    checks.function("synth", synth)
    checks.function("loss or phi", criterion)
    checks.floating("target", target, ndim=1)
    checks.floating("theta0", theta0, ndim=1, last=len(declared_by(synth)) or None)
    checks.together("theta0", theta0, "target", target)
    if not coordinates(synth)[0](theta0.detach()).isfinite().all():
        raise ValueError(f"theta0 is {theta0.tolist()}; expected positive on log scales")
    checks.integer("steps", steps, least=1)
    for name, size in sizes.items():
        checks.real(name, size, above=0)


def check_as_many(targets: Tensor, starts: Tensor) -> None:
    """Raise unless each target has a start."""
    if len(targets) != len(starts):
        raise ValueError(
            f"targets has {len(targets)} rows and starts {len(starts)}; expected as many"
        )
