"""What a bad argument is told: its name, its value and what was expected."""

import math
import numbers

import torch
from torch import Tensor


def real(name: str, value: float, *, above: float = -math.inf, below: float = math.inf) -> float:
    """Return `value` as a float strictly between `above` and `below`, or raise."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} is {value!r}, a {type(value).__name__}; expected a real number")
    if not (math.isfinite(value) and above < value < below):
        raise ValueError(f"{name} is {value!r}; expected a finite number{_between(above, below)}")
    return float(value)


def integer(name: str, value: int, *, least: int | None = None) -> int:
    """Return `value` as an int that is at least `least`, or raise."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} is {value!r}, a {type(value).__name__}; expected an integer")
    if least is not None and value < least:
        raise ValueError(f"{name} is {value!r}; expected at least {least}")
    return int(value)


def floating(name: str, value: Tensor, *, last: int | None = None) -> Tensor:
    """Return `value` if it is a finite, non-empty, real floating-point tensor, or raise.

    `last` is the size that the last axis must have. A tensor needs at least one axis.
    """
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} is a {type(value).__name__}; expected a torch.Tensor")
    if not value.is_floating_point():
        raise TypeError(f"{name} has dtype {value.dtype}; expected a floating-point dtype")
    shape = tuple(value.shape)
    if not shape or value.numel() == 0:
        raise ValueError(f"{name} has shape {shape}; expected at least one axis and one value")
    if last is not None and shape[-1] != last:
        raise ValueError(f"{name} has shape {shape}; expected a last axis of size {last}")
    if not all_true(torch.isfinite(value)):
        raise ValueError(f"{name} holds NaN or infinite values; expected finite ones")
    return value


def all_true(condition: Tensor) -> bool:
    """Whether `condition` holds everywhere; True inside `torch.func.vmap`, which hides values."""
    try:
        return bool(condition.all())
    except RuntimeError:
        return True


def _between(above: float, below: float) -> str:
    lower = f" above {above:g}" if above > -math.inf else ""
    upper = f" below {below:g}" if below < math.inf else ""
    return lower + (" and" if lower and upper else "") + upper
