"""The study: its protocol, its record, and the tool that runs it."""

import random

import pytest
import study as tool
import torch
from joblib import parallel_config

from utils.experiments import study
from utils.experiments.contenders import Contender, Way, contenders
from utils.experiments.tasks import TASKS
from utils.features import rivals
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.search.quasi_newton import quasi_newton
from utils.synth import am_chirp


@pytest.fixture(scope="module")
def rows():
    return study.read()[1]


def test_the_record_is_complete(rows):
    """Every search of the plan, and errors as predicted parameters have them."""
    assert set(study.plan()) <= set(rows), "run `make study`"
    for row in rows.values():
        truths = torch.stack(
            [TASKS[row.task].truth(k, study.SAMPLE) for k in study.pairs_of(row.loss)]
        )
        errors = study.relative_errors(torch.tensor(row.predicted), truths)
        assert row.errors == pytest.approx(errors, rel=1e-2, abs=3e-5)  # parameters are rounded
        assert study.from_line(study.to_line(row)) == row


@pytest.mark.parametrize("seed", range(6))
def test_a_search_repeats(seed, rows):
    """A search that gets lost, or descends on an L1 norm, may turn on how a processor rounds. It
    succeeds or fails alike; second-order searches that succeed also end at the same place.
    """
    draw = random.Random(seed)
    kept, k = draw.choice(list(rows.values())), draw.randrange(32)
    [contender] = contenders(kept.loss).values()
    way = contender.random if kept.start == "random" else contender.grid
    again = study.search(contender, *kept.key, pairs=[study.pairs_of(kept.loss)[k]])
    assert again.within() == kept.within()[k : k + 1]
    if way.solver == "LM" and again.found():
        assert again.predicted[0] == pytest.approx(kept.predicted[k], rel=3e-3)


MSS_L2 = SpectralLoss(MSS(), 2)
WAYS = {
    "features": Way(MSS_L2, "LM"),
    "aligned features": Way(rivals.Aligned(MSS_L2), "LM"),
    "a loss": Way(SpectralLoss(MSS(), 1), "BFGS"),
}


@pytest.mark.parametrize("name", WAYS)
def test_ways_to_search(name):
    """All end at the truth, from a start beside it and from the best points of a grid."""
    truth = torch.tensor([8.0, 2.0])
    target, starts = am_chirp(truth)[None], 1.02 * truth[None]
    points = truth * torch.tensor([[[0.99, 1.0], [1.3, 1.0]], [[0.99, 1.4], [1.3, 1.4]]])
    [near] = study.from_starts(WAYS[name], am_chirp, target, starts)
    [best] = study.from_grid(WAYS[name], am_chirp, target, points)
    assert (near.thetas[-1] / truth - 1).abs().max() < 0.01
    assert (best.thetas[-1] / truth - 1).abs().max() < 0.01
    assert best.evaluations > near.evaluations + 4 + 8


def test_quasi_newton_on_a_bowl():
    truth = torch.tensor([8.0, 2.0])
    bowl = lambda x, y: (x.log() - y.log()).square().sum()  # noqa: E731
    match = quasi_newton(lambda theta: theta, bowl, truth, torch.tensor([3.0, 5.0]))
    torch.testing.assert_close(match.thetas[-1], truth, rtol=1e-3, atol=0)
    assert match.converged and (match.losses.diff() <= 0).all()
    assert len(match.thetas) <= match.evaluations


def test_a_reader_may_ask_with_a_loss_of_his_own():
    mine = Contender(*[WAYS["features"]] * 2)
    [row] = study.examine(mine, [("delay", 0)], [0, 1], n_jobs=1)
    assert row.key == ("yours", "delay", 0, "coarse") and len(row.within()) == 2


SHORT = {"short": Contender(Way(SpectralLoss(rivals.AverageSpectrum(), 2), "LM"), None)}
KEYS = [("short", "delay", samples, "random") for samples in (0, 64, 256)]


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A study of one pair and one loss, in this process."""
    monkeypatch.setattr(study, "RECORD", tmp_path / "study.jsonl")
    monkeypatch.setattr(study, "plan", lambda: KEYS)
    monkeypatch.setattr(tool, "contenders", lambda *names: SHORT)
    asked, search = [], study.search

    def one_pair(*key):
        asked.append(key[1:])
        if len(asked) == 2:
            raise KeyboardInterrupt
        return search(*key, pairs=[0])

    monkeypatch.setattr(study, "search", one_pair)
    return asked


def test_a_study_goes_on_where_it_stopped(small, capsys):
    with parallel_config(backend="sequential"), pytest.raises(KeyboardInterrupt):
        tool.main(n_jobs=1)
    assert list(study.read()[1]) == KEYS[:1]
    with parallel_config(backend="sequential"):
        tool.main(n_jobs=1)
        made, rows = study.read()
        assert list(rows) == KEYS and len(small) == 4 and len(made["parts"]) == 2
        tool.main(n_jobs=1)
        assert "nothing to run" in capsys.readouterr().out and len(small) == 4
        tool.main(n_jobs=1, loss="short")
    assert len(small) == 7
