"""What a bad argument is told: its name, its value and what was expected."""

import math
import numbers
import reprlib
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor

# Beyond it a number is a slip: its square, and a sum of many, would leave the range of float32.
LARGEST = 1e15
MOST_SAMPLES = 2**28  # nine hours at 8192 Hz; more is a slip of units, and fills a machine's memory
Check = Callable[[str, object], object]  # from a name and a value to the value, or an error
DTYPES = (torch.float32, torch.float64)


def real(name: str, value: float, *, above: float = -math.inf, below: float = math.inf) -> float:
    """Return `value` as a float strictly between `above` and `below`, or raise."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} is {value!r}, a {type(value).__name__}; expected a real number")
    sized = abs(value) <= LARGEST
    if not (sized and above < value < below):
        limit = "" if sized else f", up to {LARGEST:g} in size"
        expected = f"a finite number{_between(above, below)}{limit}"
        raise ValueError(f"{name} is {value!r}; expected {expected}")
    return float(value)


def integer(name: str, value: int, *, least: int | None = None, most: int = MOST_SAMPLES) -> int:
    """Return `value` as an int from `least` to `most`, or raise."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} is {value!r}, a {type(value).__name__}; expected an integer")
    if least is not None and value < least:
        raise ValueError(f"{name} is {value!r}; expected at least {least}")
    if value > most:
        raise ValueError(f"{name} is {value!r}; expected at most {most}")
    return int(value)


def seed(name: str, value: int) -> int:
    """Return `value` as a seed of torch's generators, or raise."""
    return integer(name, value, least=0, most=2**63 - 1)


def tensor(name: str, value: Tensor, *, last: int | None = None, ndim: int | None = None) -> Tensor:
    """Return `value` if it is a non-empty tensor of float32 or float64, or raise.

    `last` is the size that the last axis must have, `ndim` the number of axes, which is at least
    one. No value is looked at.
    """
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} is a {type(value).__name__}; expected a torch.Tensor")
    if value.dtype not in DTYPES or value.layout != torch.strided:
        kind = value.dtype if value.layout == torch.strided else value.layout
        raise TypeError(f"{name} is of {kind}; expected torch.float32 or torch.float64, dense")
    shape = tuple(value.shape)
    if not shape or value.numel() == 0:
        raise ValueError(f"{name} has shape {shape}; expected at least one axis and one value")
    if ndim is not None and len(shape) != ndim:
        axes = "one axis" if ndim == 1 else f"{ndim} axes"
        raise ValueError(f"{name} has shape {shape}; expected {axes}")
    if last is not None and shape[-1] != last:
        raise ValueError(f"{name} has shape {shape}; expected a last axis of size {last}")
    return value


def floating(
    name: str,
    value: Tensor,
    *,
    last: int | None = None,
    ndim: int | None = None,
    nan: bool = False,
) -> Tensor:
    """Return `value` if it is a `tensor` of finite numbers, no larger than `LARGEST`, or raise.

    With `nan`, as operators have it, a NaN passes: it shows in whatever is computed from it.
    """
    peak = tensor(name, value, last=last, ndim=ndim).detach().abs().amax()
    if not all_true(~(peak > LARGEST) if nan else peak <= LARGEST):
        if not math.isfinite(peak):
            raise ValueError(f"{name} holds NaN or infinite values; expected finite ones")
        raise ValueError(f"{name} holds {peak:g}; expected values up to {LARGEST:g}")
    return value


def positive(
    name: str, value: Tensor, *, last: int | None = None, ndim: int | None = None
) -> Tensor:
    """Return `value` if it is `floating` and from 1 / `LARGEST` on, or raise."""
    if not all_true(floating(name, value, last=last, ndim=ndim) >= 1 / LARGEST):
        raise ValueError(
            f"{name} is {value.min():g} at its smallest; expected positive numbers, from "
            f"{1 / LARGEST:g} on"
        )
    return value


def same_device(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Raise unless two tensors are on one device."""
    if value.device != other.device:
        raise ValueError(
            f"{name} is on {value.device} and {other_name} on {other.device}; "
            "expected the same device"
        )


def together(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Raise unless two tensors are on one device, and their shapes broadcast."""
    same_device(name, value, other_name, other)
    pairs = zip(reversed(value.shape), reversed(other.shape), strict=False)
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        raise ValueError(
            f"{name} has shape {tuple(value.shape)} and {other_name} {tuple(other.shape)}; "
            "expected shapes that broadcast"
        )


def function(name: str, value):
    """Return `value` if it can be called, or raise."""
    return _of(name, value, callable(value), "a function")


def instance(name: str, value, *kinds: type):
    """Return `value` if it is one of the kinds, or raise."""
    known = " or ".join(kind.__name__ for kind in kinds)
    return _of(name, value, isinstance(value, kinds), f"a {known}")


def mapping(name: str, value: Mapping) -> Mapping:
    """Return `value` if it is a mapping from names, or raise."""
    _of(name, value, isinstance(value, Mapping), "a mapping")
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"{name} has the key {key!r}, a {type(key).__name__}; expected a name")
    return value


def items(name: str, value: Iterable, *, count: int | None = None, least: int = 0) -> list:
    """Return the items of `value` as a list, `count` or `least` of them, or raise."""
    one = isinstance(value, str) or getattr(value, "ndim", 1) == 0
    _of(name, value, isinstance(value, Iterable) and not one, "a sequence")
    found = list(value)
    if count is not None and len(found) != count:
        raise ValueError(
            f"{name} is {reprlib.repr(value)}, of length {len(found)}; expected a length of {count}"
        )
    if len(found) < least:
        raise ValueError(f"{name} holds {len(found)} items; expected {least} or more")
    return found


def every(name: str, value: Iterable, each: Check, **counts: int) -> list:
    """Return what `each(name, item)` makes of all `items`, or raise."""
    found = items(name, value, **counts)
    return [each(f"{name}[{k}]", item) for k, item in enumerate(found)]


def named(name: str, value: Mapping, each: Check) -> dict:
    """Return what `each(name, item)` makes of a mapping from names, not empty, or raise."""
    if not mapping(name, value):
        raise ValueError(f"{name} is empty; expected one entry or more")
    return {key: each(f"{name}[{key!r}]", item) for key, item in value.items()}


def one_of(name: str, value, known: Iterable):
    """Return `value` if it is one of those known, or raise."""
    known = list(known)
    if not isinstance(value, (str, int)) or value not in known:
        raise ValueError(f"{name} is {value!r}; expected one of {', '.join(map(repr, known))}")
    return value


def text(name: str, value: str) -> str:
    """Return `value` if it is a text with something in it, or raise."""
    if not _of(name, value, isinstance(value, str), "a text").strip():
        raise ValueError(f"{name} is {value!r}; expected a text that says something")
    return value


def path(name: str, value: str | PathLike) -> Path:
    """Return `value` as a path, or raise."""
    return Path(_of(name, value, isinstance(value, str | PathLike), "the path of a file"))


def file(name: str, value: str | PathLike) -> Path:
    """Return `value` as the path of a file that there is, or raise."""
    if not path(name, value).is_file():
        raise ValueError(f"{name} is {str(value)!r}, where there is no file; expected a file")
    return Path(value)


def jobs(value: int) -> int:
    """Return `n_jobs` as joblib takes it, or raise."""
    if integer("n_jobs", value, most=2**16) == 0:
        raise ValueError(f"n_jobs is {value}; expected a number of processes, or -1 for all cores")
    return int(value)


def all_true(condition: Tensor) -> bool:
    """Whether `condition` holds everywhere; True inside `torch.func.vmap`, which hides values."""
    try:
        return bool(condition.all())
    except RuntimeError:
        return True


def _of(name: str, value, fits: bool, expected: str):
    if not fits:
        raise TypeError(f"{name} is {value!r}, a {type(value).__name__}; expected {expected}")
    return value


def _between(above: float, below: float) -> str:
    lower = f" above {above:g}" if above > -math.inf else ""
    upper = f" below {below:g}" if below < math.inf else ""
    return lower + (" and" if lower and upper else "") + upper
