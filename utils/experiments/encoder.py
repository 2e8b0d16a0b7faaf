"""f_W: a small network that reads the parameters of a synthesizer from sound, and its training.

The network sees sounds alone. What else training sees, its criterion says: `Through` compares
sounds, so that nobody need know what made them; `Quadratic` compares parameters.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import librosa
import torch
from torch import Tensor, nn

from .. import checks
from ..features.jtfs import product
from ..features.mss import spectrogram
from ..search.landscape import survey
from ..synth import SAMPLE_RATE, delay, parameters_of

LOWEST = 64.0  # Hz, of the mel spectrogram

# From parameters found (B, P), the sounds heard (B, N) and the places (B,) of their lessons, to
# what training lowers.
Criterion = Callable[[Tensor, Tensor, Tensor], Tensor]


class Encoder(nn.Module):
    """From sounds (..., N) to parameters (..., P) inside the ranges of a synthesizer.

    A mel spectrogram in decibels, as a picture; three convolutions with a step of two; the mean
    and the maximum over time and frequency, which do not mind a delay; two linear layers.

    Parameters
    ----------
    synth : carries the ranges of its parameters.
    seed : of the weights with which training begins.
    """

    def __init__(self, synth: Callable, seed: int = 0, sample_rate: int = SAMPLE_RATE):
        super().__init__()
        ranges = torch.tensor([(each.low, each.high) for each in parameters_of(synth)])
        seed = checks.seed("seed", seed)
        checks.real("sample_rate", sample_rate, above=2 * LOWEST, below=2**20)
        mel = librosa.filters.mel(sr=sample_rate, n_fft=512, n_mels=64, fmin=LOWEST)
        self.lowest = nn.Buffer(ranges[:, 0].log())
        self.width = nn.Buffer((ranges[:, 1] / ranges[:, 0]).log())
        self.mel = nn.Buffer(torch.as_tensor(mel, device=ranges.device))
        with _seeded(seed):
            self.layers = nn.Sequential(
                nn.Conv2d(1, 16, 5, stride=2, padding=2),
                nn.ReLU(),
                nn.Conv2d(16, 32, 5, stride=2, padding=2),
                nn.ReLU(),
                nn.Conv2d(32, 32, 5, stride=2, padding=2),
                nn.ReLU(),
            )
            self.head = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, len(ranges)))
        self.to(ranges.device)

    def picture(self, x: Tensor) -> Tensor:
        """The mel spectrogram (B, 64, frames) down to sixty decibels below its peak, standardized.

        The picture of silence is zero. Wrong input gets a TypeError or ValueError.
        """
        checks.same_device("x", checks.floating("x", x), "the encoder", self.mel)
        if x.dtype != self.mel.dtype:
            raise TypeError(f"x is of {x.dtype}; expected {self.mel.dtype}, as weights are")
        power = product(spectrogram(x, 512, 64).square().mT, self.mel.T).mT
        relative = (power + 1e-12) / (power.amax((-2, -1), keepdim=True) + 1e-12)
        level = relative.clamp(min=1e-6).log10()
        level = level - level.mean((-2, -1), keepdim=True)
        return level / (level.square().mean((-2, -1), keepdim=True) + 1e-6).sqrt()

    def forward(self, x: Tensor) -> Tensor:
        checks.floating("x", x)
        planes = self.layers(self.picture(x.reshape(-1, x.shape[-1]))[:, None])
        pooled = torch.cat([planes.mean((-2, -1)), planes.amax((-2, -1))], dim=-1)
        share = torch.sigmoid(self.head(pooled))
        return (self.lowest + self.width * share).exp().reshape(*x.shape[:-1], -1)


@contextlib.contextmanager
def _seeded(seed: int):
    """Weights made here are drawn with this seed, on any device alike; others' draws go on."""
    generator = torch.default_generator
    state = generator.get_state()
    generator.manual_seed(seed)
    try:
        with torch.device("cpu"):
            yield
    finally:
        generator.set_state(state)


class Through:
    """Through the synthesizer: the mean loss between what the parameters play and what was heard.

    It never sees a parameter. Engel et al., "DDSP", ICLR 2020.
    """

    def __init__(self, synth: Callable[[Tensor], Tensor], loss: Callable[[Tensor, Tensor], Tensor]):
        self.synth, self.loss = checks.function("synth", synth), checks.function("loss", loss)

    def __call__(self, found: Tensor, heard: Tensor, places: Tensor) -> Tensor:
        checks.floating("found", found)
        checks.same_device("found", found, "heard", checks.floating("heard", heard))
        return self.loss(self.synth(found), heard).mean()


class Quadratic:
    """A quadratic form of the error of log-parameters: it sees the true ones.

    Parameters
    ----------
    thetas : (K, P), the true parameters of the lessons.
    metrics : (K, P, P), the form at each of them; `metrics` makes those of a loss. The identity is
        training on parameters alone, as if no loss of sounds were known.
    """

    def __init__(self, thetas: Tensor, metrics: Tensor):
        checks.positive("thetas", thetas, ndim=2)
        checks.floating("metrics", metrics)
        checks.same_device("thetas", thetas, "metrics", metrics)
        if metrics.shape != (*thetas.shape, thetas.shape[-1]):
            raise ValueError(
                f"metrics has shape {tuple(metrics.shape)}; expected one square for each of thetas"
            )
        self.thetas, self.metrics = thetas, metrics

    def __call__(self, found: Tensor, heard: Tensor, places: Tensor) -> Tensor:
        checks.positive("found", found, last=self.thetas.shape[-1], ndim=2)
        checks.same_device("found", found, "thetas", self.thetas)
        if len(found) != len(places):
            raise ValueError(
                f"found has shape {tuple(found.shape)}; expected ({len(places)}, P), one a place"
            )
        if not checks.all_true(places < len(self.thetas)):
            raise ValueError(
                f"places is {places.tolist()}; expected less than {len(self.thetas)}, one a lesson"
            )
        error = (found / self.thetas[places]).log()
        # No product of matrices, which `torch.autocast` would round.
        M = self.metrics[places].to(error)
        return (error[:, :, None] * M * error[:, None]).sum((1, 2)).mean()


def metrics(synth: Callable, phi: Callable, thetas: Tensor, n_jobs: int = 1) -> Tensor:
    r"""The squared distance of features around each of some parameters (K, P): forms (K, P, P).

    With the Jacobian J of the features by log-parameters, :math:`\lVert \Phi(g(\theta e^\delta)) -
    \Phi(g(\theta)) \rVert^2 = \delta^T J^T J \delta + O(\delta^3)`. Han, Lostanlen and Lagrange,
    "Perceptual-neural-physical sound matching", ICASSP 2023. `n_jobs` as in `survey`.
    """
    checks.positive("thetas", thetas, ndim=2)
    jacobian = survey(synth, phi, thetas, n_jobs=n_jobs).jacobian * thetas[:, None]
    return jacobian.mT @ jacobian


@dataclass(frozen=True)
class Training:
    """How a training went.

    Attributes
    ----------
    encoder : as it is at the end.
    steps : (S,), when it was examined; the first is 0.
    seconds : (S,), spent on training by then, examinations excepted.
    errors : by examination, (S,): the median over its sounds of the larger relative error.
    """

    encoder: Encoder
    steps: list[int]
    seconds: list[float]
    errors: dict[str, list[float]]


def train(
    synth: Callable[[Tensor], Tensor],
    criterion: Criterion,
    lessons: Tensor,
    examinations: Mapping[str, tuple[Tensor, Tensor]],
    *,
    steps: int,
    every: int,
    latest: int,
    seed: int = 0,
    batch: int = 8,
    learning_rate: float = 2e-3,
) -> Training:
    """Train an encoder with Adam on random lessons, each with a random delay.

    Parameters
    ----------
    synth : from parameters (B, P) to sounds (B, N).
    criterion : see `Criterion`.
    lessons : (K, P), parameters whose sounds the encoder hears.
    examinations : by name, parameters (E, P) and sounds (E, N); no step is taken on them.
    steps : of Adam.
    every : so many steps the encoder is examined; and after the first, which rounding cannot move.
    latest : samples, the longest delay of a lesson.
    seed : of weights, of the order of lessons and of delays.
    batch : lessons a step.
    learning_rate : of Adam, constant, so that a longer training begins as a shorter one does.

    Raises
    ------
    TypeError, ValueError
        For a wrong type, shape or range, or a criterion that is not finite.
    """
    checks.function("synth", synth)
    checks.function("criterion", criterion)
    checks.positive("lessons", lessons, ndim=2)
    for name, value in (("steps", steps), ("every", every)):
        checks.integer(name, value, least=1)
    checks.integer("batch", batch, least=1, most=2**20)
    learning_rate = checks.real("learning_rate", learning_rate, above=0, below=1)
    seed = checks.seed("seed", seed)
    with torch.no_grad():
        length = synth(lessons[:1]).shape[-1]
    checks.integer("latest", latest, least=0, most=length - 1)
    for name, each in checks.mapping("examinations", examinations).items():
        _check_examination(f"examinations[{name!r}]", each, lessons)
    encoder = Encoder(synth, seed).to(lessons)
    adam = torch.optim.Adam(encoder.parameters(), lr=learning_rate, eps=1e-30)  # see match.py
    generator = torch.Generator().manual_seed(seed)
    done = Training(encoder, [], [], {name: [] for name in examinations})
    spent = 0.0
    for step in range(steps + 1):
        if step % every == 0 or step in (1, steps):
            _examine(done, examinations, step, spent)
        if step < steps:
            began = time.perf_counter()
            places, heard = _listen(synth, lessons, batch, latest, generator)
            value = criterion(encoder(heard), heard, places)
            if not value.isfinite():
                raise ValueError(f"criterion is {value.item()} at step {step}; expected a number")
            adam.zero_grad()
            value.backward()
            adam.step()
            spent += time.perf_counter() - began
    return done


def _check_examination(name: str, value: tuple[Tensor, Tensor], lessons: Tensor) -> None:
    """Whether `value` is parameters and as many sounds, of the type and device of the lessons."""
    thetas, sounds = checks.items(name, value, count=2)
    checks.positive(name, thetas, last=lessons.shape[-1], ndim=2)
    checks.floating(name, sounds, ndim=2)
    if len(thetas) != len(sounds):
        raise ValueError(
            f"{name} has shapes {tuple(thetas.shape)} and {tuple(sounds.shape)}; expected as many "
            "sounds as parameters"
        )
    for each in (thetas, sounds):
        if (each.dtype, each.device) != (lessons.dtype, lessons.device):
            raise ValueError(
                f"{name} holds {each.dtype} on {each.device}; expected {lessons.dtype} on "
                f"{lessons.device}, as lessons are"
            )


def _listen(
    synth: Callable, lessons: Tensor, batch: int, latest: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Places (B,) of random lessons and their sounds (B, N), each with a random delay."""
    home = generator.device
    places = torch.randint(len(lessons), (batch,), generator=generator, device=home)
    late = torch.randint(latest + 1, (batch,), generator=generator, device=home).tolist()
    places = places.to(lessons.device)
    with torch.no_grad():
        sounds = synth(lessons[places])
    return places, torch.stack([delay(x, samples) for x, samples in zip(sounds, late, strict=True)])


def _examine(done: Training, examinations: Mapping, step: int, spent: float) -> None:
    """Add a line to the record of a training."""
    done.steps.append(step)
    done.seconds.append(spent)
    for name, (thetas, sounds) in examinations.items():
        with torch.no_grad():
            error = (done.encoder(sounds) / thetas - 1).abs().amax(-1)
        done.errors[name].append(error.median().item())
