"""Large studies: a Dask cluster of two processes gives what this process gives."""

import os
from functools import partial

import pytest
import torch
from conftest import script
from dask.distributed import Client, LocalCluster
from joblib import parallel_config

from utils import study
from utils.jtfs import JTFS
from utils.landscape import log_grid, survey
from utils.match import gauss_newton
from utils.mss import MSS
from utils.synth import am_chirp
from utils.trials import match_all

tool = script("study")
short = partial(am_chirp, duration=0.5)


@pytest.fixture(scope="module")
def cluster():
    """Workers that are other processes, on this machine, reached over its own network."""
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(processes=True, **options) as running:
        yield running


@pytest.fixture
def at_work(cluster):
    with Client(cluster) as client, parallel_config(backend="dask"):
        yield client


def test_workers_are_two_other_processes(at_work):
    assert len(set(at_work.run(os.getpid).values()) - {os.getpid()}) == 2


def test_a_survey_is_the_same(at_work):
    grid, phi = log_grid(short, (4, 3)), JTFS(4096)
    there = survey(short, phi, grid, n_jobs=-1)
    with parallel_config(backend="sequential"):
        here = survey(short, phi, grid)
    torch.testing.assert_close(there.features, here.features)
    torch.testing.assert_close(there.jacobian, here.jacobian, rtol=1e-4, atol=1e-9)


def test_a_streamed_survey_is_the_same(at_work):
    grid, targets = log_grid(short, (4, 3)), short(torch.tensor([[5.0, 1.0], [9.0, 2.0]]))
    there = survey(short, MSS(), grid, targets, n_jobs=-1)
    with parallel_config(backend="sequential"):
        here = survey(short, MSS(), grid, targets)
    for p in (1, 2):
        torch.testing.assert_close(there.losses[p], here.losses[p])


def test_searches_are_the_same(at_work):
    thetas = torch.tensor([[5.0, 1.0], [9.0, 2.0], [12.0, 3.0]])
    solver = partial(gauss_newton, phi=JTFS(4096, oversampling=0.5), steps=4)
    arguments = solver, short, short(thetas), thetas.flip(0)
    there = match_all(*arguments)
    with parallel_config(backend="sequential"):
        here = match_all(*arguments)
    for one, other in zip(there, here, strict=True):
        torch.testing.assert_close(one.thetas, other.thetas, rtol=1e-3, atol=0)


def test_the_study_is_the_same(cluster, tmp_path):
    """What `make study` does, with and without a scheduler; both keep their runs."""
    jobs = [study.Run("delay", 2**8, "average spectrum", "second", "random", k) for k in range(4)]
    losses = {"average spectrum": study.contenders()["average spectrum"]}
    found = {}
    for scheduler in (cluster.scheduler_address, None):
        kept = tmp_path / f"{scheduler is None}.jsonl"
        with tool.workers(scheduler):
            found[scheduler] = tool.perform(jobs, losses, kept, "digest", n_jobs=-1)
        assert len(kept.read_text().splitlines()) == 1 + len(jobs)
    for one, other in zip(*found.values(), strict=True):
        assert one.key == other.key
        assert one.found == pytest.approx(other.found, rel=1e-3)
