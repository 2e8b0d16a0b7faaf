"""The ablation and the recipe: their statistics, and that the record holds."""

import random
from functools import partial

import pytest
import torch

from utils.experiments import ablation, recipe
from utils.experiments.ablation import CELLS, CHANGES, RECIPE, SAMPLE, Finding, Variant
from utils.experiments.statistics import holm, mcnemar
from utils.experiments.tasks import TASKS
from utils.search.jacobian import features_of
from utils.search.landscape import survey
from utils.search.second_order import gauss_newton
from utils.synth import am_chirp, delay

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def findings():
    return ablation.read()[1]


def test_the_record_has_every_operator_on_every_task(findings):
    found = {(one.variant, one.task, one.amount) for one in findings}
    variants = {one.variant for one in findings}
    assert len(findings) == len(found) == 54 * len(CELLS) == len(variants) * len(CELLS)
    assert {RECIPE, *CHANGES.values()} <= variants
    assert all(len(one.errors) == ablation.PAIRS for one in findings)


@pytest.mark.parametrize("seed", range(5))
def test_a_finding_repeats(seed, findings):
    """One of those near the truth, whose neighbours on the grid are then all that matters."""
    draw = random.Random(seed)
    kept = draw.choice([one for one in findings if sum(one.within(0.04)) > 32])
    pair = draw.choice([k for k, error in enumerate(kept.errors) if 0.002 < error < 0.04])
    task, phi = TASKS[kept.task], ablation.operator(kept.variant, CPU)
    grid, truth = task.grid(ablation.POINTS), task.truth(pair, SAMPLE)
    ratio = grid / truth
    nearest = torch.where(ratio > 0, ratio.log().abs(), torch.inf).sum(-1).argmin()
    *half, i, j = torch.unravel_index(nearest, grid.shape[:-1])
    i, j = (min(max(int(k), 1), ablation.POINTS - 2) for k in (i, j))
    around = grid[(*half, slice(i - 1, i + 2), slice(j - 1, j + 2))]
    wanted = features_of(phi, task.target(pair, kept.amount, SAMPLE)[None])
    [error], _ = ablation.find(task.synth, survey(task.synth, phi, around), wanted, truth[None])
    assert error == pytest.approx(kept.errors[pair], rel=0.03, abs=2e-4)


def test_one_step_from_the_grid_ends_where_a_descent_does(findings):
    """And a descent repeats."""
    by_cell = {(one.variant, one.task, one.amount): one for one in findings}
    polished = ablation.read(ablation.POLISH)[1]
    assert {one.variant for one in polished} == set(ablation.POLISHED)
    alike = [
        near == by_cell[one.variant, one.task, one.amount].within()[k]
        for one in polished
        for k, near in enumerate(one.within())
    ]
    assert sum(alike) > 0.9 * len(alike)
    kept = random.Random(0).choice([one for one in polished if one.variant == RECIPE])
    [again] = ablation.polish(RECIPE, CPU, [(kept.task, kept.amount)], [3])
    assert again.errors[0] == pytest.approx(kept.errors[3], rel=0.03, abs=2e-4)


def test_truths_are_independent_between_samples_and_tasks():
    """And starts of either sign meet truths of either sign."""
    truths = [
        tuple(task.truth(pair, sample).tolist())
        for task in TASKS.values()
        for pair in range(8)
        for sample in (1, 2)
    ]
    assert len(set(truths)) == len(truths)
    signs = [
        tuple((at(pair, 2)[1] > 0).item() for at in (task.truth, task.start))
        for task in [TASKS["direction"]]
        for pair in range(32)
    ]
    assert all(signs.count((a, b)) >= 3 for a in (True, False) for b in (True, False))


def test_descent_on_a_grid_ends_in_the_minimum_of_its_valley():
    x = torch.linspace(-1, 1, 9)
    bowls = torch.stack([(x[:, None] - a) ** 2 + (x - b) ** 2 for a, b in ((0, 0), (0.5, -0.25))])
    assert ablation.descend(bowls).unique(dim=1).tolist() == [[4 * 9 + 4], [6 * 9 + 3]]
    two = torch.minimum(bowls[0], bowls[1] + 0.01)[None]
    assert set(ablation.descend(two).flatten().tolist()) == {4 * 9 + 4, 6 * 9 + 3}
    halves = ablation.descend(bowls[None])[0].unflatten(0, (2, -1))  # no way leads across
    assert (halves[0] < 81).all() and (halves[1] >= 81).all()


def test_paired_statistics():
    a, b = [True] * 9 + [False] * 3, [True] * 3 + [False] * 6 + [True] + [False] * 2
    assert mcnemar(a, b) == pytest.approx(2 * (1 + 7) / 2**7)  # 6 against 1
    assert mcnemar(a, a) == 1
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    one = Finding(Variant(), "delay", 0, (0.01, 0.06), 0.5)
    assert one.within() == [True, False]
    assert ablation.from_line(ablation.to_line(one)) == one


@pytest.mark.parametrize("sample_rate", [16000, 44100])
def test_the_recipe_at_other_sample_rates(sample_rate):
    synth = partial(am_chirp, duration=3.0, sample_rate=sample_rate)
    truth = torch.tensor([9.0, 2.5])
    target = delay(synth(truth), round(0.125 * sample_rate))
    phi = recipe.root_jtfs(len(target), sample_rate)
    match = gauss_newton(synth, phi, target, torch.tensor([7.0, 1.8]))
    assert (match.thetas[-1] / truth - 1).abs().max() < 0.03
