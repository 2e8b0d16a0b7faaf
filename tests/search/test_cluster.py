"""Large studies: a Dask cluster gives what this process gives, or says what it lacks."""

import os
import re
import shlex
import socket
import subprocess
import sys
from contextlib import contextmanager
from functools import partial

import pytest
import study as tool
import torch
from conftest import ROOT, cells
from dask.distributed import Client, LocalCluster
from joblib import parallel_config

from utils.experiments import study
from utils.experiments.contenders import Contender, lm
from utils.features.jtfs import JTFS
from utils.features.mss import MSS
from utils.features.rivals import AverageSpectrum
from utils.parameters import grid
from utils.search.landscape import loss_surfaces, survey
from utils.synth import am_chirp

short = partial(am_chirp, duration=0.5)
PHI = JTFS(4096, J=6, Q=(4, 1), J_fr=2, Q_fr=1)
AMONG = {"average spectrum": Contender(*[lm(AverageSpectrum())] * 2)}
KEYS = [("average spectrum", "delay", 2**8, "random")]


@pytest.fixture(scope="module")
def cluster():
    """Workers that are other processes, on this machine, reached over its own network."""
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(processes=True, **options) as running:
        yield running


def test_surveys_are_the_same(cluster):
    points, targets = grid(short, (4, 3)), short(torch.tensor([[5.0, 1.0], [9.0, 2.0]]))
    here, losses = survey(short, PHI, points), loss_surfaces(short, MSS((256,)), points, targets)
    with Client(cluster) as client, parallel_config(backend="dask"):
        assert len(set(client.run(os.getpid).values()) - {os.getpid()}) == 2  # other processes
        there = survey(short, PHI, points, n_jobs=-1)
        losses_there = loss_surfaces(short, MSS((256,)), points, targets, n_jobs=-1)
    torch.testing.assert_close(there.features, here.features)
    torch.testing.assert_close(there.jacobian, here.jacobian, rtol=1e-4, atol=1e-9)
    torch.testing.assert_close(losses_there, losses)


@pytest.fixture
def small(monkeypatch):
    """A study of one loss, which a cluster can run: it reads no plan."""
    monkeypatch.setattr(tool, "contenders", lambda *names: AMONG)
    monkeypatch.setattr(study, "plan", lambda: KEYS)


def test_the_study_is_the_same(cluster, tmp_path, monkeypatch, small):
    """What `make study` does, with and without a scheduler."""
    found = []
    for scheduler in (cluster.scheduler_address, None):
        monkeypatch.setattr(study, "RECORD", tmp_path / f"{len(found)}.jsonl")
        tool.main(scheduler, n_jobs=-1 if scheduler else 1)
        found.append(study.read()[1])
    for key in KEYS:
        for one, other in zip(*(rows[key].predicted for rows in found), strict=True):
            assert one == pytest.approx(other, rel=1e-3)


@pytest.fixture
def folders(tmp_path):
    """Two with the environment, of which one has the library, as a clone of the book has."""
    for name in ("clone", "elsewhere"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".venv").symlink_to(sys.prefix)
    (tmp_path / "clone" / "utils").symlink_to(ROOT / "utils")
    return tmp_path


@contextmanager
def as_written(scheduler_in, workers_in):
    """A cluster started by the commands of chapter 8, but for its address."""
    text = "\n".join(cells(ROOT / "book" / "9_clusters.ipynb", "markdown"))
    scheduler, workers = re.findall("`([^`]*dask (?:scheduler|worker)[^`]*)`", text)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    scheduler += f" --host 127.0.0.1 --port {port} --dashboard-address 127.0.0.1:0"
    workers = workers.replace("tcp://address:8786", address)
    running = []
    try:
        for command, folder in ((scheduler, scheduler_in), (workers, workers_in)):
            running.append(subprocess.Popen(shlex.split(command), cwd=folder))
        with Client(address, timeout=60) as client:
            client.wait_for_workers(1, timeout=60)
            yield address, client
    finally:
        for each in reversed(running):
            each.terminate()
            each.wait()


def test_the_commands_of_the_chapter_do_as_written(folders):
    points = grid(short, (4, 3))
    here = survey(short, PHI, points)
    with as_written(folders / "clone", folders / "clone") as (address, client):
        assert set(client.nthreads().values()) == {1}
        with tool.workers(address):
            there = survey(short, PHI, points, n_jobs=-1)
    torch.testing.assert_close(there.features, here.features)


@pytest.mark.parametrize("places", [("elsewhere", "clone"), ("clone", "elsewhere")])
def test_a_cluster_without_the_library_is_named(folders, places, tmp_path, monkeypatch, small):
    """Else joblib waits for ever."""
    expected = pytest.raises(RuntimeError, match=r"cannot import this library .*python -m dask")
    with as_written(*(folders / place for place in places)) as (address, _), tool.workers(address):
        with expected:
            survey(short, MSS((256,)), grid(short, (4, 3)), n_jobs=-1)
        monkeypatch.setattr(study, "RECORD", tmp_path / "study.jsonl")
        with expected:
            tool.main()
