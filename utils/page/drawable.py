"""What figures can show: checks of what `plot` is handed, each returning it or raising.

A name or label is a text; amounts are nowhere negative; a logarithmic axis shows what is positive.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from operator import eq, ge

import librosa
import numpy as np
import torch
from matplotlib.cbook import is_math_text
from matplotlib.mathtext import MathTextParser
from torch import Tensor

from .. import checks
from ..experiments.encoder import Training
from ..features.jtfs import PATH
from ..search.match import Match
from ..synth import Parameter, parameters_of
from .show import MOST_HERTZ

MOST = 32  # panels, or names in one: a figure has no room for more
LINES = 2**12  # of one panel
PER_OCTAVE, LOWEST = 12, 64.0  # bins and Hz, of a scalogram
BRIEF = 0.5  # of their usual length: its wavelets


def label(each: Parameter) -> str:
    return f"{each.name} ${each.symbol}$ ({each.unit})"


def text(name: str, value: str) -> str:
    """Return `value` if Matplotlib can set it, formulas and all, and shows it in legends."""
    if checks.text(name, value).startswith("_"):
        raise ValueError(f"{name} is {value!r}; expected no underscore first: legends leave it out")
    try:
        for line in filter(is_math_text, value.split("\n")):
            MathTextParser("path").parse(line)
    except ValueError as error:
        raise ValueError(f"{name} is {value!r}; expected a formula where dollars are") from error
    return value


def entries(name: str, value: Mapping, each: checks.Check, most: int = MOST) -> dict:
    """What `checks.named` returns, if the names are texts to show, and no more than `most`."""
    found = checks.named(name, value, each)
    if len(found) > most:
        raise ValueError(f"{name} has {len(found)} entries; expected at most {most}")
    for key in found:
        text(f"a name in {name}", key)
    return found


def among(name: str, value: Mapping, of: str, known: Mapping, each: checks.Check) -> dict:
    """What `checks.named` returns, empty or not, if all names are those of another argument."""
    for key in checks.mapping(name, value):
        if key not in known:
            raise ValueError(f"{name} has the name {key!r}; expected those in {of}: {list(known)}")
    return checks.named(name, value, each) if value else {}


def all_as_long(named: Mapping, other_name: str, length: int) -> None:
    """Raise unless all entries are as long as another argument."""
    for key, each in named.items():
        if len(each) != length:
            raise ValueError(
                f"named[{key!r}] is of length {len(each)} and {other_name} of {length}; "
                "expected the same length"
            )


def some(name: str, value: Sequence, each: checks.Check, most: int = LINES) -> list:
    """What `checks.every` returns, if there is one at least, and no more than `most`."""
    found = checks.every(name, value, each)
    if not 1 <= len(found) <= most:
        raise ValueError(f"{name} is of length {len(found)}; expected a length from 1 to {most}")
    return found


def positive(name: str, value: float) -> float:
    """Return `value` as a float that a logarithmic axis has room for, or raise."""
    return checks.real(name, value, above=1 / checks.LARGEST)


def rate(sample_rate: float, above: float = 1.0) -> float:
    return checks.real("sample_rate", sample_rate, above=above, below=MOST_HERTZ)


def numbers(name: str, value: Sequence[float]) -> list[float]:
    """The `positive` numbers of a sequence or tensor, or raise."""
    return some(name, value.tolist() if isinstance(value, Tensor) else value, positive)


def ticks(name: str, value: Tensor) -> list[float]:
    """The positive numbers, integers or not, of a tensor (V,) that is not too long, or raise."""
    if checks.instance(name, value, Tensor).dtype == torch.int64:
        name, value = f"{name}, of {value.dtype},", value.double()
    return some(name, checks.positive(name, value, ndim=1).tolist(), checks.real)


def falling(name: str, value: Sequence[float]) -> list[float]:
    """Return `value` as numbers from high to low that reach into the axis of `maps`, or raise."""
    found = numbers(name, value)
    steps = [high > low for high, low in pairwise(found)]
    if not steps or not all(steps) or found[0] < 100 or found[-1] > 2500:
        raise ValueError(
            f"{name} runs from {found[0]:g} to {found[-1]:g}, {len(found)} in all; expected two "
            "or more, from high to low, with some between 100 and 2500 Hz"
        )
    return found


def shaped(name: str, value: Tensor, shape: tuple = (), least: tuple = ()) -> Tensor:
    """Return `value` if it is floating and of the shape of a grid, or at least as large."""
    found = tuple(checks.floating(name, value, ndim=len(shape or least)).shape)
    if not all(map(eq, found, shape) if shape else map(ge, found, least)):
        wanted = f"{shape}, as the grid" if shape else f"at least {least}"
        raise ValueError(f"{name} has shape {found}; expected {wanted}")
    return value


def amounts(name: str, value: Tensor, **shape) -> Tensor:
    """Return `value` if it is `shaped`, and nowhere negative but for rounding, or raise."""
    least = shaped(name, value, **shape).min()
    if least < -1e-3 * value.max():
        raise ValueError(f"{name} is {least:g} at its smallest; expected nothing negative")
    return value


def sound(name: str, x: Tensor, sample_rate: float) -> Tensor:
    """Return a sound (N,) that is no shorter than the longest wavelet as librosa pads it."""
    lowest = LOWEST * 2 ** (np.arange(2) / PER_OCTAVE)
    lengths, _ = librosa.filters.wavelet_lengths(freqs=lowest, sr=sample_rate, filter_scale=BRIEF)
    least = 2 ** math.ceil(math.log2(lengths.max()))
    if len(checks.floating(name, x, ndim=1)) < least:
        raise ValueError(
            f"{name} has {len(x)} samples at sample_rate {sample_rate:g}; expected {least} or more"
        )
    return x


def wavelet(name: str, value: Tensor) -> Tensor:
    """Return a wavelet, complex or not, if its real part can be drawn, or raise."""
    shaped(name, checks.instance(name, value, Tensor).real, least=(2, 32))
    return value


def second(table: np.ndarray) -> np.ndarray:
    """Which rows of the table of a JTFS are of second order, with a spin, below 64 Hz."""
    if getattr(table, "dtype", None) != PATH or table.ndim != 1:
        raise TypeError(f"table is {table!r}, a {type(table).__name__}; expected JTFS.table(...)")
    second = (table["order"] == 2) & (table["spin"] != 0) & (table["xi_2"] < 64)
    if not second.any() or np.isnan(table["xi_fr"][second]).any():
        raise ValueError(f"table has {len(table)} rows; expected some of second order below 64 Hz")
    return second


def grid(name: str, grid: Tensor, synth: Callable) -> Tensor:
    """Return a grid (A, B, 2) that lies, in part, within the ranges of two parameters, or raise."""
    shaped(name, checks.positive(name, grid, last=2, ndim=3), least=(2, 2, 2))
    both = checks.items("the parameters of synth", parameters_of(synth), count=2)
    for k, each in enumerate(both):
        text("a parameter of synth", label(each))
        low, high = grid[..., k].min().item(), grid[..., k].max().item()
        if low > each.high or high < each.low:
            raise ValueError(
                f"{name}[..., {k}] runs from {low:g} to {high:g}; expected some of the range of "
                f"synth, {each.low:g} to {each.high:g} {each.unit}"
            )
    return grid


def loss_and_gradient(name: str, value: tuple[Tensor, Tensor], grid: Tensor) -> tuple:
    """Return a loss (A, B) and its gradient (A, B, 2) over a grid, or raise."""
    loss, gradient = checks.items(name, value, count=2)
    amounts(f"the loss of {name}", loss, shape=tuple(grid.shape[:-1]))
    shaped(f"the gradient of {name}", gradient, shape=tuple(grid.shape))
    checks.same_device(f"the gradient of {name}", gradient, "atlas.grid", grid)
    return loss, gradient


def walk(name: str, value: Match) -> Match:
    """Return a descent in two parameters, or raise."""
    checks.positive(f"{name}.thetas", checks.instance(name, value, Match).thetas, last=2, ndim=2)
    return value


def in_order(name: str, value: Tensor) -> Tensor:
    """Return positive values (V,) that rise or fall throughout, or raise."""
    steps = shaped(name, checks.positive(name, value), least=(2,)).diff()
    if not (checks.all_true(steps > 0) or checks.all_true(steps < 0)):
        raise ValueError(f"{name} begins with {value[:4].tolist()}; expected values in order")
    return value


def training(name: str, value: Training) -> Training:
    """Return a training, or one of a record, with what logarithmic axes can show, or raise."""
    if not (hasattr(value, "seconds") and hasattr(value, "errors")):
        raise TypeError(f"{name} is {value!r}, a {type(value).__name__}; expected a Training")
    seconds = checks.items(f"{name}.seconds", value.seconds)
    some(f"{name}.seconds[1:]", seconds[1:], positive)
    numbers = partial(checks.every, each=positive, count=len(seconds))
    return Training(None, [], seconds, entries(f"{name}.errors", value.errors, numbers))


def examinations(named: Mapping[str, Sequence[Training]]) -> list[str]:
    """Those of all trainings, which are the same, or raise."""
    every = [list(each.errors) for courses in named.values() for each in courses]
    for each in every:
        if set(each) != set(every[0]):
            raise ValueError(f"named has errors of {each}, and of {every[0]}; expected the same")
    return every[0]


def counted(name: str, value: tuple[int, int]) -> tuple[int, int]:
    """Return successes and trials, or raise."""
    good, trials = checks.every(name, value, partial(checks.integer, least=0), count=2)
    if good > trials or not trials:
        raise ValueError(f"{name} is {(good, trials)}; expected successes among one trial or more")
    return good, trials


def series(name: str, value: Sequence[tuple[int, int] | None]) -> list:
    """Return what was `counted`, or None where nothing was, by group, or raise."""
    found = checks.items(name, value)
    if all(each is None for each in found):
        raise ValueError(f"{name} is {found}; expected successes and trials of one group at least")
    return [None if each is None else counted(f"{name}[{k}]", each) for k, each in enumerate(found)]


def outcomes(live: Mapping | None, panels: Mapping[str, Mapping]) -> dict[str, dict]:
    """Return outcomes by panel and loss, of those that are in `panels`, or raise."""
    runs = partial(checks.every, each=lambda at, run: checks.instance(at, run, bool, np.bool_))
    by_title = {} if live is None else among("live", live, "panels", panels, checks.mapping)
    return {
        title: among(f"live[{title!r}]", by_loss, "panels", panels[title], runs)
        for title, by_loss in by_title.items()
    }
