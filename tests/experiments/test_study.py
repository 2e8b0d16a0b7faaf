"""`make study`: what it runs, and what it writes."""

from dataclasses import replace

import pytest
import study as tool

from utils.experiments import comparison, record
from utils.experiments.comparison import Run
from utils.features.loss import SpectralLoss
from utils.features.rivals import AverageSpectrum

JOBS = [Run("delay", 0, "average spectrum", "first", "random", pair) for pair in range(4)]
RESULTS = [replace(job, error=float(job.pair)) for job in JOBS]


@pytest.fixture
def done(monkeypatch):
    """The jobs that are run, of which none takes time."""
    done = []

    def count(job, loss):
        done.append(job)
        if loss == "stops" and job.pair == 2:
            raise KeyboardInterrupt
        return replace(job, error=float(job.pair))

    monkeypatch.setattr(comparison, "run", count)
    return done


def test_an_interrupted_study_goes_on(tmp_path, done):
    """What is finished is not done again, a torn line is; another library begins anew."""
    kept = tmp_path / "study.jsonl"
    with pytest.raises(KeyboardInterrupt):
        tool.perform(JOBS, {"average spectrum": "stops"}, kept, "digest", n_jobs=1)
    assert done == JOBS[:3]
    kept.write_text(kept.read_text() + '{"run": ["delay", 0, "aver')
    losses = {"average spectrum": ""}
    assert tool.perform(JOBS, losses, kept, "digest", n_jobs=1) == RESULTS
    assert done == [*JOBS[:3], *JOBS[2:]]
    tool.perform(JOBS, losses, kept, "digest", n_jobs=1)
    assert len(done) == 5
    tool.perform(JOBS, losses, kept, "another", n_jobs=1)
    assert len(done) == 9


@pytest.fixture
def study(tmp_path, monkeypatch, done):
    """A record of one loss, and a plan of this and another."""
    first = {"date": "then", "megabytes": {"average spectrum": 21}}
    added = [replace(job, loss="new") for job in JOBS]
    monkeypatch.setattr(comparison, "RECORD", tmp_path / "book.jsonl")
    monkeypatch.setattr(tool, "KEPT", tmp_path / "kept.jsonl")
    monkeypatch.setattr(tool, "parallel", lambda *_: lambda work: (f(*a) for f, a, _ in work))
    monkeypatch.setattr(tool, "megabytes", lambda losses: dict.fromkeys(losses, 7))
    contenders = {name: comparison.Contender("", True) for name in ("average spectrum", "new")}
    monkeypatch.setattr(comparison, "contenders", lambda: contenders)
    monkeypatch.setattr(comparison, "plan", lambda names: JOBS + added)
    record.write(comparison.RECORD, first, map(comparison.to_line, RESULTS))
    return added


def test_an_added_loss_runs_its_searches_and_no_others(study, done, capsys):
    before = comparison.RECORD.read_text().splitlines()
    tool.main()
    assert done == study
    assert comparison.RECORD.read_text().splitlines()[1 : 1 + len(JOBS)] == before[1:]
    made, results = comparison.read()
    assert [r.key for r in results[len(JOBS) :]] == [job.key for job in study]
    assert made["date"] == "then" and made["added"][0]["losses"] == ["new"]
    assert made["megabytes"] == {"average spectrum": 21, "new": 7}
    tool.main()
    assert "nothing to run" in capsys.readouterr().out and len(done) == len(study)


def test_a_loss_by_name_or_all_are_run_anew(study, done):
    tool.main(loss="average spectrum")
    assert done == JOBS
    assert len(comparison.read()[1]) == len(JOBS)
    tool.main(loss="all")
    assert {job.loss for job in done[4:]} == {"new"}  # the others are kept, of the same sources
    made, results = comparison.read()
    assert "added" not in made and made["date"] != "then"
    assert len(results) == 8


def test_memory_is_measured():
    measured = tool.megabytes({"average spectrum": SpectralLoss(AverageSpectrum(), p=1)})
    assert 0 < measured["average spectrum"] < 1000
