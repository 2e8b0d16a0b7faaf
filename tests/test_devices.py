"""Everything follows the device of its input: shown on a second device that is none."""

import os
import subprocess
import sys

import pytest
import second_device
import torch
from conftest import ROOT

from utils import baselines
from utils.jtfs import JTFS
from utils.landscape import log_grid, survey
from utils.loss import SpectralLoss
from utils.match import gauss_newton, gradient_descent
from utils.mss import MSS
from utils.synth import am_chirp, delay, draw, ripple, sequence

LENGTH = 2**13
KEPT = second_device.register()
OPERATORS = {
    "MSS": MSS(magnitude="both"),
    "JTFS": JTFS(LENGTH, J=8),
    "JTFS, local": JTFS(LENGTH, J=8, T=2**9, F=4),
    "time scattering": baselines.TimeScattering(LENGTH, J=8),
    "average spectrum": baselines.AverageSpectrum(),
    "modulation spectrum": baselines.ModulationSpectrum(),
    "quantiles": baselines.Quantiles(),
}


def short(theta):
    return am_chirp(theta, duration=1.0)


short.parameters = am_chirp.parameters


def elsewhere(x):
    return x.to(second_device.NAME)


def test_the_device_tells_what_an_accelerator_would():
    x = elsewhere(torch.ones(3))
    assert x.device.type == second_device.NAME
    with pytest.raises(RuntimeError, match="on the CPU and on elsewhere"):
        x + torch.ones(3)
    with pytest.raises(TypeError, match="before numpy"):
        x.numpy()
    with pytest.raises(RuntimeError, match="a generator of the CPU"):
        torch.rand(3, device=second_device.NAME, generator=torch.Generator())


@pytest.mark.parametrize("synth", [am_chirp, ripple], ids=lambda f: f.__name__)
def test_synthesizers_follow(synth):
    theta = draw(synth, 2, seed=3)
    for make in (synth, lambda t: delay(synth(t), 100), lambda t: sequence(synth, t, (0.0, 0.5))):
        x = make(elsewhere(theta))
        assert x.device.type == second_device.NAME
        torch.testing.assert_close(x.cpu(), make(theta))


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_and_their_gradients_follow(name):
    x, y = short(torch.tensor([8.0, 2.0])), short(torch.tensor([6.0, 1.5]))
    found = []
    for at in ("cpu", second_device.NAME):
        candidate = x.detach().to(at).requires_grad_()
        loss = SpectralLoss(OPERATORS[name], p=1)(candidate, y.to(at))
        loss.backward()
        assert loss.device.type == candidate.grad.device.type == torch.device(at).type
        found.append((loss.detach().cpu(), candidate.grad.cpu()))
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("name", ["MSS", "JTFS"])
def test_solvers_and_surveys_follow(name):
    phi = OPERATORS[name]
    theta, start = torch.tensor([8.0, 2.0]), torch.tensor([7.0, 1.7])
    grid = log_grid(short, (2, 2))
    found = []
    for at in ("cpu", second_device.NAME):
        target, begin = short(theta).to(at), start.to(at)
        first = gradient_descent(short, SpectralLoss(phi, p=1), target, begin, steps=2)
        second = gauss_newton(short, phi, target, begin, steps=2)
        atlas = survey(short, phi, grid.to(at), target[None])
        surface, slopes = atlas.surface(0, p=1)
        found.append([each.cpu() for each in (first.thetas, second.thetas, surface, slopes)])
    for here, there in zip(*found, strict=True):
        torch.testing.assert_close(here, there, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("chapter", ["2_synthesizer"])
def test_a_chapter_runs_with_another_device_as_default(chapter):
    """The others take long: `make devices` runs all that use an accelerator."""
    done = subprocess.run(
        [sys.executable, ROOT / "tests/second_device.py", ROOT / f"book/{chapter}.ipynb"],
        cwd=ROOT / "book",
        env=os.environ | {"TQDM_DISABLE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
