from functools import partial

import pytest
import torch

from utils.features.jtfs import JTFS
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.parameters import Parameter, draw, grid, parameters
from utils.search.landscape import (
    descends_toward,
    local_minima,
    loss_surfaces,
    share_toward,
    share_toward_by_chance,
    survey,
)
from utils.synth import am_chirp

short = partial(am_chirp, duration=0.5)
OPERATORS = {"MSS": MSS((256, 64)), "JTFS": JTFS(4096, J=6, Q=(4, 1), J_fr=2, Q_fr=1)}
PHI = OPERATORS["MSS"]
GRID = grid(short, (3, 4)).double()
TARGETS = short(draw(am_chirp, 2, seed=0).double())


def by_autograd(target, p, phi=PHI):
    """Loss at each grid point, and gradient by log-parameters, in reverse mode."""
    z = GRID.log().requires_grad_()
    loss = SpectralLoss(phi, p)(short(z.exp()), target)
    return loss.detach(), torch.autograd.grad(loss.sum(), z)[0]


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("phi", OPERATORS.values(), ids=OPERATORS)
def test_surface_equals_autograd(phi, p):
    atlas = survey(short, phi, GRID)
    assert atlas.features.shape == (12, phi(TARGETS[0]).shape[-1])
    assert atlas.jacobian.shape == (*atlas.features.shape, 2)
    for target in TARGETS:
        found = atlas.surface(phi(target), p)
        for one, other in zip(found, by_autograd(target, p, phi), strict=True):
            torch.testing.assert_close(one, other)


@pytest.mark.parametrize("p", [1, 2])
def test_surfaces_without_features_are_the_same(p):
    for target, *found in zip(TARGETS, *loss_surfaces(short, PHI, GRID, TARGETS, p=p), strict=True):
        for one, other in zip(found, by_autograd(target, p), strict=True):
            torch.testing.assert_close(one, other)


def test_processes_share_the_work():
    points, target = grid(short, (6, 3)), PHI(TARGETS[0].float())
    one, other = (survey(short, PHI, points, n_jobs=jobs).surface(target) for jobs in (1, 2))
    torch.testing.assert_close(one, other)
    one, other = (
        loss_surfaces(short, PHI, points, TARGETS.float(), n_jobs=jobs) for jobs in (1, 2)
    )
    torch.testing.assert_close(one, other)


def test_local_minima():
    loss = torch.tensor([[3.0, 2.0, 3.0], [3.0, 3.0, 3.0], [1.0, 3.0, 0.0]])
    expected = torch.zeros(3, 3, dtype=torch.bool)
    expected[0, 1] = expected[2, 0] = expected[2, 2] = True
    assert local_minima(loss).equal(expected)
    assert local_minima(torch.tensor([2.0, 1.0, 1.0, 0.0])).tolist() == [False, False, False, True]
    assert not local_minima(torch.zeros(4, 4)).any()


def test_where_descent_starts_toward_the_truth():
    points, truth = torch.tensor([[8.0, 1.0], [8.0, 1.0]]), torch.tensor([16.0, 1.0])
    toward, away = torch.tensor([-1.0, 0.5]), torch.tensor([1.0, 0.5])
    gradient = torch.stack([toward, away])
    assert descends_toward(am_chirp, points, gradient, truth).tolist() == [True, False]
    truths = torch.stack([truth, points[0] / 2])
    assert share_toward(am_chirp, points, [gradient, toward.expand(2, 2)], truths) == 0.25
    assert share_toward(am_chirp, points, [toward.expand(2, 2), gradient], truths) == 0.75


def test_angles_follow_the_scales():
    """Along a linear axis from -1 to 2, with the truth at zero."""
    synth = parameters(Parameter("onset", "t", "s", -1.0, 2.0, scale="linear"))(lambda theta: theta)
    points = grid(synth, (4,))
    found = descends_toward(synth, points, torch.full((4, 1), -1.0), torch.zeros(1))
    assert found.tolist() == [True, False, False, False]


def test_share_toward_by_chance():
    """Arrows of a grid of four by four to its middle: all, for a target there; and all but those
    of the four points on its own side, for one beyond a corner."""
    axis = 2.0 ** torch.arange(4)
    points = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1)
    assert share_toward_by_chance(am_chirp, points, torch.full((1, 2), 8**0.5)) == 1
    assert share_toward_by_chance(am_chirp, points, points[0, 0][None] / 1.1) == 0.75
