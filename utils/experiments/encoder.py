"""f_W: a small network that predicts the parameters of a synthesizer from sound, and its training.

The network sees sounds alone. The criterion decides what else training sees: `sound_criterion`
compares sounds, so that nobody need know what made them; `QuadraticCriterion` compares parameters.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import librosa
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from .. import checks
from ..features.jtfs import product
from ..features.mss import spectrogram
from ..parameters import coordinates, deviations, parameters_of
from ..synth import SAMPLE_RATE, delay

BATCH = 8  # sounds in a step of training

# From predicted parameters (B, P), the input audio (B, N) and the indices (B,) of its examples in
# the training set, to the scalar that training minimizes.
Criterion = Callable[[Tensor, Tensor, Tensor], Tensor]


class Encoder(nn.Module):
    """From sounds (..., N) to parameters (..., P) inside the ranges of a synthesizer.

    A mel spectrogram in decibels, as a picture; three convolutions with a stride of two; the mean
    and the maximum over time and frequency, which a delay hardly changes; two linear layers.

    Parameters
    ----------
    synth : declares the ranges of its parameters, and their scales.
    seed : of the initial weights.
    """

    def __init__(self, synth: Callable, seed: int = 0):
        super().__init__()
        ranges = torch.tensor([(one.low, one.high) for one in parameters_of(synth)])
        low, high = coordinates(synth)[0](ranges.T)
        self.synth = synth
        self.lowest, self.width = nn.Buffer(low), nn.Buffer(high - low)
        mel = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=512, n_mels=64, fmin=64.0)
        self.mel = nn.Buffer(torch.from_numpy(mel))
        # The same weights on any device, and the caller's random numbers go on.
        with torch.random.fork_rng(devices=[]), torch.device("cpu"):
            torch.default_generator.manual_seed(seed)
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

    def log_mel(self, x: Float[Tensor, "B N"]) -> Float[Tensor, "B 64 frames"]:
        """The mel spectrogram down to sixty decibels below its peak, standardized.

        That of silence is zero.
        """
        power = product(spectrogram(x, 512, 64).square().mT, self.mel.T).mT
        relative = (power + 1e-12) / (power.amax((-2, -1), keepdim=True) + 1e-12)
        level = relative.clamp(min=1e-6).log10()
        level = level - level.mean((-2, -1), keepdim=True)
        return level / (level.square().mean((-2, -1), keepdim=True) + 1e-6).sqrt()

    def forward(self, x: Float[Tensor, "*batch N"]) -> Float[Tensor, "*batch P"]:
        """The predicted parameters, of the device and dtype of the weights."""
        sounds = checks.floating("x", x).reshape(-1, x.shape[-1]).to(self.mel)
        planes = self.layers(self.log_mel(sounds)[:, None])
        pooled = torch.cat([planes.mean((-2, -1)), planes.amax((-2, -1))], dim=-1)
        z = self.lowest + self.width * torch.sigmoid(self.head(pooled))
        return coordinates(self.synth)[1](z).reshape(*x.shape[:-1], -1)


def sound_criterion(synth: Callable, loss: Callable) -> Criterion:
    """The mean loss between the sounds of the predicted parameters and the input audio.

    It never sees a parameter. Engel et al., "DDSP", ICLR 2020.
    """
    return lambda predicted, audio, indices: loss(synth(predicted), audio).mean()


class QuadraticCriterion:
    """The mean of a quadratic form of the error of log-parameters: it sees the true ones.

    Parameters
    ----------
    thetas : the true parameters of the training set.
    forms : the form at each of them; `search.jacobian.quadratic_forms` gives those of a loss. The
        identity is training on parameters alone, as if no loss of sounds were known.
    """

    def __init__(self, thetas: Float[Tensor, "K P"], forms: Float[Tensor, "K P P"]):
        self.thetas, self.forms = thetas, forms

    def __call__(
        self,
        predicted: Float[Tensor, "B P"],
        audio: Tensor | None,
        indices: Int[Tensor, " B"],
    ) -> Float[Tensor, ""]:
        error = (predicted / self.thetas[indices]).log()
        # No product of matrices, which `torch.autocast` would round.
        M = self.forms[indices].to(error)
        return (error[:, :, None] * M * error[:, None]).sum((1, 2)).mean()


@dataclass(frozen=True)
class Training:
    """The course of a training.

    Attributes
    ----------
    encoder : as it is at the end.
    steps : (S,), at which it was tested; the first is 0.
    seconds : (S,), spent on training by then, tests excepted.
    errors : by test set, (S,): the median over its sounds of the larger error.
    """

    encoder: Encoder
    steps: list[int]
    seconds: list[float]
    errors: dict[str, list[float]]


def train(
    synth: Callable,
    criterion: Criterion,
    training_set: Float[Tensor, "K P"],
    test_sets: Mapping[str, tuple[Float[Tensor, "_ P"], Float[Tensor, "_ N"]]],
    *,
    steps: int,
    every: int,
    max_delay: int,
    seed: int = 0,
) -> Training:
    """Train an encoder with Adam on random sounds of a training set, each with a random delay.

    The step size is constant, so that a longer training begins as a shorter one does.

    Parameters
    ----------
    training_set : parameters whose sounds, delayed by up to `max_delay` samples, are the input.
    test_sets : by name, parameters and sounds; no step is taken on them.
    every : number of steps between tests; one more follows step 1, which rounding cannot move.
    seed : of weights, of the order of examples and of delays.
    """
    checks.integer("steps", steps, least=1)
    checks.integer("every", every, least=1)
    checks.integer("max_delay", max_delay, least=0)
    checks.floating("training_set", training_set, ndim=2)
    encoder = Encoder(synth, seed).to(training_set)
    adam = torch.optim.Adam(encoder.parameters(), lr=2e-3, eps=1e-30)  # as first order
    generator = torch.Generator().manual_seed(seed)
    done = Training(encoder, [], [], {name: [] for name in test_sets})
    spent = 0.0
    for step in range(steps + 1):
        if step % every == 0 or step in (1, steps):
            _test(done, test_sets, step, spent)
        if step < steps:
            began = time.perf_counter()
            indices = torch.randint(len(training_set), (BATCH,), generator=generator, device="cpu")
            with torch.no_grad():
                audio = delay_at_random(synth(training_set[indices]), max_delay, generator)
            value = criterion(encoder(audio), audio, indices)
            if not value.isfinite():
                raise ValueError(f"criterion is {value.item()} at step {step}; expected a number")
            adam.zero_grad()
            value.backward()
            adam.step()
            spent += time.perf_counter() - began
    return done


def delay_at_random(
    sounds: Float[Tensor, "B N"], max_delay: int, generator: torch.Generator
) -> Float[Tensor, "B N"]:
    """Sounds, each delayed by a random number of samples, up to `max_delay`."""
    delays = torch.randint(max_delay + 1, sounds.shape[:1], generator=generator, device="cpu")
    return torch.stack([delay(x, n) for x, n in zip(sounds, delays.tolist(), strict=True)])


def _test(done: Training, test_sets: Mapping, step: int, spent: float) -> None:
    """Add a test to the course of a training."""
    done.steps.append(step)
    done.seconds.append(spent)
    for name, (thetas, sounds) in test_sets.items():
        with torch.no_grad():
            predicted = done.encoder(sounds)
        error = deviations(parameters_of(done.encoder.synth), predicted, thetas).amax(-1)
        done.errors[name].append(error.median().item())
