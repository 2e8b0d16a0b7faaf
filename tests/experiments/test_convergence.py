"""How fast textbook solvers converge, and the record of it."""

import pytest
import torch

from utils.experiments import convergence
from utils.experiments.convergence import SOLVERS, Arrived, Distance
from utils.features.mss import MSS


@pytest.mark.parametrize("solver", SOLVERS)
def test_solvers_find_a_nearby_truth(solver):
    """And the count is of evaluations, from the first one on."""
    truth, start = convergence.truth_and_start(0, 0.02)
    f = Distance(MSS(), truth, "squared")
    with pytest.raises(Arrived):
        SOLVERS[solver](f, f.to_z(start).numpy().astype(float))
    assert f.reached[0.05] == 1 < f.reached[0.01] == f.count < 30


def test_a_start_is_as_far_off_as_it_says():
    for pair in range(4):
        truth, start = convergence.truth_and_start(pair, 0.25)
        factors = torch.maximum(start / truth, truth / start)
        torch.testing.assert_close(factors, torch.full((2,), 1.25))


def test_the_record_repeats():
    """One count of each loss, of a solver that does not turn on rounding."""
    made, rows = convergence.read()
    assert [(r.loss, r.distance, r.solver, r.off) for r in rows] == convergence.PLAN
    for loss in convergence.OPERATORS:
        key = (loss, "squared", "Levenberg-Marquardt", 0.1)
        [kept] = [r for r in rows if (r.loss, r.distance, r.solver, r.off) == key]
        again = convergence.measure(*key, pairs=[3])
        assert (again.near, again.nearer) == (kept.near[3:4], kept.nearer[3:4])
        assert convergence.conditions([3])[loss] == pytest.approx(made["conditions"][loss][3:4])
