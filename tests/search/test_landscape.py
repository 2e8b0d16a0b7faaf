from functools import partial

import pytest
import torch

from utils.features.jtfs import JTFS
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.search.landscape import (
    Atlas,
    local_minima,
    log_grid,
    points_home,
    share_home,
    share_home_by_chance,
    survey,
)
from utils.synth import am_chirp, draw, ripple, sequence

short = partial(am_chirp, duration=0.5)
OPERATORS = {"MSS": MSS((256, 64)), "JTFS": JTFS(4096, J=6, Q=(4, 1), J_fr=2, Q_fr=1)}
PHI = OPERATORS["MSS"]
GRID = log_grid(short, (3, 4)).double()
TARGETS = short(draw(am_chirp, 2, seed=0).double())


def by_autograd(target, p, phi=PHI):
    """Loss and gradient at each grid point, one at a time, in reverse mode."""
    theta = GRID.clone().requires_grad_()
    loss = SpectralLoss(phi, p)(short(theta), target)
    return loss.detach(), torch.autograd.grad(loss.sum(), theta)[0]


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
def test_streaming_keeps_the_same_surfaces(p):
    atlas = survey(short, PHI, GRID, TARGETS)
    assert atlas.features is None
    for k, target in enumerate(TARGETS):
        for one, other in zip(atlas.surface(k, p), by_autograd(target, p), strict=True):
            torch.testing.assert_close(one, other)


@pytest.mark.parametrize("synth", [ripple, partial(sequence, short, onsets=[-0.1, 0.1])])
def test_every_synthesizer_can_be_surveyed(synth):
    atlas = survey(synth, PHI, log_grid(synth, (2, 2)))
    assert torch.isfinite(atlas.jacobian).all()
    assert (atlas.jacobian.norm(dim=1) > 0).all()


def test_processes_share_the_work():
    grid = log_grid(short, (6, 3))
    for targets in (None, TARGETS.float()):
        one, other = (survey(short, PHI, grid, targets, n_jobs=jobs) for jobs in (1, 2))
        named = 0 if targets is not None else PHI(TARGETS[0].float())
        for a, b in zip(one.surface(named), other.surface(named), strict=True):
            torch.testing.assert_close(a, b)


def test_log_gradient_is_by_ratios():
    atlas = Atlas(GRID, None, None)
    gradient = torch.ones_like(GRID)
    assert atlas.to_log(gradient).equal(GRID)


def test_grid_spans_the_ranges_evenly_in_log():
    grid = log_grid(am_chirp, (3, 4))
    assert grid.shape == (3, 4, 2)
    torch.testing.assert_close(grid[:, 0, 0], torch.tensor([4.0, 8.0, 16.0]))
    torch.testing.assert_close(grid[0, :, 1], torch.tensor([0.5, 1.0, 2.0, 4.0]))


def test_local_minima():
    loss = torch.tensor([[3.0, 2.0, 3.0], [3.0, 3.0, 3.0], [1.0, 3.0, 0.0]])
    expected = torch.zeros(3, 3, dtype=torch.bool)
    expected[0, 1] = expected[2, 0] = expected[2, 2] = True
    assert local_minima(loss).equal(expected)
    assert local_minima(torch.tensor([2.0, 1.0, 1.0, 0.0])).tolist() == [False, False, False, True]
    assert not local_minima(torch.zeros(4, 4)).any()


def test_points_home():
    grid, home = torch.tensor([[8.0, 1.0], [8.0, 1.0]]), torch.tensor([16.0, 1.0])
    toward, away = torch.tensor([-1.0, 0.5]), torch.tensor([1.0, 0.5])
    assert points_home(grid, torch.stack([toward, away]), home).tolist() == [True, False]
    arrows, truths = torch.stack([toward, away]), torch.stack([home, grid[0] / 2])
    assert share_home(grid, [arrows, toward.expand(2, 2)], truths) == 0.25
    assert share_home(grid, [toward.expand(2, 2), arrows], truths) == 0.75


def test_share_home_by_chance():
    """Arrows of a grid of four by four to its middle: all, for a target there; and all but those
    of the four points on its own side, for one beyond a corner."""
    axis = 2.0 ** torch.arange(4)
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1)
    assert share_home_by_chance(grid, torch.full((1, 2), 8**0.5)) == 1
    assert share_home_by_chance(grid, grid[0, 0][None] / 1.1) == 0.75


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: survey(short, PHI, [[8.0, 2.0]]), TypeError, "grid is a list"),
        (lambda: survey(short, PHI, GRID, TARGETS[0]), ValueError, "targets has shape"),
        (lambda: log_grid(am_chirp, (3,)), ValueError, "counts is"),
        (lambda: log_grid(am_chirp, (3, 1)), ValueError, "counts is 1"),
        (lambda: Atlas(GRID, None, None).surface(0, p=3), ValueError, "p is 3"),
        (
            lambda: survey(short, PHI, GRID[:1, :1], TARGETS).surface(2),
            ValueError,
            "target is 2; expected less than 2",
        ),
        (
            lambda: survey(short, PHI, GRID[:1, :1]).surface(torch.ones(3)),
            ValueError,
            r"target has shape \(3,\)",
        ),
    ],
)
def test_bad_input_is_named(call, error, says):
    with pytest.raises(error, match=says):
        call()
