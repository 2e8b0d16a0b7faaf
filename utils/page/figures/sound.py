"""Figures of sounds: waveforms, scalograms, spectrograms, envelopes."""

from collections.abc import Mapping, Sequence

import librosa
import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from ...synth import SAMPLE_RATE
from . import style

SCALOGRAM = {"hop_length": 64, "fmin": 64.0, "bins_per_octave": 12}  # samples, Hz
BRIEF = 0.5  # of their usual length: the wavelets of a scalogram
LABELS = {"xlabel": "time (s)", "ylabel": "frequency (Hz)"}
LEVEL = {"label": "level (dB)", "format": "%+.0f"}


@style.styled
def sounds(named: Mapping[str, Float[Tensor, " _"]], sample_rate: float = SAMPLE_RATE) -> Figure:
    """Each sound (N,), one a column: its waveform above its scalogram (constant-Q, librosa)."""
    size = (max(5.5, 3.6 * len(named)), 4.4)
    fig, axes = plt.subplots(
        2, len(named), figsize=size, height_ratios=(1, 2), sharex=True, sharey="row", squeeze=False
    )
    peak = max(x.abs().max().item() for x in named.values()) or 1.0
    for (wave, scale), (title, x) in zip(axes.T, named.items(), strict=True):
        samples = x.numpy(force=True)
        seconds = np.arange(len(samples)) / sample_rate
        wave.plot(seconds, samples, color=style.BLUE, linewidth=0.5)
        wave.set(title=title, ylim=(-1.1 * peak, 1.1 * peak), ylabel="amplitude")
        bins = int(SCALOGRAM["bins_per_octave"] * np.log2(0.4 * sample_rate / SCALOGRAM["fmin"]))
        kind = SCALOGRAM | {"sr": sample_rate}
        moduli = abs(librosa.cqt(samples, n_bins=bins, filter_scale=BRIEF, **kind))
        image = _image(scale, moduli, 50, y_axis="cqt_hz", **kind)
    fig.colorbar(image, ax=axes[1], **LEVEL)
    return fig


@style.styled
def spectrograms(
    x: Float[Tensor, " n"], n_ffts: Sequence[int], sample_rate: float = SAMPLE_RATE
) -> Figure:
    """The magnitude spectrogram of a sound at several window lengths, one a column."""
    fig, axes = style.layout(len(n_ffts), 3.6, 3.2)
    for axis, n_fft in zip(axes, n_ffts, strict=True):
        kind = {"n_fft": n_fft, "hop_length": n_fft // 4}
        moduli = abs(librosa.stft(x.numpy(force=True), **kind))
        image = _image(axis, moduli, 60, sr=sample_rate, y_axis="linear", **kind)
        axis.set(title=f"window of {1000 * n_fft / sample_rate:.0f} ms", ylim=(0, 2000))
    fig.colorbar(image, ax=axes, **LEVEL)
    return fig


def _image(axis: plt.Axes, moduli: np.ndarray, decibels: float, **kind):
    """Draw moduli over time and frequency, in so many dB below the largest."""
    level = librosa.amplitude_to_db(moduli, ref=np.max, top_db=decibels)
    image = librosa.display.specshow(level, x_axis="time", ax=axis, cmap=style.MAP, **kind)
    axis.set(**LABELS)
    return image


@style.styled
def envelopes(named: Mapping[str, Float[Tensor, " _"]], seconds: tuple[float, float]) -> Figure:
    """Curves (N,) over a common time axis in seconds, each with its label; four at most."""
    fig, axis = plt.subplots(figsize=(7, 2.8))
    for (label, y), dash in zip(named.items(), style.DASHES, strict=False):
        axis.plot(np.linspace(*seconds, len(y)), y.numpy(force=True), dash, label=label)
    axis.set(xlabel="time (s)", ylabel="amplitude", xlim=seconds)
    fig.legend(loc=style.LEGEND)
    return fig
