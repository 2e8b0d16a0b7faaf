"""Figures of sounds, and of their scattering: filters, what these let through, and features."""

from collections.abc import Mapping, Sequence

import librosa
import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float, Inexact
from matplotlib.figure import Figure
from scipy.stats import binned_statistic_2d
from torch import Tensor

from ...synth import SAMPLE_RATE
from .style import BLUE, COLOURS, DASHES, MAP, layout, relative, styled

SCALOGRAM = {"sr": SAMPLE_RATE, "hop_length": 64, "fmin": 64.0, "bins_per_octave": 12}
BINS = 68  # up to 0.4 of the sample rate
BRIEF = 0.5  # of their usual length: the wavelets of a scalogram
LEVEL = {"label": "level (dB)", "format": "%+.0f"}
REACH = 1.5  # octaves on either side of the centre of a joint wavelet
OCTAVES = (128, 256, 512, 1024, 2048)  # Hz
SHARE = {"cmap": MAP, "vmin": 0, "vmax": 1}


@styled
def sounds(named: Mapping[str, Float[Tensor, " _"]]) -> Figure:
    """Each sound (N,), one a column: its waveform above its scalogram (constant-Q, librosa)."""
    size = (max(5.5, 3.6 * len(named)), 4.4)
    fig, axes = plt.subplots(
        2, len(named), figsize=size, height_ratios=(1, 2), sharex=True, sharey="row", squeeze=False
    )
    peak = max(x.abs().max().item() for x in named.values()) or 1.0
    for (wave, scale), (title, x) in zip(axes.T, named.items(), strict=True):
        samples = x.numpy(force=True)
        seconds = np.arange(len(samples)) / SAMPLE_RATE
        wave.plot(seconds, samples, color=BLUE, linewidth=0.5)
        wave.set(title=title, ylim=(-1.1 * peak, 1.1 * peak), ylabel="amplitude")
        moduli = abs(librosa.cqt(samples, n_bins=BINS, filter_scale=BRIEF, **SCALOGRAM))
        image = _image(scale, moduli, 50, y_axis="cqt_hz", **SCALOGRAM)
    fig.colorbar(image, ax=axes[1], **LEVEL)
    return fig


@styled
def spectrograms(x: Float[Tensor, " n"], n_ffts: Sequence[int]) -> Figure:
    """The magnitude spectrogram of a sound at several window lengths, one a column."""
    fig, axes = layout(len(n_ffts), 3.6, 3.2)
    for axis, n_fft in zip(axes, n_ffts, strict=True):
        kind = {"n_fft": n_fft, "hop_length": n_fft // 4}
        moduli = abs(librosa.stft(x.numpy(force=True), **kind))
        image = _image(axis, moduli, 60, sr=SAMPLE_RATE, y_axis="linear", **kind)
        axis.set(title=f"window of {1000 * n_fft / SAMPLE_RATE:.0f} ms", ylim=(0, 2000))
    fig.colorbar(image, ax=axes, **LEVEL)
    return fig


def _image(axis: plt.Axes, moduli: np.ndarray, decibels: float, **kind):
    """Draw moduli over time and frequency, in so many dB below the largest."""
    level = librosa.amplitude_to_db(moduli, ref=np.max, top_db=decibels)
    image = librosa.display.specshow(level, x_axis="time", ax=axis, cmap=MAP, **kind)
    axis.set(xlabel="time (s)", ylabel="frequency (Hz)")
    return image


@styled
def envelopes(named: Mapping[str, Float[Tensor, " _"]], seconds: tuple[float, float]) -> Figure:
    """Curves (N,) over a common time axis in seconds, each with its label; four at most."""
    fig, axis = plt.subplots(figsize=(7, 2.8))
    for (label, y), dash in zip(named.items(), DASHES, strict=False):
        axis.plot(np.linspace(*seconds, len(y)), y.numpy(force=True), dash, label=label)
    axis.set(xlabel="time (s)", ylabel="amplitude", xlim=seconds)
    return fig


@styled
def filters(named: Mapping[str, Float[Tensor, "_ _"]], sample_rate: float) -> Figure:
    """Banks of filters in the Fourier domain, each (wavelets, N), one above the other."""
    fig, axes = layout(len(named), 7, 1.9, columns=1, sharex=True, sharey=False)
    for axis, (title, bank), colour in zip(axes, named.items(), COLOURS, strict=False):
        half = bank.shape[-1] // 2
        hertz = np.arange(1, half) * sample_rate / bank.shape[-1]
        axis.plot(hertz, bank[:, 1:half].numpy(force=True).T, color=colour, linewidth=0.7)
        axis.set(title=title, xscale="log", xlim=(1, sample_rate / 2), ylabel="gain")
    axis.set_xlabel("frequency (Hz)")
    return fig


@styled
def joint_wavelets(
    named: Mapping[str, Inexact[Tensor, "_ _"]], sample_rate: float, per_octave: int
) -> Figure:
    """Real parts of wavelets (log-frequency bins, time) around their centre, one a column."""
    fig, axes = layout(len(named), 3.6, 3.2)
    for axis, (title, wavelet) in zip(axes, named.items(), strict=True):
        centred = np.fft.fftshift(wavelet.real.numpy(force=True))
        bins, samples = centred.shape
        steps = np.arange(samples) - samples // 2
        octaves = (bins // 2 - np.arange(bins)) / per_octave  # the first bin is the highest
        shown = (abs(steps) <= 0.6 * sample_rate) & (steps % 16 == 0)
        near = abs(octaves) <= REACH + 1 / per_octave  # the rest is out of sight, and takes long
        height = centred[np.ix_(near, shown)] / (abs(centred).max() or 1)
        colours = {"cmap": "PuOr", "vmin": -1, "vmax": 1, "shading": "gouraud"}
        axis.pcolormesh(steps[shown] / sample_rate, octaves[near], height, **colours)
        axis.set(title=title, xlabel="time (s)", ylabel="octaves", ylim=(-REACH, REACH))
    return fig


@styled
def maps(
    named: Mapping[str, Float[Tensor, "_ _"]], hertz: Sequence[float] | np.ndarray, duration: float
) -> Figure:
    """Maps (bins, time) over log-frequency and `duration` seconds, on one scale; two columns.

    `hertz` names the bins, from high to low, of which a map may have more than there are names.
    """
    fig, axes = layout(len(named), 4, 2.6, columns=2, sharex=True)
    peak = max(each.max().item() for each in named.values()) or 1.0
    for axis, (title, each) in zip(axes, named.items(), strict=True):
        height = each[: len(hertz)].numpy(force=True) / peak
        seconds = np.arange(each.shape[1]) * duration / each.shape[1]
        image = axis.pcolormesh(seconds, hertz[: len(each)], height, shading="nearest", **SHARE)
        axis.set(title=title, xlabel="time (s)", ylabel="frequency (Hz)")
        axis.set(yscale="log", ylim=(100, 2500))
        axis.set_yticks(OCTAVES, OCTAVES)
        axis.set_yticks([], minor=True)
    fig.colorbar(image, ax=fig.axes, label="modulus / largest", ticks=(0, 0.5, 1))
    return fig


@styled
def rate_scale(named: Mapping[str, Float[Tensor, " D"]], table: np.ndarray) -> Figure:
    """Second-order features of JTFS over rate and signed quefrency, averaged over all else.

    `table` is `JTFS.table` in Hz; each of `named` holds the features (D,) of one sound.
    """
    second = (table["order"] == 2) & (table["spin"] != 0) & (table["xi_2"] < 64)
    rates, row = np.unique(table["xi_2"][second], return_inverse=True)
    quefrencies, column = np.unique(table["xi_fr"][second].round(6), return_inverse=True)
    shape = (len(rates), len(quefrencies))
    fig, axes = layout(len(named), 4.2, 3.6)
    for axis, (title, features) in zip(axes, named.items(), strict=True):
        values = features.numpy(force=True)[second]
        mean = binned_statistic_2d(row, column, values, bins=shape).statistic
        image = axis.pcolormesh(relative(np.ma.masked_invalid(mean)), **SHARE)  # blank: no path
        axis.set_xticks(np.arange(0, shape[1], 3) + 0.5, [f"{q:.2g}" for q in quefrencies[::3]])
        axis.set_yticks(np.arange(0, shape[0], 2) + 0.5, [f"{rate:.2g}" for rate in rates[::2]])
        axis.axvline(shape[1] / 2, color="white", linewidth=1)
        axis.set(title=title, xlabel="quefrency (cycles/octave), by spin", ylabel="rate (Hz)")
    fig.colorbar(image, ax=axes, label="feature / largest", ticks=(0, 0.5, 1))
    return fig
