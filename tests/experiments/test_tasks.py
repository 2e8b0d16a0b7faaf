"""The tasks of the comparison."""

import pytest
import torch

from utils.experiments import study, tasks
from utils.experiments.tasks import PAIRS, TASKS
from utils.parameters import parameters_of

AMOUNTS = {task: amount for _, task, amount, _ in study.read()[1]}


@pytest.mark.parametrize("task", TASKS)
def test_pairs_are_independent_of_each_other(task):
    truths = torch.stack([TASKS[task].truth(pair) for pair in range(PAIRS)])
    starts = torch.stack([TASKS[task].start(pair) for pair in range(PAIRS)])
    correlation = torch.corrcoef(torch.cat([truths, starts], dim=1).abs().log().T)
    assert correlation.fill_diagonal_(0).abs().max() < 0.55
    sound = TASKS[task].target(3, AMOUNTS[task])
    assert torch.equal(sound, TASKS[task].target(3, AMOUNTS[task]))
    assert sound.shape == (tasks.LENGTH,)


def test_tasks_are_independent_of_each_other():
    assert len({tuple(TASKS[task].truth(0).tolist()) for task in TASKS}) == len(TASKS)


def test_tasks_do_as_described():
    x = TASKS["noise"].synth(TASKS["noise"].truth(0))
    noise = TASKS["noise"].target(0, 20) - x
    assert 20 * torch.log10(x.norm() / noise.norm()) == pytest.approx(20, abs=0.01)
    for task in ("warp", "jitter", "envelope warp"):
        regular = tasks.regular(TASKS[task].truth(1))
        torch.testing.assert_close(TASKS[task].target(1, 0.0), regular, atol=1e-6, rtol=1e-4)
        assert 0.05 < (TASKS[task].target(1, 0.05) - regular).norm() < 1.5
    high = torch.tensor([one.high for one in parameters_of(TASKS["outside"].synth)])
    above = torch.stack([TASKS["outside"].truth(pair) for pair in range(PAIRS)]) / high
    assert (above > 1).all() and (above < 1.5).all()
    loud = [TASKS["level"].target(pair, 2**10).norm() for pair in range(8)]
    assert max(loud) > 1.5 * min(loud)
