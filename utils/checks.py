"""Argument checks: return the value, or raise with its name, what it is and what was expected."""

import math
from collections.abc import Collection
from numbers import Integral, Real

import torch
from torch import Tensor

# A larger number is a slip: its square, and a sum of many, would leave the range of float32.
LARGEST = 1e15
MOST_SAMPLES = 2**28  # nine hours at 8192 Hz; more is a slip of units, and fills a machine's memory


def real(name: str, value, *, above: float = -math.inf, below: float = math.inf) -> float:
    """Return `value` as a float strictly between `above` and `below`."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} is {value!r}, a {type(value).__name__}; expected a real number")
    above, below = max(above, -LARGEST), min(below, LARGEST)
    if not above < value < below:
        raise ValueError(f"{name} is {value!r}; expected above {above:g} and below {below:g}")
    return float(value)


def integer(name: str, value, *, least: int = -MOST_SAMPLES, most: int = MOST_SAMPLES) -> int:
    """Return `value` as an int from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} is {value!r}, a {type(value).__name__}; expected an integer")
    if not least <= value <= most:
        raise ValueError(f"{name} is {value!r}; expected from {least} to {most}")
    return int(value)


def one_of(name: str, value, known: Collection):
    """Return `value` if it is one of those known."""
    if not isinstance(value, (str, int)) or value not in known:
        raise ValueError(f"{name} is {value!r}; expected one of {', '.join(map(repr, known))}")
    return value


def function(name: str, value):
    """Return `value` if it can be called."""
    if not callable(value):
        raise TypeError(f"{name} is {value!r}, a {type(value).__name__}; expected a function")
    return value


def tensor(name: str, value, *, last: int | None = None, ndim: int | None = None) -> Tensor:
    """Return `value` if it is a dense, non-empty tensor of float32 or float64; reads no number.

    `last` is the size that the last axis must have, `ndim` the number of axes.
    """
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} is a {type(value).__name__}; expected a torch.Tensor")
    kind = value.dtype if value.layout == torch.strided else value.layout
    if kind not in (torch.float32, torch.float64):
        raise TypeError(f"{name} is of {kind}; expected torch.float32 or torch.float64, dense")
    shape = tuple(value.shape)
    if not shape or value.numel() == 0:
        raise ValueError(f"{name} has shape {shape}; expected at least one axis and one value")
    if ndim not in (None, len(shape)):
        raise ValueError(f"{name} has shape {shape}; expected ndim {ndim}")
    if last not in (None, shape[-1]):
        raise ValueError(f"{name} has shape {shape}; expected (..., {last})")
    return value


def floating(name: str, value, *, last=None, ndim=None) -> Tensor:
    """Return `value` if it is a `tensor` of finite numbers, no larger than `LARGEST`."""
    peak = tensor(name, value, last=last, ndim=ndim).detach().abs().amax()
    if not all_true(peak <= LARGEST):
        worst = f"{peak:g}" if math.isfinite(peak) else "NaN or infinite values"
        raise ValueError(f"{name} holds {worst}; expected finite values up to {LARGEST:g}")
    return value


def together(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Raise unless two tensors are on one device."""
    if value.device != other.device:
        raise ValueError(
            f"{name} is on {value.device} and {other_name} on {other.device}; expected one device"
        )


def all_true(condition: Tensor) -> bool:
    """Whether `condition` holds everywhere; True inside `torch.func.vmap`, which hides values."""
    try:
        return bool(condition.all())
    except RuntimeError:
        return True
