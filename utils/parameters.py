"""What a synthesizer declares of its parameters, and the coordinates in which they are searched.

A rate is best searched in its logarithm, since equal ratios sound equally far apart. What may be
zero or negative, such as an onset, a phase or a chirp rate of either sign, is searched as it is,
in units of its range. A synthesizer that declares nothing has logarithmic parameters.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from . import checks


class Parameter(NamedTuple):
    """One parameter of a synthesizer, with the range that is studied; see above for the scale."""

    name: str
    symbol: str
    unit: str
    low: float
    high: float
    scale: Literal["log", "linear"] = "log"


def parameters(*declared: Parameter) -> Callable[[Callable], Callable]:
    """Decorate a synthesizer with the `Parameter`s that the last axis of its `theta` holds."""
    checked = tuple(_checked(one) for one in declared)

    def decorate(synth: Callable) -> Callable:
        synth.parameters = checked
        return synth

    return decorate


def _checked(one: Parameter) -> Parameter:
    checks.one_of(f"scale of {one.name}", one.scale, ("log", "linear"))
    least = 1e-15 if one.scale == "log" else -checks.LARGEST
    low = checks.real(f"low of {one.name}", one.low, above=least)
    return one._replace(low=low, high=checks.real(f"high of {one.name}", one.high, above=low))


def declared_by(synth: Callable) -> tuple[Parameter, ...]:
    """The parameters that a synthesizer declares, or none.

    A `functools.partial` has those of its function, or else of its first argument, as
    `partial(sequence, synth, onsets=...)` does.
    """
    declared = getattr(synth, "parameters", ())
    if isinstance(declared, tuple) and declared:  # a torch module has a method of this name
        return declared
    if isinstance(synth, partial):
        inner = [synth.func, *synth.args[:1]]
        return next(filter(None, map(declared_by, inner)), ())
    return ()


def parameters_of(synth: Callable) -> tuple[Parameter, ...]:
    """The parameters that a synthesizer declares; an error if it declares none."""
    if not (declared := declared_by(synth)):
        raise TypeError(f"synth is {synth!r}; expected a function decorated with @parameters(...)")
    return declared


def draw(synth: Callable, count: int, seed: int) -> Float[Tensor, "{count} P"]:
    """Independent parameters, uniform over the ranges of a synthesizer on their scales."""
    generator = torch.Generator().manual_seed(seed)
    size = count, len(parameters_of(synth))
    return _at(synth, torch.rand(size, generator=generator, device="cpu"))


def candidates(synth: Callable, count: int) -> Float[Tensor, "{count} P"]:
    """Parameters that fill the ranges of a synthesizer evenly, as a scrambled Sobol sequence.

    They take the place of a grid, which would need too many points for more than two parameters.
    """
    sobol = torch.quasirandom.SobolEngine(len(parameters_of(synth)), scramble=True, seed=0)
    with torch.device("cpu"):
        return _at(synth, sobol.draw(count))


def ends_of(synth: Callable) -> Float[Tensor, "2 P"]:
    """The low and the high ends of the ranges of a synthesizer, in search coordinates."""
    ranges = torch.tensor([(one.low, one.high) for one in parameters_of(synth)])
    return coordinates(synth)[0](ranges.T)


def _at(synth: Callable, share: Float[Tensor, "K P"]) -> Float[Tensor, "K P"]:
    """Parameters at these shares of their ranges, on their scales."""
    low, high = ends_of(synth)
    return coordinates(synth)[1](low + (high - low) * share.to(low.device))


def axis(parameter: Parameter, count: int) -> Float[Tensor, " {count}"]:
    """Values from the low to the high end of a parameter, evenly on its scale."""
    if parameter.scale == "linear":
        return torch.linspace(parameter.low, parameter.high, count)
    low, high = torch.tensor([parameter.low, parameter.high]).log10().tolist()
    return torch.logspace(low, high, count)


def grid(synth: Callable, counts: tuple[int, ...]) -> Float[Tensor, "*counts P"]:
    """A grid (*counts, P) over the ranges of a synthesizer, evenly on the scale of each."""
    axes = [axis(*pair) for pair in zip(parameters_of(synth), counts, strict=True)]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)


def coordinates(synth: Callable) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """Two functions of tensors (..., P): from parameters to search coordinates, and back.

    The coordinate of a logarithmic parameter is its natural logarithm, and that of a linear one
    its value over (high - low).
    """
    declared = declared_by(synth)

    def to_z(theta: Tensor) -> Tensor:
        linear, width = _linear(declared, theta)
        return torch.where(linear, theta / width, torch.where(linear, 1.0, theta).log())

    def from_z(z: Tensor) -> Tensor:
        linear, width = _linear(declared, z)
        return torch.where(linear, z * width, torch.where(linear, 0.0, z).exp())

    return to_z, from_z


def per_coordinate(
    declared: tuple[Parameter, ...], theta: Float[Tensor, "*batch P"]
) -> Float[Tensor, "*batch P"]:
    """The derivative of each parameter with respect to its search coordinate, at `theta`."""
    linear, width = _linear(declared, theta)
    return torch.where(linear, width, theta)


def deviations(
    declared: tuple[Parameter, ...], theta: Float[Tensor, "*batch P"], truth: Float[Tensor, "*_ P"]
) -> Float[Tensor, "*batch P"]:
    """How far parameters are from the true ones: relative, or as a share of a linear range."""
    linear, width = _linear(declared, theta)
    return torch.where(linear, (theta - truth) / width, theta / truth - 1).abs()


def _linear(declared: tuple[Parameter, ...], like: Tensor) -> tuple[Tensor, Tensor]:
    """Which parameters are linear (P,), and the width of their ranges (P,), on `like`'s device."""
    rows = [(one.scale == "linear", one.high - one.low) for one in declared]
    linear, width = like.new_tensor(rows or [(False, 1.0)] * like.shape[-1]).T
    return linear.bool(), width
