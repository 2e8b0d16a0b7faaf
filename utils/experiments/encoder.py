"""f_W: a small network that predicts the parameters of a synthesizer from sound, and its training.

The network sees sounds alone. The criterion decides what else training sees: `SoundCriterion`
compares sounds, so that nobody need know what made them; `QuadraticCriterion` compares parameters.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import librosa
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from .. import checks
from ..features.jtfs import product
from ..features.loss import SpectralLoss
from ..features.mss import spectrogram
from ..features.rivals import align
from ..parameters import coordinates, deviations, parameters_of
from ..search.jacobian import features_of
from ..synth import SAMPLE_RATE

BATCH = 4  # sounds in a step of training
BANDS, RATES = 32, 40  # of the picture that the network sees: mel bands, and modulations to 40 Hz
FRAME_RATE = 128  # Hz

# From predicted parameters (B, P) and the indices (B,) of the sounds that were heard to the scalar
# that training minimizes.
Criterion = Callable[[Tensor, Tensor], Tensor]


class Encoder(nn.Module):
    """From sounds (..., N) to parameters (..., P) inside the ranges of a synthesizer.

    The modulation spectrum of a mel spectrogram, which a delay hardly changes, and three linear
    layers.

    Parameters
    ----------
    synth : declares the ranges of its parameters, and their scales.
    seed : of the initial weights.
    sample_rate : Hz.
    """

    def __init__(self, synth: Callable, seed: int = 0, sample_rate: int = SAMPLE_RATE):
        super().__init__()
        ranges = torch.tensor([(one.low, one.high) for one in parameters_of(synth)])
        low, high = coordinates(synth)[0](ranges.T)
        self.synth, self.window = synth, sample_rate // 16  # samples
        self.lowest, self.width = nn.Buffer(low), nn.Buffer(high - low)
        mel = librosa.filters.mel(sr=sample_rate, n_fft=self.window, n_mels=BANDS, fmin=64.0)
        self.mel = nn.Buffer(torch.from_numpy(mel))
        sizes = BANDS * RATES, 64, 64, len(ranges)
        # The same weights on any device, and the caller's random numbers go on.
        with torch.random.fork_rng(devices=[]), torch.device("cpu"):
            torch.default_generator.manual_seed(seed)
            first, second, last = (nn.Linear(*pair) for pair in itertools.pairwise(sizes))
        self.layers = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), last)
        self.to(ranges.device)

    def modulations(self, x: Float[Tensor, "B n"]) -> Float[Tensor, "B bands rates"]:
        """How the mel spectrogram, in decibels, moves: up to 40 Hz, upwards and downwards."""
        power = product(spectrogram(x, self.window, self.window // 8).square().mT, self.mel.T).mT
        relative = (power + 1e-12) / (power.amax((-2, -1), keepdim=True) + 1e-12)
        level = standardized(relative.clamp(min=1e-6).log10())
        planes = torch.fft.rfft2(level, norm="ortho").abs()
        slow = planes[..., : round(RATES * level.shape[-1] / FRAME_RATE)]
        return standardized(nn.functional.adaptive_avg_pool1d(slow, RATES).log1p())

    def forward(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch P"]:
        """The predicted parameters, of the device and dtype of the weights."""
        sounds = checks.floating("x", x).reshape(-1, x.shape[-1]).to(self.mel)
        share = torch.sigmoid(self.layers(self.modulations(sounds).flatten(-2)))
        theta = coordinates(self.synth)[1](self.lowest + self.width * share)
        return theta.reshape(*x.shape[:-1], -1)


def standardized(planes: Float[Tensor, "B F R"]) -> Float[Tensor, "B F R"]:
    """Each with mean zero and variance one; a constant one becomes zero."""
    centred = planes - planes.mean((-2, -1), keepdim=True)
    return centred / (centred.square().mean((-2, -1), keepdim=True) + 1e-6).sqrt()


class SoundCriterion:
    """The mean loss between the sounds of the predicted parameters and those that were heard.

    It never sees a parameter. Engel et al., "DDSP", ICLR 2020.

    Parameters
    ----------
    loss : its features of all sounds (K, N) are computed once, before training.
    """

    def __init__(self, synth: Callable, loss: SpectralLoss, sounds: Float[Tensor, "K n"]):
        self.synth, self.loss, self.features = synth, loss, features_of(loss.phi, sounds)

    def __call__(
        self, predicted: Float[Tensor, "B P"], indices: Int[Tensor, " B"]
    ) -> Float[Tensor, ""]:
        return self.loss(self.synth(predicted), features=self.features[indices]).mean()


class AlignedCriterion(SoundCriterion):
    """The same, once the sound of each prediction is shifted to where it fits its target best."""

    def __init__(self, synth: Callable, loss: SpectralLoss, sounds: Float[Tensor, "K n"]):
        super().__init__(synth, loss, sounds)
        self.sounds = sounds

    def __call__(
        self, predicted: Float[Tensor, "B P"], indices: Int[Tensor, " B"]
    ) -> Float[Tensor, ""]:
        x = align(self.synth(predicted), self.sounds[indices])
        return self.loss(x, features=self.features[indices]).mean()


class QuadraticCriterion:
    """The mean of a quadratic form of the error of log-parameters: it sees the true ones.

    Parameters
    ----------
    thetas : the true parameters of all sounds.
    forms : the form at each of them; `search.jacobian.quadratic_forms` gives those of a loss. The
        identity is training on parameters alone, as if no loss of sounds were known.
    """

    def __init__(self, thetas: Float[Tensor, "K P"], forms: Float[Tensor, "K P P"]):
        self.thetas, self.forms = thetas, forms

    def __call__(
        self, predicted: Float[Tensor, "B P"], indices: Int[Tensor, " B"]
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
    steps : (S,), at which the encoder was tested; the first is 0.
    errors : (S,), the median over the test sounds of the larger error.
    predicted : (K, P), the parameters of the test sounds, at the end.
    """

    steps: list[int]
    errors: list[float]
    predicted: Float[Tensor, "K P"]


def train(
    encoder: Encoder,
    optimizer: torch.optim.Optimizer,
    criterion: Criterion,
    sounds: Float[Tensor, "K n"],
    test: tuple[Float[Tensor, "_ P"], Float[Tensor, "_ n"]],
    *,
    steps: int,
    every: int,
    seed: int = 0,
) -> Training:
    """Train an encoder on a few random sounds at a time, and test it now and then on others.

    Parameters
    ----------
    test : parameters and sounds on which no step is taken.
    every : number of steps between tests; one more follows step 1, which rounding cannot move.
    seed : of the order of the sounds.
    """
    checks.integer("steps", steps, least=1)
    checks.integer("every", every, least=1)
    checks.floating("sounds", sounds, ndim=2)
    generator = torch.Generator().manual_seed(seed)
    tested, errors = [], []
    for step in range(steps + 1):
        if step % every == 0 or step in (1, steps):
            predicted, error = _tested(encoder, *test)
            tested.append(step)
            errors.append(error)
        if step == steps:
            return Training(tested, errors, predicted)
        indices = torch.randint(len(sounds), (BATCH,), generator=generator, device="cpu")
        training_step(encoder, optimizer, criterion, sounds, indices)


def training_step(
    encoder: nn.Module,
    optimizer: torch.optim.Optimizer,
    criterion: Criterion,
    sounds: Float[Tensor, "K n"],
    indices: Int[Tensor, " B"],
) -> None:
    """Hear some of the sounds, predict their parameters, and descend on the criterion."""
    value = criterion(encoder(sounds[indices]), indices)
    if not value.isfinite():
        raise ValueError(f"criterion is {value.item()}; expected a finite number")
    optimizer.zero_grad()
    value.backward()
    optimizer.step()


def _tested(encoder: Encoder, thetas: Tensor, sounds: Tensor) -> tuple[Tensor, float]:
    """What an encoder predicts, and the median of the larger error."""
    with torch.no_grad():
        predicted = encoder(sounds)
    error = deviations(parameters_of(encoder.synth), predicted, thetas).amax(-1)
    return predicted, error.median().item()
