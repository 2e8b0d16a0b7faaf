"""A recording of one's own, as a sound of the book."""

from os import PathLike

import librosa
import numpy as np
import soundfile
import torch
from torch import Tensor

from utils import checks
from utils.synth import SAMPLE_RATE, samples_of

SHORTEST = 0.05  # seconds
MOST_HERTZ = 2**20  # several times what any file has


def load(path: str | PathLike, *, duration: float = 4.0, sample_rate: int = SAMPLE_RATE) -> Tensor:
    """A sound file as a sound (N,) of unit energy, with N = round(duration * sample_rate).

    Channels are averaged. The rate becomes `sample_rate`, by librosa; what lies above its Nyquist
    frequency is lost. Of a longer file, the part of most energy is kept; a shorter one stands in
    the middle, between silence. Silence stays silence.

    Parameters
    ----------
    path : a WAV, FLAC, OGG or MP3 file of any rate, length and number of channels.
    duration : seconds.
    sample_rate : Hz.

    Raises
    ------
    TypeError, ValueError
        If there is no such file, it is no audio, holds no samples, fewer than a twentieth of a
        second of them, or values that are not finite.
    """
    checks.integer("sample_rate", sample_rate, least=1, most=MOST_HERTZ)
    length = samples_of(duration, sample_rate)
    samples, rate = _read(path)
    if len(samples) < SHORTEST * rate:
        raise ValueError(
            f"path is {str(path)!r}, which holds {len(samples)} samples at {rate} Hz; expected "
            f"{SHORTEST} seconds or more"
        )
    if not np.isfinite(samples).all():
        raise ValueError(f"path is {str(path)!r}, with NaN or infinite samples; expected finite")
    mono = librosa.resample(samples.mean(axis=1), orig_sr=rate, target_sr=sample_rate)
    x = torch.from_numpy(_framed(mono, length))
    x = x.to(device=torch.get_default_device(), dtype=torch.get_default_dtype())
    norm = x.norm()
    return x / norm if norm > 0 else x


def _read(path: str | PathLike) -> tuple[np.ndarray, int]:
    """Samples (N, channels) of a file, and their rate."""
    checks.file("path", path)
    try:
        return soundfile.read(path, dtype="float64", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(
            f"path is {str(path)!r}, which cannot be read as audio ({error.error_string}); "
            "expected a WAV, FLAC, OGG or MP3 file"
        ) from error


def _framed(x: np.ndarray, length: int) -> np.ndarray:
    """The part of a sound that has most energy, or the sound between silence, (length,)."""
    if len(x) <= length:
        before = (length - len(x)) // 2
        return np.pad(x, (before, length - len(x) - before))
    energy = np.concatenate([[0.0], np.cumsum(x**2)])
    start = int(np.argmax(energy[length:] - energy[:-length]))
    return x[start : start + length]
