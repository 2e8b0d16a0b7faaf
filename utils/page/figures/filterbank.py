"""Figures of scattering: its filters, what they let through, and its features."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Inexact
from matplotlib.figure import Figure
from torch import Tensor

from ...synth import SAMPLE_RATE
from .style import COLOURS, MAP, layout, relative, styled

REACH = 1.5  # octaves on either side of the centre of a joint wavelet
OCTAVES = (128, 256, 512, 1024, 2048)  # Hz
SHARE = {"cmap": MAP, "vmin": 0, "vmax": 1}


@styled
def filters(named: Mapping[str, Float[Tensor, "_ _"]], sample_rate: float = SAMPLE_RATE) -> Figure:
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
    fig, axes = layout(len(named), 4.2, 3.6)
    for axis, (title, features) in zip(axes, named.items(), strict=True):
        total = np.zeros((len(rates), len(quefrencies)))
        counts = np.zeros_like(total)
        np.add.at(total, (row, column), features.numpy(force=True)[second])
        np.add.at(counts, (row, column), 1)
        mean = total / np.ma.masked_equal(counts, 0)  # blank where the table has no path
        image = axis.pcolormesh(relative(mean), **SHARE)
        across, up = range(0, len(quefrencies), 3), range(0, len(rates), 2)
        axis.set_xticks([k + 0.5 for k in across], [f"{quefrencies[k]:.2g}" for k in across])
        axis.set_yticks([k + 0.5 for k in up], [f"{rates[k]:.2g}" for k in up])
        axis.axvline(len(quefrencies) / 2, color="white", linewidth=1)
        axis.set(title=title, xlabel="quefrency (cycles/octave), by spin", ylabel="rate (Hz)")
    fig.colorbar(image, ax=axes, label="feature / largest", ticks=(0, 0.5, 1))
    return fig
