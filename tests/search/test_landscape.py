from functools import partial

import pytest
import torch

from utils.features.jtfs import JTFS
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.parameters import draw, grid
from utils.search.landscape import (
    local_minima,
    loss_surfaces,
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
