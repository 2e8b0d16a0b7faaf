"""Work that chapters share."""

from functools import partial

import joblib
import pytest
import torch

from utils.experiments import cache
from utils.features.jtfs import JTFS
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.synth import am_chirp, sequence

CALLS = []


def work(x, scale=1.0):
    CALLS.append(scale)
    return scale * x


def other(x, scale=1.0):
    CALLS.append(scale)
    return scale + x


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    memory = joblib.Memory(tmp_path, verbose=0)
    monkeypatch.setattr(cache, "_kept", memory.cache(cache._kept.func, ignore=["work"]))
    CALLS.clear()


def test_the_same_work_is_done_once():
    x = torch.arange(3.0)
    first, second = cache.once(work, x, scale=2.0), cache.once(work, x.clone(), scale=2.0)
    assert torch.equal(first, second)
    assert torch.equal(first, 2 * x)
    assert len(CALLS) == 1


@pytest.mark.parametrize(
    "again", [(work, torch.ones(3), 3.0), (work, torch.ones(4), 2.0), (other, torch.ones(3), 2.0)]
)
def test_other_work_is_done_anew(again):
    cache.once(work, torch.ones(3), 2.0)
    cache.once(*again)
    assert len(CALLS) == 2


def test_a_change_in_the_library_computes_anew(monkeypatch):
    cache.once(work, torch.ones(3))
    monkeypatch.setattr(cache, "library", lambda: "another library")
    cache.once(work, torch.ones(3))
    assert len(CALLS) == 2


def test_settings_are_part_of_the_key_of_operators_and_synthesizers():
    keys = {
        repr(cache.plain(value))
        for value in (
            MSS(),
            MSS(),
            MSS(magnitude="log"),
            MSS(n_ffts=(64,)),
            JTFS(4096, J=6, Q=(4, 1), J_fr=2, Q_fr=1),
            JTFS(4096, J=6, Q=(4, 1), J_fr=2, Q_fr=1, T=64),
            SpectralLoss(MSS(), 1),
            SpectralLoss(MSS(), 2),
            am_chirp,
            partial(am_chirp, carrier=256.0),
            partial(sequence, am_chirp, onsets=[0.0]),
            partial(sequence, am_chirp, onsets=[0.5]),
        )
    }
    assert len(keys) == 11


def test_an_input_without_a_key_is_refused():
    with pytest.raises(TypeError, match="inputs hold a object"):
        cache.once(work, object())
