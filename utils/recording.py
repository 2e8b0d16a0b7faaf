"""A recording of one's own, as a sound of the book."""

from collections.abc import Iterable, Iterator
from itertools import chain
from os import PathLike
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch
from jaxtyping import Float
from torch import Tensor

from . import checks
from .synth import SAMPLE_RATE, samples_of

SHORTEST = 0.05  # seconds; less is a click, or a header that is wrong
MOST_HERTZ = 2**19  # more than any file has; soxr hangs where it must raise a rate further
EDGE = 128  # samples on either side that the filter of soxr blends into a sample


def load(
    path: str | PathLike, *, duration: float = 4.0, sample_rate: int = SAMPLE_RATE
) -> Float[Tensor, " n"]:
    """A sound file as a sound (N,) of unit energy, with N = round(duration * sample_rate).

    Channels are averaged. The rate becomes `sample_rate`, by soxr; what lies above its Nyquist
    frequency is lost. Of a longer file, the part of most energy is kept; a shorter one stands in
    the middle, between silence. Silence stays silence. Memory grows with `duration`, not the file.

    Parameters
    ----------
    path : a WAV, FLAC, OGG, MP3 or AIFF file of any rate, length and number of channels.
    duration : seconds.
    sample_rate : Hz.
    """
    checks.integer("sample_rate", sample_rate, least=1, most=MOST_HERTZ)
    length = samples_of(duration, sample_rate)
    rate, peak = _examined(path, duration)
    lower = min(rate, sample_rate)  # raised only once the part to keep is known
    stream = soxr.ResampleStream(rate, lower, 1, dtype="float64")
    chunks = (
        stream.resample_chunk((block / peak).mean(axis=1), last=len(block) == 0)
        for block, _ in _blocks(path, duration)
    )
    part = _strongest(chunks, max(1, round(duration * lower)))
    x = np.pad(soxr.resample(part, lower, sample_rate), length)
    x = x[(len(x) - length + 1) // 2 :][:length]  # the middle
    x = torch.from_numpy(x / (np.linalg.norm(x) or 1))
    return x.to(device=torch.get_default_device(), dtype=torch.get_default_dtype())


def _examined(path: str | PathLike, duration: float) -> tuple[int, float]:
    """The rate of a file and the size of its largest sample; an error if it is no sound."""
    size, peak = 0, 0.0
    for block, hertz in _blocks(path, duration):
        size, peak, rate = size + len(block), np.abs(block).max(initial=peak), hertz
    if size < SHORTEST * rate:
        raise ValueError(
            f"path is {str(path)!r}, which holds {size} samples at {rate} Hz; expected "
            f"{SHORTEST} seconds or more"
        )
    if not np.isfinite(peak):
        raise ValueError(f"path is {str(path)!r}, with NaN or infinite samples; expected finite")
    return rate, peak or 1.0


def _blocks(path: str | PathLike, duration: float) -> Iterator[tuple[np.ndarray, int]]:
    """Samples (n, channels) of a file and their rate, about a window at a time; at last none."""
    if not isinstance(path, str | PathLike) or not Path(path).is_file():
        raise ValueError(f"path is {str(path)!r}; expected the path of a file that exists")
    try:
        with soundfile.SoundFile(path) as file:
            file.seekable = lambda: False  # else it seeks, and fails where a FLAC's end is unknown
            frames = int(np.clip(duration * file.samplerate, 2**18, 2**26)) // file.channels
            while True:
                yield (block := file.read(frames, always_2d=True)), file.samplerate
                if len(block) == 0:
                    return
    except (soundfile.LibsndfileError, TypeError) as error:  # the latter of a file named *.raw
        raise ValueError(
            f"path is {str(path)!r}, which cannot be read as audio "
            f"({getattr(error, 'error_string', error)}); expected a WAV, FLAC, OGG, MP3 or AIFF "
            "file; convert others first, for example with `ffmpeg -i sound.m4a sound.wav`"
        ) from error


def _strongest(chunks: Iterable[np.ndarray], length: int) -> np.ndarray:
    """The `length` samples that have most energy, or all if fewer, amid EDGE more on each side."""
    kept, best, most = np.zeros(EDGE), None, -1.0
    for chunk in chain(chunks, [np.zeros(EDGE)]):
        kept = np.concatenate([kept, chunk])
        energy = np.cumsum(np.pad(kept[EDGE:-EDGE], (1, 0)) ** 2)
        windows = energy[length:] - energy[:-length]
        if windows.max(initial=most) > most:
            start = windows.argmax()
            best, most = kept[start : start + length + 2 * EDGE].copy(), windows[start]
        kept = kept[len(windows) :]
    return kept if best is None else best
