"""What a computation costs."""

import time

import numpy as np
import pytest
import torch

from utils.experiments.cost import peak_memory, race, value_and_gradient


def test_a_slower_step_takes_longer():
    calls = []
    steps = {
        "fast": lambda: calls.append("f"),
        "slow": lambda: (calls.append("s"), time.sleep(0.02)),
    }
    seconds = race(steps, repeats=3)
    assert seconds["fast"] < 0.02 <= seconds["slow"]
    assert calls == ["f", "s"] * 4  # in turns, the first unmeasured


def test_a_short_step_is_repeated():
    calls = []
    seconds = race({"short": lambda: (calls.append(1), time.sleep(0.01))}, 2, at_least=0.05)
    assert 3 * 2 < len(calls) <= 3 * 6  # in each of three turns, the first unmeasured
    assert 0.01 <= seconds["short"] < 0.05


@pytest.mark.parametrize("megabytes", [100, 400])
def test_peak_counts_what_a_step_touches(megabytes):
    step = lambda: np.ones(megabytes * 2**17).sum()  # noqa: E731 (functions of tests do not travel)
    assert peak_memory(step) == pytest.approx(megabytes, abs=25)


def test_value_and_gradient():
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    assert value_and_gradient(lambda x: 3 * x, x).tolist() == [18.0, -36.0]
    assert x.grad is None  # the sound itself is left alone
