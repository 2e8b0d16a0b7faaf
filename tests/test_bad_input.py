"""Whatever a reader hands to the library, it answers with finite values of the right shape, passes
a NaN on, or says in one sentence which argument is wrong, what it is and what was expected.

Runs without the hook that checks shapes in the other tests: DTFA_NO_HOOK=1 pytest <this file>.
"""

import math
import os
import re
import tempfile
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import second_device
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from utils.experiments.contenders import Contender, Way
from utils.experiments.encoder import Encoder, QuadraticCriterion, train
from utils.experiments.study import search
from utils.features.compression import Root
from utils.features.jtfs import JTFS
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.features.rivals import Aligned, AverageSpectrum, TimeScattering
from utils.recording import load
from utils.search.batched import gauss_newton_all
from utils.search.first_order import gradient_descent
from utils.search.from_grid import search_from_grid
from utils.search.landscape import loss_surfaces, survey
from utils.search.second_order import gauss_newton
from utils.synth import am_chirp, delay, ripple, sequence

if os.environ.get("DTFA_NO_HOOK") != "1":
    pytest.skip("with the hook, jaxtyping answers first", allow_module_level=True)

N, THETA = 2**11, torch.tensor([[8.0, 2.0], [6.0, 1.0]])
KEPT = second_device.register()
brief = partial(am_chirp, duration=0.25)
X = brief(THETA)
small = MSS((256, 64))
loss = SpectralLoss(small, p=1)
scatter = partial(JTFS, J=6, Q=(4, 1), J_fr=2, Q_fr=1)
whole, local = scatter(N), scatter(N, T=256, F=4)
NOISE = Path(tempfile.mkdtemp()) / "noise.wav"
soundfile.write(NOISE, X[0].numpy(), 8192)


def settings_of(length, J, J_fr, oversampling):
    return scatter(length, J=J, J_fr=J_fr, oversampling=oversampling)(torch.ones(length))


def sound_of(theta, duration=0.25, **_):
    return *theta.shape[:-1], round(duration * 8192)


def rows_of(count):
    return lambda x: (*x.shape[:-1], count)


def spectra_of(x):
    count = sum((n // 2 + 1) * (x.shape[-1] // (n // 4) + 1) for n in small.n_ffts)
    return *x.shape[:-1], count


# A function, good arguments and, for some, the shape of the answer.
CALLS = {
    "am_chirp": (am_chirp, dict(theta=THETA, carrier=512.0, bandwidth=2.0, duration=0.25)),
    "ripple": (ripple, dict(theta=THETA, duration=0.6, sample_rate=8192.0)),
    "sequence": (sequence, dict(synth=brief, theta=THETA, onsets=[-0.05, 0.1])),
    "delay": (delay, dict(x=X, samples=5)),
    "load": (partial(load, NOISE), dict(duration=0.25, sample_rate=8192)),
    "MSS": (small, dict(x=X)),
    "JTFS": (whole, dict(x=X)),
    "JTFS, local": (local, dict(x=X)),
    "settings of JTFS": (settings_of, dict(length=N, J=6, J_fr=2, oversampling=1.0)),
    "average spectrum": (AverageSpectrum(), dict(x=X)),
    "loss": (loss, dict(x=X, y=X.flip(0))),
    "aligned": (Aligned(loss), dict(x=X[0], y=X[1])),
    "gradient_descent": (
        gradient_descent,
        dict(synth=brief, loss=loss, target=X[0], theta0=THETA[1], step_size=0.1, steps=1),
    ),
    "gauss_newton": (
        partial(gauss_newton, steps=1),
        dict(synth=brief, phi=small, target=X[0], theta0=THETA[1], tolerance=1e-4),
    ),
    "gauss_newton_all": (
        partial(gauss_newton_all, steps=1),
        dict(synth=brief, phi=small, targets=X, starts=THETA, tolerance=1e-4),
    ),
    "search_from_grid": (search_from_grid, dict(synth=brief, phi=small, targets=X, grid=THETA)),
    "survey": (survey, dict(synth=brief, phi=small, grid=THETA)),
    "loss_surfaces": (loss_surfaces, dict(synth=brief, phi=small, grid=THETA, targets=X)),
    "encoder": (Encoder(brief), dict(x=X)),
}
SHAPES = {
    "am_chirp": sound_of,
    "ripple": sound_of,
    "sequence": sound_of,
    "delay": lambda x, samples: x.shape,
    "MSS": spectra_of,
    "JTFS": rows_of(len(whole.paths)),
    "JTFS, local": rows_of(len(local.paths)),
    "average spectrum": rows_of(513),
    "encoder": rows_of(2),
}
# Under which other names an error may speak of an argument: what becomes of it further in.
ALSO = {
    "step_size": "theta",
    "length": "J",
    "J": "J_fr",
    "theta0": "theta loss phi",
    "grid": "theta phi",
    "starts": "theta0 theta loss",
    "target": "x y loss phi features",
    "targets": "target x y loss phi",
    "x": "y loss samples",
    "y": "x loss",
}
# So that a GPU need not wait: losses and solvers do.
READ_NO_VALUE = ("delay", "MSS", "JTFS", "JTFS, local", "average spectrum")
SENTENCE = re.compile(r"(.+? (?:is|has|holds) .+); expected .+", re.S)

OTHER = st.sampled_from([None, "4", "", True, 1j, [], (), {}, [1.0, 2.0], np.ones(3), math])
REALS = st.floats(-4, 4) | st.floats(min_value=1e12) | st.floats(max_value=-1e12)
REALS |= st.sampled_from([0.0, 5e-324, math.nan, math.inf, np.float32(0.5)])
INTEGERS = st.integers(-8, 8) | st.integers(min_value=2**40) | st.integers(max_value=-(2**40))
INTEGERS |= st.sampled_from([0, 0.5, 2.0, math.nan, np.int64(4), torch.ones(2)])
BENT = [
    *(Tensor.tolist, Tensor.numpy, Tensor.long, Tensor.half, Tensor.double, Tensor.bool),
    *(Tensor.cfloat, Tensor.neg, Tensor.to_sparse, torch.zeros_like),
    lambda x: x.flatten()[0],
    lambda x: x[..., :0],
    lambda x: x[..., :1],
    lambda x: x[..., :-1],
    lambda x: torch.cat([x, x[..., :1]], dim=-1),
    lambda x: x[0],
    lambda x: torch.cat([x, x]),
    lambda x: x[None],
    lambda x: torch.stack([x, x], dim=-1)[..., 0],  # not contiguous
    lambda x: x.clone().requires_grad_(),
    lambda x: x.to(second_device.NAME),
    lambda x: torch.full_like(x, math.nan),
    *(partial(torch.mul, factor) for factor in (1e-42, 1e-19, 1e12, 1e30)),
]


def with_one(value: float, x: Tensor) -> Tensor:
    return torch.cat([x.flatten()[:-1], torch.tensor([value])]).reshape(x.shape)


BENT += [partial(with_one, one) for one in (math.nan, math.inf, -math.inf, 0.0, 3e38, 5000.0)]


def instead_of(value) -> st.SearchStrategy:
    """Values to pass where `value` is a good one."""
    if isinstance(value, Tensor):
        return OTHER | st.sampled_from(BENT).map(lambda bend: bend(value))
    if isinstance(value, list):
        return OTHER | REALS.map(lambda item: [value[0], item])
    return OTHER | {int: INTEGERS, float: REALS}.get(type(value), OTHER)


@st.composite
def changes(draw, good: dict) -> dict:
    """Another value for one argument, or for two."""
    names = draw(st.lists(st.sampled_from(list(good)), min_size=1, max_size=2, unique=True))
    return {name: draw(instead_of(good[name])) for name in names}


@pytest.mark.parametrize("name", CALLS)
def test_is_answered_or_refused_in_a_sentence(name):
    function, good = CALLS[name]
    check_answer(name, function(**good), good)

    @settings(max_examples=250)
    @given(changes(good))
    def hold(changed):
        try:
            answer = function(**good | changed)
        except (TypeError, ValueError) as error:
            check_sentence(str(error), changed)
            return
        if name in READ_NO_VALUE and any(map(holds_nan, changed.values())):
            assert holds_nan(answer) or name == "delay"  # which may have cut it
        elif name in READ_NO_VALUE and any(map(too_loud, changed.values())):
            assert answer.shape == SHAPES[name](**good | changed)
        else:
            check_answer(name, answer, good | changed)

    hold()


def check_sentence(text: str, changed: dict) -> None:
    match = SENTENCE.fullmatch(text)
    assert match, text
    known = {word for name in changed for word in [name, *ALSO.get(name, "").split()]}
    assert known & set(re.findall(r"\w+", match.group(1))), (text, changed)


def check_answer(name: str, answer, arguments: dict) -> None:
    """Finite, of the right shape, and with finite gradients."""
    assert all(each.isfinite().all() for each in tensors_in(answer))
    if name in SHAPES:
        assert answer.shape == SHAPES[name](**arguments)
    leaves = [each for each in arguments.values() if getattr(each, "requires_grad", False)]
    if isinstance(answer, Tensor) and answer.requires_grad and leaves:
        answer.sum().backward()
        assert all(leaf.grad is None or leaf.grad.isfinite().all() for leaf in leaves)


def holds_nan(value) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and bool(value.isnan().any())


def too_loud(value) -> bool:
    return isinstance(value, Tensor) and bool((value.abs() > 1e15).any())


def tensors_in(answer) -> list[Tensor]:
    if is_dataclass(answer):
        answer = [getattr(answer, field.name) for field in fields(answer)]
    if isinstance(answer, list | tuple):
        return [each for part in answer for each in tensors_in(part)]
    return [answer] if isinstance(answer, Tensor) else []


YOURS = Contender(*[Way(loss, "Adam")] * 2)
supervised = QuadraticCriterion(THETA, torch.eye(2).expand(2, 2, 2))
teach = partial(train, Encoder(brief), None, supervised, X, (THETA, X))
ROWS = [
    (lambda: am_chirp(torch.ones(3)), r"theta has shape \(3,\); expected \(..., 2\)"),
    (lambda: am_chirp(THETA, carrier=4e3), "carrier is 4000.0 and bandwidth 2.0.*; expected less"),
    (lambda: ripple(THETA, duration=0.5), r"duration \* sample_rate is 4096; expected from 4097"),
    (lambda: delay(X, N), "samples is 2048; expected from -2047 to 2047"),
    (lambda: load(3), "path is '3'; expected the path of a file"),
    (lambda: JTFS(4096, J=8, Q=8), "Q is 8; expected a pair"),
    (lambda: JTFS(4096, J=8, F="local"), "F is 'local'; expected 'global' or None or"),
    (
        lambda: local.push_forward(X, X[:, None, :99]),
        r"tangents has shape .*; expected \(..., 2048\)",
    ),
    (lambda: TimeScattering(2048), "J is 12; expected an integer from 1 to 11"),
    (lambda: MSS((30,)), r"n_ffts is \(30,\); expected multiples of 4"),
    (lambda: MSS(magnitude="power"), "magnitude is 'power'; expected one of 'linear'"),
    (lambda: SpectralLoss(small, 3), "p is 3; expected one of 1, 2"),
    (lambda: Root(small, -1.0), "floor is -1.0; expected above 0"),
    (lambda: loss(X), "loss has .*; expected one of them"),
    (lambda: SpectralLoss(whole, 1)(1e20 * X, X), "loss holds .*; expected finite values up to"),
    (lambda: SpectralLoss(local, 2)(X, X / 0), "loss holds NaN or infinite.*; expected finite"),
    (
        lambda: gauss_newton(lambda theta: 1e25 * brief(theta), whole, X[0], THETA[0]),
        r"phi\(synth\(theta\)\) beside target holds .*; expected finite",
    ),
    (
        lambda: gradient_descent(brief, torch.sub, X[0], THETA[0]),
        "loss is .*; expected a finite scalar",
    ),
    (lambda: gauss_newton(brief, torch.log, X[0], THETA[0]), r"phi\(target\) holds NaN or inf"),
    (lambda: search(YOURS, "", "juggling", 0, "random"), "task is 'juggling'; expected"),
    (lambda: search(YOURS, "", "delay", 0, "warm"), "start is 'warm'; expected"),
    (lambda: teach(steps=0, every=1), "steps is 0; expected"),
]


@pytest.mark.parametrize(("call", "sentence"), ROWS, ids=[sentence for _, sentence in ROWS])
def test_says_what_is_wrong(call, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        call()
