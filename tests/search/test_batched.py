"""Searches in a batch: the same ends as one by one, and a start that finds the way."""

from functools import partial

import torch

from utils.features.compression import Root
from utils.features.jtfs import JTFS
from utils.features.mss import MSS
from utils.parameters import draw, grid
from utils.search.batched import gauss_newton_all
from utils.search.from_grid import search_from_grid
from utils.search.match import Stop
from utils.search.second_order import gauss_newton
from utils.synth import am_chirp, delay

short = partial(am_chirp, duration=0.5)
PHI = Root(JTFS(2**12, J=8, T=2**9, F=4, oversampling=0.5), floor=1e-7)
TRUTHS = draw(am_chirp, 3, seed=2).clamp(min=2.5)  # slower chirps outlast the sound
STARTS = TRUTHS * (1 + 0.3 * (draw(am_chirp, 3, seed=3) / 20))


def test_ends_are_those_of_searches_one_by_one():
    truths, starts = TRUTHS.double(), STARTS.double()
    targets = delay(short(truths), 100)
    together = gauss_newton_all(short, PHI, targets, starts)
    for match, target, start in zip(together, targets, starts, strict=True):
        alone = gauss_newton(short, PHI, target, start)
        torch.testing.assert_close(match.thetas, alone.thetas, rtol=1e-6, atol=0)
        torch.testing.assert_close(match.losses, alone.losses, rtol=1e-6, atol=1e-20)
        assert (match.evaluations, match.stop) == (alone.evaluations, alone.stop)


def test_each_search_says_why_it_stopped():
    phi = MSS((512, 128))
    flat = gauss_newton_all(short, lambda x: 0 * x[..., :3], short(TRUTHS), STARTS, n_jobs=1)
    assert all(match.stop is Stop.ZERO_GRADIENT and len(match.thetas) == 1 for match in flat)
    spent = gauss_newton_all(short, phi, short(TRUTHS), STARTS, steps=1, n_jobs=1)
    assert all(match.stop is Stop.STEPS and match.evaluations == 2 for match in spent)


def test_a_search_from_a_grid_finds_what_one_start_misses():
    targets = delay(short(TRUTHS), 200)
    found = search_from_grid(short, PHI, targets, grid(short, (6, 6)))
    ends = torch.stack([match.thetas[-1] for match in found])
    assert (ends / TRUTHS - 1).abs().max() < 0.05
    assert all(match.evaluations >= 36 + 8 + 4 for match in found)
    corner = torch.tensor([15.8, 0.55]).expand(3, 2)
    alone = torch.stack([m.thetas[-1] for m in gauss_newton_all(short, PHI, targets, corner)])
    assert (alone / TRUTHS - 1).abs().max() > 0.05


def test_a_search_within_the_ranges_ends_at_their_edge():
    target = short(torch.tensor([[10.0, 4.4]]))  # steeper than 4 octaves a second
    near = torch.tensor([[10.0, 3.5]])
    [free], [bounded] = (
        search_from_grid(short, PHI, target, near, within=within) for within in (False, True)
    )
    assert free.thetas[-1][1] > 4.2 and bounded.thetas[-1][1] == 4.0
