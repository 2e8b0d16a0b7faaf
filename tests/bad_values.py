"""What a public function may be handed instead of what it asks for: wrong, odd, or odd but right.

`instead_of` takes its cue from a good value: a tensor is bent in many ways, a number gives way to
other numbers, and all give way to what is of another type.
"""

import math
from fractions import Fraction

import numpy as np
import second_device
import torch
from hypothesis import strategies as st
from torch import Tensor

second_device.register()

OF_OTHER_TYPE = [None, "4", "", True, 1j, [], (), {}, object(), [1.0, 2.0], np.ones(3), math]

BENT = {
    "a list": Tensor.tolist,
    "an array": Tensor.numpy,
    "integers": lambda x: x.long(),
    "16-bit audio": lambda x: (x * 32767).to(torch.int16),
    "half precision": Tensor.half,
    "bfloat16": Tensor.bfloat16,
    "double precision": Tensor.double,
    "complex": lambda x: x.to(torch.complex64),
    "booleans": lambda x: x > 0,
    "sparse": lambda x: x.to_sparse(),
    "a number": lambda x: x.flatten()[0],
    "no samples": lambda x: x[..., :0],
    "no rows": lambda x: x[None][:0],
    "one sample": lambda x: x[..., :1],
    "one sample less": lambda x: x[..., :-1],
    "one sample more": lambda x: torch.cat([x, x[..., :1]], dim=-1),
    "its first row": lambda x: x[0],
    "its rows twice": lambda x: torch.cat([x, x]),
    "an axis more": lambda x: x[None],
    "two axes more": lambda x: x.expand(1, 2, *x.shape),
    "expanded": lambda x: x[..., :1].expand(x.shape),
    "not contiguous": lambda x: torch.stack([x, x], dim=-1)[..., 0],
    "backwards": lambda x: x.flip(-1),
    "one NaN": lambda x: _but_one(x, math.nan),
    "one infinite": lambda x: _but_one(x, math.inf),
    "one -infinite": lambda x: _but_one(x, -math.inf),
    "one zero": lambda x: _but_one(x, 0.0),
    "one huge": lambda x: _but_one(x, 3e38),
    "one above Nyquist": lambda x: _but_one(x, 5000.0),
    "all NaN": lambda x: torch.full_like(x, math.nan),
    "negative": Tensor.neg,
    "silence": torch.zeros_like,
    "subnormal": lambda x: torch.full_like(x, 1e-42),
    "faint": lambda x: 1e-19 * x,
    "loud": lambda x: 1e12 * x,
    "too loud": lambda x: 1e30 * x,
    "requires a gradient": lambda x: x.clone().requires_grad_(),
    "elsewhere": lambda x: x.to(second_device.NAME),
}

# Of the numbers between, some are legal and take long: minutes of sound, thousands of filters.
REALS = (
    st.floats(-4, 4)
    | st.floats(min_value=1e12)
    | st.floats(max_value=-1e12)
    | st.sampled_from([0.0, -0.0, 5e-324, 1e-30, math.nan, math.inf, -math.inf])
    | st.sampled_from([Fraction(1, 3), np.float32(0.5), np.int64(1), torch.tensor(0.5)])
)
INTEGERS = (
    st.integers(-8, 8)
    | st.integers(min_value=2**40)
    | st.integers(max_value=-(2**40))
    | st.sampled_from([0, 0.5, 2.0, math.nan, math.inf, np.int64(4), np.float64(4.0)])
    | st.sampled_from([torch.tensor(4), np.array([1, 2]), torch.ones(2)])
)
TEXTS = st.sampled_from(["", " ", "LINEAR", "loud", "{value", "{other} {value}", b"linear", 3])
# Arguments of which much means long work, by name: few numbers, and none large.
FEW = {
    "n_jobs": st.sampled_from([0, 1, 1.5, None, "2", True, math.nan]),
    "steps": st.sampled_from([-1, 0, 1, 2, 2.5, None, "2", True, math.nan, np.int64(1)]),
    "repeats": st.sampled_from([-1, 0, 1, 2, 2.5, None, "2", True, math.nan]),
    "at_least": st.sampled_from([-1.0, 0, 1e-6, math.nan, math.inf, None, "2", True, 1e30]),
}


def instead_of(name: str, value) -> st.SearchStrategy:
    """Values to pass for the argument `name`, for which `value` is a good one."""
    other = st.sampled_from(OF_OTHER_TYPE)
    if name in FEW:
        return FEW[name]
    if isinstance(value, Tensor):
        bent = st.sampled_from(sorted(BENT)).map(lambda way: bend(value, way))
        return bent | other
    if isinstance(value, bool):
        return st.booleans()
    if isinstance(value, int):
        return other | INTEGERS
    if isinstance(value, float):
        return other | REALS
    if isinstance(value, str):
        return other | TEXTS
    if isinstance(value, dict):
        return other | _changed_entry(value)
    if isinstance(value, (list, tuple)):
        return other | _changed_item(value)
    return other  # a function, or an object of this library


def bend(x: Tensor, way: str) -> Tensor | list | np.ndarray:
    """A tensor bent in a way; as it is, where it has no such side."""
    try:
        return BENT[way](x)
    except (IndexError, RuntimeError):
        return x


def _but_one(x: Tensor, value: float) -> Tensor:
    changed = x.clone()
    changed[(-1,) * x.ndim] = value
    return changed


def _changed_entry(good: dict) -> st.SearchStrategy:
    """Dictionaries with another value, or another key."""
    key, value = next(iter(good.items()))
    keys = st.sampled_from(["", " ", 3, None]).map(lambda other: {other: value})
    return keys | instead_of("", value).map(lambda other: good | {key: other})


def _changed_item(good: list | tuple) -> st.SearchStrategy:
    """Sequences of another length or kind, or with another item."""
    kind = type(good)
    ways = [list(good), tuple(good), (*good, *good), good[:-1], "abc", 3, set()]
    if isinstance(good[0], (int, float)):
        ways.append(np.array(good))
    items = instead_of("", good[-1]).map(lambda other: kind([*good[:-1], other]))
    return items | st.sampled_from(ways)
