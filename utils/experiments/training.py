"""The experiment of chapter 7: one encoder, one training set, several criteria."""

import json
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from .. import checks
from ..features.jtfs import JTFS
from ..features.loss import SpectralLoss
from ..features.mss import MSS
from ..parameters import draw
from ..search.jacobian import quadratic_forms
from ..synth import SAMPLE_RATE, am_chirp, delay
from . import record
from .cache import once
from .encoder import Criterion, QuadraticCriterion, SoundCriterion, Training, train

RECORD = record.RECORDS / "encoder.jsonl"
DURATION = 2.0  # seconds
MAX_DELAY = 2**10  # samples
TRAINING_SOUNDS, TEST_SOUNDS = 128, 64
EVERY = 10  # steps between tests, where a step is slow
# Steps of each criterion on the page, and in the record. A step through JTFS takes most time.
LIVE_STEPS = {"supervised": 300, "JTFS, linearized": 300, "MSS": 80, "JTFS": 10}
RECORDED_STEPS = {"supervised": 1000, "JTFS, linearized": 1000, "MSS": 1000, "JTFS": 300}
SEEDS = range(3)

synth = partial(am_chirp, duration=DURATION)


def training_set() -> Float[Tensor, "K 2"]:
    """The parameters of the sounds on which encoders train."""
    return draw(am_chirp, TRAINING_SOUNDS, seed=70)


def test_sets() -> dict[str, tuple[Float[Tensor, "_ 2"], Float[Tensor, "_ N"]]]:
    """Other parameters and their sounds: without a delay, and each with its own."""
    thetas = draw(am_chirp, TEST_SOUNDS, seed=71)
    sounds = synth(thetas)
    generator = torch.Generator().manual_seed(72)
    delays = torch.randint(
        MAX_DELAY + 1, (TEST_SOUNDS,), generator=generator, device=generator.device
    )
    delayed = torch.stack([delay(x, n) for x, n in zip(sounds, delays.tolist(), strict=True)])
    return {"on time": (thetas, sounds), "late": (thetas, delayed)}


def scattering() -> JTFS:
    """The operator of chapter 5, for sounds of this chapter's length."""
    return JTFS(round(DURATION * SAMPLE_RATE), oversampling=0.5)


def criterion(name: str) -> Criterion:
    """A criterion by name, one of `LIVE_STEPS`."""
    checks.one_of("name", name, LIVE_STEPS)
    if name == "MSS":
        return SoundCriterion(synth, SpectralLoss(MSS(magnitude="both"), p=1))
    if name == "JTFS":
        return SoundCriterion(synth, SpectralLoss(scattering(), p=2))
    thetas = training_set()
    forms = torch.eye(2).expand(TRAINING_SOUNDS, 2, 2)
    if name == "JTFS, linearized":
        forms = once(quadratic_forms, synth, scattering(), thetas, n_jobs=-1)
    return QuadraticCriterion(thetas, forms)


def train_encoder(name: str, seed: int, steps: int) -> Training:
    """Train an encoder with the criterion of this name."""
    every = EVERY if name in ("MSS", "JTFS") else 5 * EVERY
    return train(
        synth,
        criterion(name),
        training_set(),
        test_sets(),
        steps=steps,
        every=every,
        max_delay=MAX_DELAY,
        seed=seed,
    )


@dataclass(frozen=True)
class TrainingRecord:
    """A training of the record: its criterion and seed, and its course, as in `Training`."""

    name: str
    seed: int
    steps: list[int]
    seconds: list[float]
    errors: dict[str, list[float]]


def record_of(name: str, seed: int, steps: int) -> TrainingRecord:
    """`train_encoder`, and what the record keeps of it."""
    done = train_encoder(name, seed, steps)
    errors = {key: [round(e, 4) for e in values] for key, values in done.errors.items()}
    return TrainingRecord(name, seed, done.steps, [round(s, 2) for s in done.seconds], errors)


def to_line(done: TrainingRecord) -> str:
    """A training as a line of JSON."""
    return json.dumps(asdict(done))


def read(file: Path = RECORD) -> tuple[dict, list[TrainingRecord]]:
    """What the record was made with, and its trainings."""
    return record.read(file, lambda line: TrainingRecord(**json.loads(line)))
