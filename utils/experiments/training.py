"""The experiment of chapter 7: one encoder, one set of lessons, several criteria."""

import json
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from .. import checks
from ..features.jtfs import JTFS
from ..features.loss import SpectralLoss
from ..features.mss import MSS
from ..synth import SAMPLE_RATE, am_chirp, delay, draw
from . import record
from .cache import once
from .encoder import Criterion, Quadratic, Through, Training, metrics, train

RECORD = Path(__file__).parents[2] / "book" / "records" / "encoder.jsonl"
DURATION = 2.0  # seconds
LATEST = 2**10  # samples, the longest delay
LESSONS, EXAMINED = 128, 64
EVERY = 10  # steps between examinations, where a step is slow
# Steps of each criterion on the page, and in the record. A step through JTFS takes most.
LIVE = {"supervised": 300, "JTFS, linearized": 300, "MSS": 80, "JTFS": 10}
LONGER = {"supervised": 1000, "JTFS, linearized": 1000, "MSS": 1000, "JTFS": 300}
SEEDS = range(3)

synth = partial(am_chirp, duration=DURATION)


def lessons() -> Tensor:
    """The parameters (K, 2) of the sounds on which encoders train."""
    return draw(am_chirp, LESSONS, seed=70)


def examinations() -> dict[str, tuple[Tensor, Tensor]]:
    """Other parameters and their sounds: on time, and each with a delay of its own."""
    thetas = draw(am_chirp, EXAMINED, seed=71)
    sounds = synth(thetas)
    generator = torch.Generator().manual_seed(72)
    late = torch.randint(LATEST + 1, (EXAMINED,), generator=generator, device=generator.device)
    delayed = torch.stack([delay(x, n) for x, n in zip(sounds, late.tolist(), strict=True)])
    return {"on time": (thetas, sounds), "late": (thetas, delayed)}


def scattering() -> JTFS:
    """The operator of chapter 5, for sounds of this chapter's length."""
    return JTFS(round(DURATION * SAMPLE_RATE), oversampling=0.5)


def criterion(name: str) -> Criterion:
    """A criterion by name, one of `LIVE`.

    Raises
    ------
    ValueError
        For any other name.
    """
    checks.one_of("name", name, LIVE)
    if name == "MSS":
        return Through(synth, SpectralLoss(MSS(magnitude="both"), p=1))
    if name == "JTFS":
        return Through(synth, SpectralLoss(scattering(), p=2))
    if name == "JTFS, linearized":
        return Quadratic(lessons(), once(metrics, synth, scattering(), lessons(), n_jobs=-1))
    return Quadratic(lessons(), torch.eye(2).expand(LESSONS, 2, 2))  # supervised


def teach(name: str, seed: int, steps: int) -> Training:
    """Train an encoder by a criterion of this name, so many steps.

    Raises
    ------
    TypeError, ValueError
        As `criterion` and `train` do.
    """
    checks.integer("steps", steps, least=1)
    checks.seed("seed", seed)
    every = EVERY if name in ("MSS", "JTFS") else 5 * EVERY
    return train(
        synth,
        criterion(name),
        lessons(),
        examinations(),
        steps=steps,
        every=every,
        latest=LATEST,
        seed=seed,
    )


@dataclass(frozen=True)
class Course:
    """A training of the record: its criterion and seed, and how it went, as in `Training`."""

    name: str
    seed: int
    steps: list[int]
    seconds: list[float]
    errors: dict[str, list[float]]


def course(name: str, seed: int, steps: int) -> Course:
    """`teach`, and what the record keeps of it."""
    done = teach(name, seed, steps)
    errors = {key: [round(e, 4) for e in values] for key, values in done.errors.items()}
    return Course(name, seed, done.steps, [round(s, 2) for s in done.seconds], errors)


def to_line(done: Course) -> str:
    """A training as a line of JSON."""
    return json.dumps(asdict(checks.instance("done", done, Course)))


def read(file: Path = RECORD) -> tuple[dict, list[Course]]:
    """What the record was made with, and its trainings; raises as `record.read` does."""
    return record.read(file, lambda line: Course(**json.loads(line)))
