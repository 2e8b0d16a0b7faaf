"""The experiment of chapter 7: one encoder, one training set, and what training descends on.

Sound matching without labels, as Mitcheltree et al. (ICLR 2026) set it: chirps of two parameters,
heard as they are or with an unknown onset. They could train through all of JTFS once; here each
criterion has the same number of seeds, and a step size of its own.
"""

import functools
import itertools
import json
from collections import Counter
from dataclasses import asdict, dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .. import checks
from ..features.compression import Root
from ..features.jtfs import JTFS
from ..features.loss import SpectralLoss
from ..features.mss import MSS
from ..features.rivals import ModulationSpectrum
from ..parameters import deviations, draw
from ..search.batched import gauss_newton_all
from ..search.jacobian import quadratic_forms
from ..synth import am_chirp, delay
from . import encoder, published, record
from .cost import race
from .recipe import floor_of, settings

RECORD = record.RECORDS / "encoder.jsonl"
RATE, LENGTH = 2**12, 2**13  # Hz and samples: two seconds
MAX_DELAY = {"aligned": 0, "unaligned": RATE // 8}  # samples
SOUND = ("MSS", "MSS aligned", "root MSS", "root modulation spectrum", "JTFS", "root JTFS")
CRITERIA = ("supervised", "linearized", *SOUND[:4], "SCRAPL", *SOUND[4:])
STEP_SIZES = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
STEPS, TRIAL = 500, 150  # of a training, and of one that chooses a step size
# Steps that take at least as many seconds as `STEPS` through JTFS.
LONGER = {
    "supervised": 28000,
    "MSS": 6000,
    "MSS aligned": 6000,
    "root MSS": 6000,
    "root modulation spectrum": 12000,
}
# One bad test spoilt the trial of this step size; the one that the trials prefer ends farther off.
BETTER = {("SCRAPL", "unaligned"): 1e-3}
SEEDS, TRIAL_SEED = range(8), 100
SHOWN = 32  # test sounds whose predicted parameters are kept

synth = functools.partial(am_chirp, duration=LENGTH / RATE, sample_rate=RATE)


@functools.cache
def sounds_of(task: str, part: str) -> tuple[Float[Tensor, "K 2"], Float[Tensor, "K n"]]:
    """Parameters and sounds: of the "training" set, of the "test" set, or for a "trial"."""
    count, seed = {"training": (256, 70), "test": (64, 71), "trial": (64, 72)}[part]
    thetas = draw(am_chirp, count, seed)
    generator = torch.Generator().manual_seed(seed)
    late = torch.randint(MAX_DELAY[task] + 1, (count,), generator=generator, device="cpu")
    sounds = [delay(x, n) for x, n in zip(synth(thetas), late.tolist(), strict=True)]
    return thetas, torch.stack(sounds)


@functools.cache
def operator(name: str) -> nn.Module:
    """One of `SOUND`; of JTFS with the filters and averages that SCRAPL has by default."""
    plain = name.removeprefix("root ").removesuffix(" aligned")
    if plain == "JTFS":
        phi = JTFS(LENGTH, **settings(RATE), J_fr=3, Q_fr=2, oversampling=0.5)
    else:
        phi = MSS() if plain == "MSS" else ModulationSpectrum()
    return Root(phi, floor_of(phi, LENGTH, RATE)) if name.startswith("root ") else phi


@functools.cache
def forms(name: str) -> Float[Tensor, "256 2 2"]:
    """The quadratic form of each sound of the training set, by root JTFS or plain errors."""
    thetas, _ = sounds_of("aligned", "training")
    if name == "supervised":
        return torch.eye(2).expand(len(thetas), 2, 2)
    return quadratic_forms(synth, operator("root JTFS"), thetas)


@functools.cache
def criterion(name: str, task: str) -> encoder.Criterion:
    """What training descends on: one of `CRITERIA`, but for SCRAPL."""
    thetas, sounds = sounds_of(task, "training")
    if checks.one_of("name", name, CRITERIA) in ("supervised", "linearized"):
        return encoder.QuadraticCriterion(thetas, forms(name))
    loss = SpectralLoss(operator(name), p=1 if name.startswith("MSS") else 2)
    kind = encoder.AlignedCriterion if name == "MSS aligned" else encoder.SoundCriterion
    return kind(synth, loss, sounds)


def prepared(name: str, task: str, seed: int, step_size: float) -> tuple:
    """An encoder, its optimizer and what it descends on: Adam, but SCRAPL has its authors' own."""
    network = encoder.Encoder(synth, seed, RATE)
    if name == "SCRAPL":
        torch.manual_seed(seed)  # of its paths
        sounds = sounds_of(task, "training")[1]
        scrapl = published.ScraplCriterion(synth, sounds, network.parameters())
        return network, torch.optim.SGD(network.parameters(), lr=step_size), scrapl
    adam = torch.optim.Adam(network.parameters(), lr=step_size, eps=1e-30)
    return network, adam, criterion(name, task)


def train_encoder(
    name: str, task: str, seed: int, step_size: float, steps: int = STEPS, test: str = "test"
) -> encoder.Training:
    """Train an encoder, and test it every 25 steps."""
    parts = *prepared(name, task, seed, step_size), sounds_of(task, "training")[1]
    return encoder.train(*parts, sounds_of(task, test), steps=steps, every=25, seed=seed)


def seconds_a_step() -> dict[str, float]:
    """Seconds that a step of each criterion takes, measured side by side."""
    sounds = sounds_of("unaligned", "training")[1]
    first = torch.arange(encoder.BATCH)
    return race(
        {
            name: functools.partial(
                encoder.training_step, *prepared(name, "unaligned", 0, 1e-4), sounds, first
            )
            for name in CRITERIA
        }
    )


@dataclass(frozen=True)
class Row:
    """A training of the record; `predicted` are those of the first test sounds.

    A trial, with `TRIAL_SEED`, was tested on sounds of its own.
    """

    name: str
    task: str
    seed: int
    step_size: float
    steps: list[int]
    errors: list[float]
    predicted: list[list[float]]

    @property
    def key(self) -> tuple:
        return self.name, self.task, self.seed, self.step_size


def row(name: str, task: str, seed: int, step_size: float) -> Row:
    """Train, and keep what the record keeps."""
    trial = seed == TRIAL_SEED
    steps, test = (TRIAL, "trial") if trial else (STEPS, "test")
    done = train_encoder(name, task, seed, step_size, steps, test)
    errors = [float(f"{error:.4g}") for error in done.errors]
    shown = [] if trial else done.predicted[:SHOWN].tolist()
    predicted = [[float(f"{value:.5g}") for value in theta] for theta in shown]
    return Row(name, task, seed, step_size, done.steps, errors, predicted)


def trials(rows: list[Row], name: str, task: str) -> list[float]:
    """The step sizes yet to be tried: two to begin with, then those beside the best."""
    tried = [one.step_size for one in rows if one.key[:3] == (name, task, TRIAL_SEED)]
    if not tried:
        return [1e-3, 3e-3]
    best = STEP_SIZES.index(preferred(rows, name, task))
    return [each for each in STEP_SIZES[max(best - 1, 0) : best + 2] if each not in tried]


def step_size(rows: list[Row], name: str, task: str) -> float:
    """The step size of a criterion: the one that its trials prefer, but for one of `BETTER`."""
    return BETTER.get((name, task)) or preferred(rows, name, task)


def preferred(rows: list[Row], name: str, task: str) -> float:
    """The step size whose trial ended lowest, by the mean of its last three tests."""
    tried = [one for one in rows if one.key[:3] == (name, task, TRIAL_SEED)]
    return min(tried, key=lambda one: sum(one.errors[-3:])).step_size


def finished(rows: list[Row], name: str, task: str) -> list[Row]:
    """The trainings of a criterion on a task, with those seeds that every criterion has."""
    whole = len(CRITERIA) * len(MAX_DELAY)
    counts = Counter(one.seed for one in rows if one.seed != TRIAL_SEED)
    among = [one for one in rows if one.key[:2] == (name, task)]
    return [one for one in among if counts[one.seed] == whole]


def to_line(one: Row) -> str:
    """A training as a line of JSON."""
    return json.dumps(list(asdict(one).values()))


def read() -> tuple[dict, list[Row]]:
    """What the record was made with, and its trainings."""
    return record.read(RECORD, lambda line: Row(*json.loads(line)))


def longer(rows: list[Row]) -> dict[str, dict[str, list[float]]]:
    """By criterion and task, where each seed ends if it has as many seconds as JTFS."""
    ends = {name: {task: [] for task in MAX_DELAY} for name in LONGER}
    for name, task in itertools.product(LONGER, MAX_DELAY):
        for one in finished(rows, name, task):
            done = train_encoder(name, task, one.seed, one.step_size, LONGER[name])
            ends[name][task].append(float(f"{done.errors[-1]:.4g}"))
    return ends


def polished(rows: list[Row]) -> dict[str, list[float]]:
    """The errors of searches on root JTFS for unaligned test sounds, by what gave their start.

    That is the encoder of the first seed that was trained through root JTFS, or chance.
    """
    truths, sounds = (each[:SHOWN] for each in sounds_of("unaligned", "test"))
    guesses = torch.tensor(finished(rows, "root JTFS", "unaligned")[0].predicted)
    starts = {"encoder": guesses, "random": draw(am_chirp, SHOWN, seed=73)}
    errors = {}
    for name, each in starts.items():
        matches = gauss_newton_all(synth, operator("root JTFS"), sounds, each)
        ends = torch.stack([match.thetas[-1] for match in matches])
        worst = deviations(am_chirp.parameters, ends, truths).amax(-1).tolist()
        errors[name] = [float(f"{error:.3g}") for error in worst]
    return errors
