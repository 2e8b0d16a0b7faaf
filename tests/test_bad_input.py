"""Whatever a public function is handed, it answers with finite values of the right shape, or says
which argument will not do, what it got and what it expected. Never a NaN, a hang, another error.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from numbers import Number, Real
from pathlib import Path
from types import ModuleType

import figure_calls
import numpy as np
import public_calls
import pytest
import torch
from bad_values import BENT, bend, instead_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from public_calls import Call
from torch import Tensor

import utils

CALLS = [*public_calls.CALLS, *figure_calls.CALLS]

# What an argument is called where it is handed on.
HANDED_ON = {
    "theta0": ["theta"],
    "theta": ["x"],
    "thetas": ["theta", "grid"],
    "grid": ["theta", "log_gradient"],
    "lessons": ["theta", "places"],
    "found": ["theta", "x"],
    "heard": ["x", "y"],
    "f_low": ["f_high"],
    "y": ["x"],
    "target": ["x", "features"],
    "starts": ["theta0", "theta"],
    "targets": ["target", "x"],
    "truths": ["theta", "log_gradients", "matches"],
    "log_gradients": ["log_gradient"],
    "delays": ["samples"],
    "losses": ["name"],
}


@st.composite
def changes(draw, call: Call) -> dict:
    """One argument or two of a call, with values that it may not expect."""
    names = st.lists(st.sampled_from(list(call.good)), min_size=1, max_size=2, unique=True)
    return {name: draw(instead_of(name, call.good[name])) for name in draw(names)}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.module}-{call}")
def test_answers_or_says_what_is_wrong(call):
    """With each tensor bent in every way, and with one argument or two drawn at random."""
    for name in [name for name, value in call.good.items() if isinstance(value, Tensor)]:
        for way in BENT if call.bent else ():
            hold_for(call, {name: bend(call.good[name], way)})

    @settings(
        max_examples=call.tries,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(changes(call))
    def hold(changed):
        hold_for(call, changed)

    hold()


def hold_for(call: Call, changed: dict) -> None:
    """Fail unless a call is answered or refused as it should."""
    arguments = call.good | changed
    try:
        answer = call.function(**arguments)
    except (TypeError, ValueError) as error:
        if not says_what_is_wrong(str(error), changed):
            raise AssertionError("not told what is wrong") from error
        return
    if call.module not in PASS_ON or not any(map(holds_nan, changed.values())):
        assert_fine(answer, arguments, call)


PASS_ON = {"jtfs", "mss", "baselines", "loss"}  # a NaN: see test_operators.py


def holds_nan(value) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and bool(value.isnan().any())


# Public, and not tried here.
UNTRIED = {
    "checks": "what the tried functions check with",
    "drawable": "the same, for figures",
    "plot.styled": "decorates a function of its module",
    "jtfs.product": "of what operators have checked",
    "published.Published": "starts a process; tried in test_published.py",
    "wavelets.padded_length": "JTFS calls it, with what it has checked; so the others",
    "wavelets.padded_quefrency_length": "",
    "wavelets.morlet_band": "",
    "wavelets.lowpass_band": "",
    "wavelets.frequential": "",
    "wavelets.time_average": "",
}


def test_every_public_function_is_tried():
    """By name, as the calls stand in their files; results that the library makes are none."""
    text = "".join(Path(each.__file__).read_text() for each in (public_calls, figure_calls))
    used = set(re.findall(r"\w+", text))
    public = {name: function for module in modules() for name, function in functions_of(module)}
    untried = {name for name in public if name.split(".")[-1] not in used}
    untried = {name for name in untried if not {name, name.split(".")[0]} & set(UNTRIED)}
    assert not untried
    assert set(UNTRIED) <= set(public) | {"checks", "drawable"}


def modules() -> Iterator[ModuleType]:
    for each in pkgutil.walk_packages(utils.__path__, "utils."):
        yield importlib.import_module(each.name)


def functions_of(module: ModuleType) -> Iterator[tuple[str, Callable]]:
    """Public functions of a module that take arguments, its operators, and their methods."""
    short = module.__name__.rpartition(".")[2]
    for name, each in vars(module).items():
        if name.startswith("_") or getattr(each, "__module__", "") != module.__name__:
            continue
        if inspect.isfunction(each) and inspect.signature(each).parameters:
            yield f"{short}.{name}", each
        if inspect.isclass(each):
            if not is_dataclass(each) and not issubclass(each, tuple):
                yield f"{short}.{name}", each
            for method, function in vars(each).items():
                if (
                    inspect.isfunction(function)
                    and not method.startswith("_")
                    and method not in ("forward", "extra_repr")  # the operator itself
                    and len(inspect.signature(function).parameters) > 1
                ):
                    yield f"{short}.{name}.{method}", function


def test_every_call_is_good():
    for call in CALLS:
        assert_fine(call.function(**call.good), call.good, call)


def assert_fine(answer, arguments: dict, call: Call) -> None:
    """Finite, of the right shape, and with finite gradients."""
    for each in numbers_in(answer):
        assert np.isfinite(each).all()
    if call.shape:
        assert answer.shape == call.shape(**arguments)
    wanted = [each for each in arguments.values() if getattr(each, "requires_grad", False)]
    if isinstance(answer, Tensor) and answer.requires_grad and wanted:
        answer.sum().backward()
        for each in wanted:
            assert each.grad is None or each.grad.isfinite().all()


def numbers_in(value) -> Iterator[np.ndarray]:
    """All numbers that an answer holds."""
    if isinstance(value, Tensor):
        yield value.numpy(force=True)
    elif isinstance(value, (float, complex, np.ndarray)):
        if not getattr(value, "dtype", np.dtype(float)).names:  # NaN means none in a table of paths
            yield np.asarray(value)
    elif is_dataclass(value):
        yield from numbers_in([getattr(value, field.name) for field in fields(value)])
    elif isinstance(value, Mapping):
        yield from numbers_in(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from numbers_in(each)


def says_what_is_wrong(text: str, changed: dict) -> bool:
    """Whether an error names one of the changed arguments, what it got, and what it expected."""
    return bool(re.search("expected|must", text)) and any(
        named(name, text) and any(sign in text for sign in signs_of(value))
        for name, value in changed.items()
    )


def named(name: str, text: str) -> bool:
    return any(re.search(rf"\b{each}\b", text) for each in [name, *HANDED_ON.get(name, [])])


def signs_of(value) -> Iterator[str]:
    """By what an error may say which value it got."""
    yield type(value).__name__
    yield repr(value)
    if isinstance(value, (Tensor, np.ndarray)):
        yield from map(str, [tuple(value.shape), *value.shape, value.dtype])
        yield from ["NaN", "infinite", "empty"]
        yield from (f"{each:g}" for each in _some_of(value))
    if isinstance(value, Tensor):
        yield from map(str, [value.device.type, value.layout])
        yield str(value.tolist()) if value.layout == torch.strided else ""
    elif isinstance(value, Number):
        yield str(value)
        if isinstance(value, Real):
            yield f"{float(value):g}"
    elif isinstance(value, Mapping):
        yield from ["empty", str(len(value))]
        for each in value.items():
            yield from signs_of(each)
    elif isinstance(value, (list, tuple, set)):
        yield from ["empty", str(len(value))]
        for each in value:
            yield from signs_of(each)


def _some_of(value) -> list[float]:
    """The first numbers of a tensor, its least, and the largest in size."""
    if not isinstance(value, Tensor) or not value.is_floating_point() or not value.numel():
        return []
    value = value.detach().to_dense().double().cpu()
    return [*value.flatten()[:4].tolist(), value.min().item(), value.abs().max().item()]
