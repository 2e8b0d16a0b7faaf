"""The experiment of chapter 7: one encoder, one training set, several criteria."""

import json
from functools import partial
from types import SimpleNamespace

import torch
from jaxtyping import Float
from torch import Tensor

from .. import checks
from ..features.jtfs import JTFS
from ..features.loss import SpectralLoss
from ..features.mss import MSS
from ..parameters import draw
from ..search.jacobian import quadratic_forms
from ..synth import SAMPLE_RATE, am_chirp
from . import encoder, record
from .cache import once

RECORD = record.RECORDS / "encoder.jsonl"
MAX_DELAY = 2**10  # samples
# Steps of each criterion on the page, and in the record. A step through JTFS takes most time.
LIVE_STEPS = {"supervised": 300, "JTFS, linearized": 300, "MSS": 80, "JTFS": 10}
RECORDED_STEPS = {"supervised": 1000, "JTFS, linearized": 1000, "MSS": 1000, "JTFS": 300}
SEEDS = range(3)

synth = partial(am_chirp, duration=2.0)


def training_set() -> Float[Tensor, "K 2"]:
    """The parameters of the sounds on which encoders train."""
    return draw(am_chirp, 128, seed=70)


def test_sets() -> dict[str, tuple[Float[Tensor, "_ 2"], Float[Tensor, "_ N"]]]:
    """Other parameters and their sounds: without a delay, and each with its own."""
    thetas = draw(am_chirp, 64, seed=71)
    sounds = synth(thetas)
    delayed = encoder.delay_at_random(sounds, MAX_DELAY, torch.Generator().manual_seed(72))
    return {"on time": (thetas, sounds), "late": (thetas, delayed)}


def scattering() -> JTFS:
    """The operator of chapter 5, for sounds of two seconds."""
    return JTFS(2 * SAMPLE_RATE, oversampling=0.5)


def criterion(name: str) -> encoder.Criterion:
    """A criterion by name, one of `LIVE_STEPS`."""
    checks.one_of("name", name, LIVE_STEPS)
    if name == "MSS":
        return encoder.sound_criterion(synth, SpectralLoss(MSS(magnitude="both"), p=1))
    if name == "JTFS":
        return encoder.sound_criterion(synth, SpectralLoss(scattering(), p=2))
    thetas = training_set()
    forms = torch.eye(2).expand(len(thetas), 2, 2)
    if name == "JTFS, linearized":
        forms = once(quadratic_forms, synth, scattering(), thetas, n_jobs=-1)
    return encoder.QuadraticCriterion(thetas, forms)


def train_encoder(name: str, seed: int, steps: int) -> encoder.Training:
    """Train an encoder with the criterion of this name."""
    return encoder.train(
        synth,
        criterion(name),
        training_set(),
        test_sets(),
        steps=steps,
        every=10 if name in ("MSS", "JTFS") else 50,  # a step through sounds is slow
        max_delay=MAX_DELAY,
        seed=seed,
    )


def read() -> tuple[dict, list[SimpleNamespace]]:
    """What the record was made with, and its trainings: `name` of the criterion, `seed`, and the
    course, as in `Training`.
    """
    return record.read(RECORD, lambda line: SimpleNamespace(**json.loads(line)))
