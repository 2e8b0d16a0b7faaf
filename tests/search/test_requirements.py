"""Which synthesizers the solvers accept, and what is said of others."""

import math
from functools import partial

import numpy as np
import pytest
import torch

from utils.parameters import Parameter, parameters
from utils.search.requirements import check_synthesizer
from utils.synth import am_chirp, ripple, sequence

short = partial(am_chirp, duration=0.25)
TONE = parameters(Parameter("pitch", "f", "Hz", 2.0, 8.0))
TIME = torch.arange(256) / 256


@TONE
def tone(theta):
    return torch.sin(2 * math.pi * theta * TIME.to(theta))


@parameters(Parameter("onset", "t_0", "s", -0.2, 0.3, scale="linear"))
def bump(theta):
    return torch.exp(-(((TIME.to(theta) - 0.5 - theta) / 0.1) ** 2))


def by_numpy(theta):
    return torch.from_numpy(np.sin(theta.detach().numpy() * TIME.numpy())).to(theta)


@pytest.mark.parametrize(
    "synth", [tone, bump, short, ripple, partial(sequence, short, onsets=(-0.05, 0.05))]
)
def test_these_are_accepted(synth):
    check_synthesizer(synth)


@pytest.mark.parametrize(
    ("synth", "message"),
    [
        (lambda theta: tone(theta).mean(0), r"has shape \(256,\); expected ndim 2"),
        (lambda theta: (5.0 - theta).sqrt() * tone(theta), "holds NaN"),
        (lambda theta: tone(theta).float(), "is torch.float32 for theta of torch.float64"),
        (lambda theta: tone(theta) * theta.mean(), "not that of its rows"),
        (by_numpy, "does not depend on theta"),
        (lambda theta: tone(theta.round()), "does not change with its pitch"),
        (lambda theta: tone((theta + theta.detach()) / 2), "differ from differences"),
    ],
)
def test_others_are_refused(synth, message):
    with pytest.raises(ValueError, match=message):
        check_synthesizer(TONE(synth))
