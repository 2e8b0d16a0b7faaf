"""Everything follows the device of its input: shown on a second device that is none."""

from functools import partial

import pytest
import second_device
import torch
from operators import operators

from utils import (
    SpectralLoss,
    am_chirp,
    delay,
    draw,
    gauss_newton,
    gradient_descent,
    loss_surfaces,
    ripple,
    sequence,
)
from utils import grid as grid_of
from utils.experiments.cost import value_and_gradient

LENGTH = 2**13
KEPT = second_device.register()
OPERATORS = operators(LENGTH, J=8)
short = partial(am_chirp, duration=1.0)


def test_the_device_tells_what_an_accelerator_would():
    x = torch.ones(3).to(second_device.NAME)
    assert x.device.type == second_device.NAME
    with pytest.raises(RuntimeError, match="on the CPU and on elsewhere"):
        x + torch.ones(3)
    assert x[torch.tensor([0, 2])].sum() == 2  # as an index the CPU is welcome
    with pytest.raises(TypeError, match="before numpy"):
        x.numpy()
    with pytest.raises(RuntimeError, match="a generator of the CPU"):
        torch.rand(3, device=second_device.NAME, generator=torch.Generator())


@pytest.mark.parametrize("synth", [am_chirp, ripple], ids=lambda f: f.__name__)
def test_synthesizers_follow(synth):
    theta = draw(synth, 2, seed=3)
    for make in (synth, lambda t: delay(synth(t), 100), lambda t: sequence(synth, t, (0.0, 0.5))):
        x = make(theta.to(second_device.NAME))
        assert x.device.type == second_device.NAME
        torch.testing.assert_close(x.cpu(), make(theta))


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_and_their_gradients_follow(name):
    """Of squared features: where a modulus is all rounding, its own gradient is so too."""
    x, found = short(torch.tensor([8.0, 2.0])), []
    for at in ("cpu", second_device.NAME):
        features = SpectralLoss(OPERATORS[name], p=1).features(x.to(at))
        gradient = value_and_gradient(OPERATORS[name], x.to(at))
        assert features.device.type == gradient.device.type == torch.device(at).type
        found.append((features.cpu(), gradient.cpu()))
    (features, gradient), (same, alike) = found
    torch.testing.assert_close(same, features)
    assert (alike - gradient).norm() < 1e-3 * gradient.norm()


@pytest.mark.parametrize("name", ["MSS both", "JTFS"])
def test_solvers_and_surveys_follow(name):
    phi = OPERATORS[name]
    theta, start = torch.tensor([8.0, 2.0]), torch.tensor([7.0, 1.7])
    grid = grid_of(short, (2, 2))
    found = []
    for at in ("cpu", second_device.NAME):
        target, begin = short(theta).to(at), start.to(at)
        first = gradient_descent(short, SpectralLoss(phi, p=1), target, begin, steps=2)
        second = gauss_newton(short, phi, target, begin, steps=1)
        surface, slopes = loss_surfaces(short, phi, grid.to(at), target[None], p=2)
        found.append([each.cpu() for each in (first.thetas, second.thetas, surface, slopes)])
    for here, there in zip(*found, strict=True):
        torch.testing.assert_close(here, there, rtol=1e-3, atol=1e-6)
