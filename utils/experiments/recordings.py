"""Synthesizers for real sounds, and the searches of chapter 8.

No grid covers six parameters. Candidates from a low-discrepancy sequence take its place; their
features are computed once, and serve every target.
"""

import functools
import itertools
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from os import PathLike

import librosa
import numpy as np
import torch
from jaxtyping import Float
from joblib import Parallel, delayed
from torch import Tensor

from ..features.compression import Root
from ..features.jtfs import JTFS
from ..features.mss import MSS
from ..parameters import Parameter, candidates, deviations, parameters
from ..recording import load
from ..search.from_grid import search_from_grid
from ..search.jacobian import features_of
from ..search.match import Match
from ..synth import delay
from . import record
from .recipe import settings

RATE, LENGTH = 2**12, 2**13  # Hz and samples: two seconds
LEAD = 0.75  # seconds
CANDIDATES, STARTS = 512, 4
TONE = (
    Parameter("final pitch", "f", "Hz", 20.0, 600.0),
    Parameter("glide", "r", "", 0.4, 2.5),
    Parameter("glide time", "\\tau", "s", 0.02, 0.5),
    Parameter("decay", "d", "s", 0.03, 1.0),
    Parameter("brightness", "h", "", 0.05, 0.8),
)
ECHO = (
    Parameter("echo period", "\\Delta", "s", 0.15, 1.0),
    Parameter("echo gain", "e", "", 0.1, 0.8),
)


@parameters(*TONE)
def bent_tone(
    theta: Float[Tensor, "*batch 5"], *, onset: float = 0.25, sample_rate: int = RATE
) -> Float[Tensor, "*batch n"]:
    r"""Two seconds of a decaying tone whose pitch glides from r f to f.

    .. math:: x(t) = e^{-t/d} \sum_{k=1}^8 h^{k-1} \sin(k \varphi(t)), \quad
        \varphi'(t) = 2\pi f \, r^{\exp(-t / \tau)}

    with t in seconds after the `onset`. Harmonics fade out towards the Nyquist frequency.
    """
    pitch, glide, time, decay, brightness = theta[..., None].unbind(-2)
    t = torch.arange(2 * sample_rate).to(theta) / sample_rate - onset
    t, sounding = t.clamp(min=0), t >= 0
    frequency = pitch * glide ** torch.exp(-t / time)
    phase = 2 * math.pi / sample_rate * (frequency * sounding).cumsum(-1)
    x = 0.0
    for k in range(1, 9):
        audible = (10 - 20 * k * frequency / sample_rate).clamp(0, 1)
        x = x + audible * brightness ** (k - 1) * torch.sin(k * phase)
    x = x * torch.exp(-t / decay)
    return x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)


@parameters(*TONE, *ECHO)
def echoed_tone(
    theta: Float[Tensor, "*batch 7"], *, onset: float = 0.25, sample_rate: int = RATE
) -> Float[Tensor, "*batch n"]:
    """`bent_tone`, and its echoes, each softer than the one before."""
    x = bent_tone(theta[..., :5], onset=onset, sample_rate=sample_rate)
    period, gain = theta[..., 5, None], theta[..., 6, None]
    frequencies = torch.fft.rfftfreq(2 * x.shape[-1], 1 / sample_rate).to(x)
    delayed = gain * torch.exp(-2j * math.pi * frequencies * period)
    spectrum = torch.fft.rfft(x, 2 * x.shape[-1]) / (1 - delayed)
    x = torch.fft.irfft(spectrum)[..., : x.shape[-1]]
    return x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)


FOLDER = record.ROOT / "book" / "recordings"
RECORD = record.RECORDS / "recordings.jsonl"
MATCHED = ("tabla_ghe3", "bd_808", "guit_e_slide")
UNSEEN = ("misc_crow", "drum_tom_mid_soft")  # opened when all of this was written
SYNTHS = dict.fromkeys((*MATCHED, *UNSEEN), bent_tone) | {"guit_e_slide": echoed_tone}
LOSSES = ("MSS", "root JTFS")
SHIFTS = (0.0, 0.125)  # seconds by which the synthesizer begins too late


@dataclass(frozen=True)
class Found:
    """The parameters that a loss found for a recording, and for the sound of these parameters."""

    recording: str
    loss: str
    shift: float
    theta: list[float]
    again: list[float]

    @property
    def key(self) -> tuple:
        return self.recording, self.loss, self.shift

    def sound(self) -> Float[Tensor, " n"]:
        """The match, from the right onset on."""
        return heard(self.recording)[1](torch.tensor(self.theta))

    def deviation(self) -> float:
        """How far off the worst parameter of the second match is."""
        declared = SYNTHS[self.recording].parameters
        again, theta = torch.tensor(self.again), torch.tensor(self.theta)
        return deviations(declared, again, theta).max().item()


def heard(name: str, shift: float = 0.0) -> tuple[Float[Tensor, " n"], Callable]:
    """A recording, and the synthesizer that is to play it, with the same onset but for a shift."""
    x = recorded(FOLDER / f"{name}.flac")
    return x, functools.partial(SYNTHS[name], onset=onset_of(x) + shift)


def recorded(path: str | PathLike) -> Float[Tensor, " n"]:
    """A file as two seconds of sound, whose onset is `LEAD` seconds into them, or later.

    JTFS continues a sound beyond the window by its mirror image. At the edge the two would meet.
    """
    x = load(path, duration=LENGTH / RATE, sample_rate=RATE)
    return delay(x, max(0, round((LEAD - onset_of(x)) * RATE)))


def onset_of(x: Float[Tensor, " n"]) -> float:
    """Seconds until a hundredth of the energy has passed."""
    return (x.square().cumsum(0) < 0.01 * x.square().sum()).sum().item() / RATE


def operator(loss: str, synth: Callable) -> Root:
    """Square roots of MSS, or of JTFS with an average over a quarter octave, to keep the pitch."""
    phi = MSS()
    if loss == "root JTFS":
        phi = JTFS(LENGTH, **settings(RATE) | {"F": 2}, oversampling=0.5)
    return Root(phi, features_of(phi, candidates(synth, 32), synth).mean().item() / 3)


def match(loss: str, synth: Callable, x: Float[Tensor, " n"]) -> Match:
    """The nearest sound of a synthesizer to a target, from candidates that fill its ranges."""
    phi, points = operator(loss, synth), candidates(synth, CANDIDATES)
    [best] = search_from_grid(synth, phi, x[None], points, STARTS, within=True)
    return best


def found(name: str, loss: str, shift: float) -> Found:
    """Match a recording, and then the match, whose parameters are known."""
    x, synth = heard(name, shift)
    theta = match(loss, synth, x).thetas[-1]
    again = match(loss, synth, heard(name)[1](theta)).thetas[-1]
    return Found(name, loss, shift, rounded(theta), rounded(again))


def rounded(theta: Float[Tensor, " P"]) -> list[float]:
    """To four digits."""
    return [float(f"{value:.4g}") for value in theta.tolist()]


def described(x: Float[Tensor, " n"]) -> dict[str, float]:
    """What one hears in a sound, in numbers that no loss has seen.

    Its spectral centroid (Hz) in the first twentieth of a second and after a quarter of one, and
    the milliseconds that 90 % of its energy take.
    """
    sound = x[round(onset_of(x) * RATE) :].numpy(force=True).astype(float)
    energy = np.cumsum(sound**2) / np.sum(sound**2)
    spans = {"at first": (0, RATE // 20), "later": (RATE // 4, RATE // 2)}
    return {
        f"spectral centroid {when} (Hz)": _centroid(sound[begin:end])
        for when, (begin, end) in spans.items()
    } | {"90% of the energy (ms)": 1000 * np.searchsorted(energy, 0.9) / RATE}


def _centroid(sound: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    return float(power @ np.fft.rfftfreq(len(sound), 1 / RATE) / power.sum())


def apart(x: Float[Tensor, " n"], y: Float[Tensor, " n"]) -> float:
    """Mean difference of mel spectrograms in decibels, down to 60 below the peak of each."""
    levels = [
        librosa.power_to_db(
            librosa.feature.melspectrogram(
                y=sound.numpy(force=True), sr=RATE, n_fft=512, hop_length=64, n_mels=40
            ),
            ref=np.max,
            top_db=60,
        )
        for sound in (x, y)
    ]
    heard = np.maximum(*levels) > -60
    return float(np.abs(levels[0] - levels[1])[heard].mean())


def write() -> None:
    """Match all recordings with both losses, and write the record."""
    jobs = [*itertools.product(MATCHED, LOSSES, SHIFTS), *itertools.product(UNSEEN, LOSSES, [0.0])]
    lines = Parallel(n_jobs=-1)(delayed(found)(*job) for job in jobs)
    record.write(RECORD, record.made_with(), [json.dumps(asdict(one)) for one in lines])


def read() -> tuple[dict, dict[tuple, Found]]:
    """What the record was made with, and what was found by recording, loss and shift."""
    made, rows = record.read(RECORD, lambda line: Found(**json.loads(line)))
    return made, {row.key: row for row in rows}
