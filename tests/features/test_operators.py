"""What every operator of the book owes to a training loop: `torch.autocast` and NaN change nothing
but what they should.
"""

import math
from functools import partial

import pytest
import torch

from utils.experiments.encoder import Quadratic
from utils.features.jtfs import JTFS
from utils.features.mss import MSS
from utils.features.rivals import (
    AverageSpectrum,
    Logarithm,
    ModulationSpectrum,
    Quantiles,
    TimeScattering,
    Waveform,
)
from utils.synth import am_chirp, ripple

N = 2048
SMALL = dict(J=6, Q=(4, 1), J_fr=2, Q_fr=1)
everywhere = JTFS(N, **SMALL)
OPERATORS = {
    "JTFS": everywhere,
    "JTFS, local T and F": JTFS(N, **SMALL, T=256, F=4),
    "JTFS, no F": JTFS(N, **SMALL, F=None),
    "time scattering": TimeScattering(N, J=6, Q=(4, 1)),
    "logarithm": Logarithm(everywhere, torch.full((len(everywhere.paths),), 1e-3)),
    "MSS": MSS((256, 64), "both"),
    "waveform": Waveform(),
    "average spectrum": AverageSpectrum(256),
    "optimal transport": Quantiles(256),
    "modulation spectrum": ModulationSpectrum(256),
}
NOISE = torch.randn(3, N, generator=torch.Generator().manual_seed(0))
THETA = torch.tensor([[4.0, 0.7], [6.0, 1.0]])
SYNTHS = {"am_chirp": partial(am_chirp, duration=0.25), "ripple": partial(ripple, duration=0.6)}
FUNCTIONS = {name: (op, NOISE) for name, op in OPERATORS.items()}
FUNCTIONS |= {name: (synth, THETA) for name, synth in SYNTHS.items()}
FUNCTIONS["quadratic form"] = (
    lambda found: Quadratic(THETA, torch.ones(2, 2, 2))(found, None, torch.tensor([0, 1])),
    THETA.flip(0),
)
operators = pytest.mark.parametrize("op", OPERATORS.values(), ids=OPERATORS)


def lower(dtype, enabled=True):
    return torch.autocast("cpu", dtype=dtype, enabled=enabled)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_autocast_changes_no_value_and_no_gradient(name, dtype):
    """Around the forward pass, the backward pass, or both."""
    op, inputs = FUNCTIONS[name]

    def value_and_gradient(forward, backward):
        leaf = inputs.clone().requires_grad_()
        with lower(dtype, forward):
            value = op(leaf)
            total = (value * torch.linspace(0, 1, value.numel()).view_as(value)).sum()
        with lower(dtype, backward):
            total.backward()
        return value.detach(), leaf.grad

    wanted = value_and_gradient(False, False)
    for where in ((True, False), (False, True), (True, True)):
        torch.testing.assert_close(value_and_gradient(*where), wanted, rtol=0, atol=0)


@pytest.mark.parametrize("op", [op for op in OPERATORS.values() if hasattr(op, "push_forward")])
def test_autocast_changes_no_push_forward(op):
    tangents = NOISE.flip(0)[None]
    with lower(torch.bfloat16):
        found = op.push_forward(NOISE, tangents)
    torch.testing.assert_close(found, op.push_forward(NOISE, tangents), rtol=0, atol=0)


@pytest.mark.filterwarnings("ignore:.*performance")  # of `vmap` over torch's own operations
@operators
def test_a_nan_is_passed_on(op):
    """Also where no value can be looked at, inside `vmap`."""
    lost = torch.full((2, N), math.nan)
    assert op(lost).isnan().all()
    assert torch.func.vmap(op)(lost).isnan().all()
    one = NOISE.clone()
    one[0, 100] = math.nan
    assert op(one)[0].isnan().any()
    torch.testing.assert_close(op(one)[1:], op(NOISE[1:]))
