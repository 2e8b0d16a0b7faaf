"""Figures, in one style. Each function that draws returns a Matplotlib figure for `show.figure`.

A loss surface shows the first two parameters of a synthesizer on their scales, and holds others at
the grid point next to the truth.
"""

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import librosa
import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Float, Inexact
from matplotlib.axis import Axis
from matplotlib.colors import ListedColormap
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from scipy.stats import binned_statistic_2d
from torch import Tensor, nn

from ..experiments.statistics import wilson
from ..parameters import coordinates, parameters_of
from ..search.landscape import local_minima
from ..search.match import Match
from ..synth import SAMPLE_RATE

OPERATORS = Path(__file__).with_name("operators.svg")  # of DDSP, for `show.drawing`
# Okabe and Ito's colours, told apart by all common kinds of colour vision.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE)
DASHES = ("-", "--", ":", "-.")
MARKERS = "osD^vX"
MAP = "cividis"
# Without its pale end, on which white arrows and paths would be lost.
SURFACE_MAP = ListedColormap(plt.get_cmap(MAP)(np.linspace(0, 0.75, 256)))
EVEN = {"log": np.geomspace, "linear": np.linspace}
LIMIT = {"color": "black", "linestyle": "--", "linewidth": 1}
STYLE = {
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": plt.cycler(color=(*COLOURS, "black")),
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
SCALOGRAM = {"sr": SAMPLE_RATE, "hop_length": 64, "fmin": 64.0, "bins_per_octave": 12}
LEVEL = {"label": "level (dB)", "format": "%+.0f"}
REACH = 1.5  # octaves on either side of the centre of a joint wavelet
SHARE = {"cmap": MAP, "vmin": 0, "vmax": 1}
ERROR = "larger parameter error (%)"
Count = tuple[int, int]  # successes, trials


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorate a figure function with the book's style, without touching the reader's own.

    Of panels that share an axis, only the outer ones are labelled. What has a label gets into a
    legend, on the right unless the function makes its own.
    """

    @functools.wraps(draw)
    def inner(*args, **kwargs) -> Figure:
        with plt.rc_context(STYLE):
            fig = draw(*args, **kwargs)
            if not fig.legends and any(axis.get_legend_handles_labels()[1] for axis in fig.axes):
                fig.legend(loc="outside right upper")
        for axis in fig.axes:
            axis.label_outer()
        return fig

    return inner


def layout(
    count: int, width: float, height: float, columns: int = 0, **shared: bool
) -> tuple[Figure, list[plt.Axes]]:
    """A figure of so many panels, each of this size, in one row unless `columns` is given."""
    columns = columns or count
    rows = -(-count // columns)
    options = {"sharey": True, "squeeze": False, "figsize": (width * columns, height * rows)}
    fig, axes = plt.subplots(rows, columns, **options | shared)
    for axis in axes.flat[count:]:
        axis.set_visible(False)
    return fig, list(axes.flat[:count])


def relative(values: np.ndarray) -> np.ndarray:
    """Values divided by the largest; where all are zero, they stay zero."""
    return values / (values.max() or 1)


def set_ticks(line: Axis, ticks: Sequence[float] | np.ndarray) -> None:
    """Label an axis at these values alone, whatever its scale."""
    line.set_ticks(ticks, [f"{tick:.2g}" if abs(tick) < 99.5 else f"{tick:.0f}" for tick in ticks])
    line.set_ticks([], minor=True)


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
        wave.plot(np.arange(len(samples)) / SAMPLE_RATE, samples, color=BLUE, linewidth=0.5)
        wave.set(title=title, ylim=(-1.1 * peak, 1.1 * peak), ylabel="amplitude")
        # Bins up to 0.4 of the sample rate, by wavelets of half the usual length.
        moduli = abs(librosa.cqt(samples, n_bins=68, filter_scale=0.5, **SCALOGRAM))
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
        axis.set(title=title, xlabel="time (s)", ylabel="frequency (Hz)", yscale="log")
        axis.set_ylim(100, 2500)
        set_ticks(axis.yaxis, (128, 256, 512, 1024, 2048))
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


@styled
def surfaces(
    grid: Float[Tensor, "*grid P"],
    synth: Callable,
    named: Mapping[str, tuple[Float[Tensor, "*grid"], Float[Tensor, "*grid P"]]],
    theta: Float[Tensor, " P"],
    paths: Mapping[str, Sequence[Match]] | None = None,
) -> Figure:
    """Loss surfaces side by side, with arrows of descent, or with paths instead.

    `named` holds by title what `Atlas.surface` returns, `paths` by the same titles descents. The
    truth `theta` is a star, and minima on the grid are circles.
    """
    plane = _plane(grid, synth, theta)
    columns = 2 if len(named) == 4 else len(named)
    fig, axes = layout(len(named), max(4, 5 / columns), 3.8, columns=columns, sharex=True)
    grid = grid[plane][..., :2]
    for axis, (title, (loss, gradient)) in zip(axes, named.items(), strict=True):
        image = _surface(axis, synth, theta, grid, loss[plane])
        axis.set_title(title)
        if paths is None:
            way = -nn.functional.normalize(gradient[plane][..., :2], dim=-1, eps=1e-30)
            arrows = [each.numpy(force=True) for each in (*grid.unbind(-1), *way.unbind(-1))]
            axis.quiver(*arrows, color="white", scale=22)
        for match in (paths or {}).get(title, ()):
            walk = match.thetas[:, :2].numpy(force=True)
            axis.plot(*walk.T, color="white", linewidth=1)
            axis.plot(*walk[0], "s", color="white", markersize=4)
            axis.plot(*walk[-1], "X", color=ORANGE, markersize=7, markeredgecolor="black")
    fig.colorbar(image, ax=axes, label="loss / its maximum", ticks=(0, 0.5, 1))
    return fig


@styled
def landscapes(
    grid: Float[Tensor, "*grid P"],
    synth: Callable,
    named: Mapping[str, Float[Tensor, "*grid"]],
    theta: Float[Tensor, " P"],
) -> Figure:
    """Losses over one grid, each between its extremes; the truth is a star, minima are circles."""
    plane = _plane(grid, synth, theta)
    fig, axes = layout(len(named), 2.5, 2.3, columns=4, sharex=True)
    for axis, (title, loss) in zip(axes, named.items(), strict=True):
        _surface(axis, synth, theta, grid[plane][..., :2], loss[plane] - loss[plane].min())
        axis.set_title(title, fontsize=10)
    return fig


def _plane(grid: Tensor, synth: Callable, theta: Tensor) -> tuple:
    """The index of the part of a grid on which only the first two parameters vary."""
    to_z, _ = coordinates(synth)
    away = (to_z(grid) - to_z(theta)).abs().sum(-1)
    nearest = torch.unravel_index(away.argmin(), away.shape)
    return (slice(None), slice(None), *nearest[2:])


def _surface(
    axis: plt.Axes, synth: Callable, theta: Tensor, grid: Tensor, height: Tensor
) -> ContourSet:
    """Fill a panel with heights over a grid (A, B, 2), and name its axes by the parameters."""
    rings = {"markerfacecolor": "none", "markeredgecolor": ORANGE, "markeredgewidth": 2}
    lowest, points = local_minima(height).numpy(force=True), grid.numpy(force=True)
    axis.plot(*points[lowest].T, "o", markersize=10, zorder=3, **rings)
    axis.plot(*theta[:2].tolist(), "*", markersize=15, zorder=3, color=RED, mec="white")
    across, up = parameters_of(synth)[:2]
    axis.set(xscale=across.scale, yscale=up.scale)
    axis.axis((across.low, across.high, up.low, up.high))
    for line, each in ((axis.xaxis, across), (axis.yaxis, up)):
        set_ticks(line, EVEN[each.scale](each.low, each.high, 5))
        line.set_label_text(f"{each.name} ${each.symbol}$ ({each.unit})")
    levels, height = np.linspace(0, 1, 21), relative(height.numpy(force=True))
    return axis.contourf(*points.transpose(2, 0, 1), height, levels=levels, cmap=SURFACE_MAP)


@styled
def slices(
    values: Float[Tensor, " V"],
    named: Mapping[str, Float[Tensor, " V"]],
    truth: float,
    label: str,
    scale: str = "log",
) -> Figure:
    """Losses along one parameter, each divided by its maximum; minima are dots.

    `values` is the parameter, in order, `label` its name with unit, `scale` that of its axis.
    """
    across = values.numpy(force=True)
    fig, axis = plt.subplots(figsize=(7, 3.2))
    for name, loss in named.items():
        height = relative(loss.numpy(force=True))
        (line,) = axis.plot(across, height, label=name)
        lowest = local_minima(loss).numpy(force=True)
        axis.plot(across[lowest], height[lowest], "o", color=line.get_color())
    axis.axvline(truth, label="truth", **LIMIT)
    axis.set(xscale=scale, xlabel=label, ylabel="loss / its maximum", ylim=(0, 1.05))
    set_ticks(axis.xaxis, EVEN[scale](across[0], across[-1], 5))
    return fig


@styled
def curves(
    x: Sequence[float] | Tensor, named: Mapping[str, Sequence[float]], across: str, up: str
) -> Figure:
    """Curves over `x` on logarithmic axes, which `across` and `up` name; six at most."""
    fig, axis = plt.subplots(figsize=(7, 3.4))
    x = [float(value) for value in x]
    for (label, y), marker in zip(named.items(), MARKERS, strict=False):
        axis.plot(x, y, marker + "-", label=label, markersize=5)
    axis.set(xlabel=across, ylabel=up, xscale="log", yscale="log")
    set_ticks(axis.xaxis, x)
    return fig


@styled
def errors(named: Mapping[str, Sequence[Float[Tensor, " _"]]], threshold: float) -> Figure:
    """The larger relative error against step, one column for each group of descents."""
    fig, axes = layout(len(named), 3.8, 3.2)
    for axis, (title, group), colour in zip(axes, named.items(), COLOURS, strict=False):
        for curve in group:
            axis.semilogy(_percent(curve), color=colour, linewidth=0.8)
        axis.axhline(100 * threshold, **LIMIT)
        axis.set(title=title, xlabel="step", ylabel=ERROR, ylim=(0.02, 800))
    return fig


@styled
def spread(
    named: Mapping[str, Float[Tensor, "groups trials"]],
    groups: Sequence[str],
    across: str,
    threshold: float,
) -> Figure:
    """Errors of each series by group, one dot a trial, with a line through the medians."""
    fig, axis = plt.subplots(figsize=(7, 3.6))
    for k, (name, series) in enumerate(named.items()):
        where = np.arange(len(groups)) + 0.1 * (k - (len(named) - 1) / 2)
        percent, look = _percent(series), {"color": COLOURS[k], "marker": MARKERS[k]}
        axis.plot(where, percent, alpha=0.35, markersize=4, linestyle="none", **look)
        axis.plot(where, np.median(percent, axis=1), label=name, **look)
    axis.axhline(100 * threshold, **LIMIT)
    axis.set(xlabel=across, ylabel=ERROR, yscale="log")
    axis.set_xticks(range(len(groups)), groups)
    return fig


def _percent(errors: Tensor) -> np.ndarray:
    return 100 * errors.numpy(force=True).clip(1e-4)  # a logarithmic axis has no zero


@styled
def rates(named: Mapping[str, Sequence[Count]], groups: Sequence[str], label: str) -> Figure:
    """Success rates with 95 % Wilson intervals, by series and group."""
    fig, axis = plt.subplots(figsize=(7, 3.2))
    for k, (name, counts) in enumerate(named.items()):
        where = np.arange(len(groups)) + 0.12 * (k - (len(named) - 1) / 2)
        axis.errorbar(where, *_percent_of(counts), fmt=MARKERS[k], capsize=3, label=name)
    axis.set(xlabel=label, ylabel="success (%)", ylim=(-4, 104))
    axis.set_xticks(range(len(groups)), groups)
    return fig


def _percent_of(counts: Collection[Count]) -> tuple[np.ndarray, np.ndarray]:
    """Success rates (K,) in percent, and the reach (2, K) of their 95 % intervals."""
    share = np.array([good / trials for good, trials in counts])
    limits = np.array([wilson(*count) for count in counts]).T
    return 100 * share, 100 * abs(limits - share)


@styled
def forest(
    panels: Mapping[str, Mapping[str, Count]], live: Mapping[str, Mapping[str, Sequence[bool]]]
) -> Figure:
    """Success rates with 95 % Wilson intervals: a panel for each task, a row for each loss.

    `panels` holds (successes, trials) by task and loss, for the same losses; `live`, by the same
    names, outcomes of single runs, drawn as crosses at nothing or all.
    """
    names = list(next(iter(panels.values())))
    fig, axes = layout(len(panels), 2.45, 0.9 + 0.24 * len(names), columns=4, sharex=True)
    for axis, (title, counts) in zip(axes, panels.items(), strict=True):
        share, reach = _percent_of(counts.values())
        axis.errorbar(share, range(len(names)), xerr=reach, fmt="o", color=BLUE, markersize=5)
        for name, outcomes in live.get(title, {}).items():
            row = [names.index(name)] * len(outcomes)
            axis.plot(100 * np.array(outcomes), row, "x", color=RED, markersize=7)
        axis.set(title=title, xlim=(-6, 106), xticks=(0, 50, 100))
        axis.grid(axis="both", alpha=0.3)
    axes[0].set(yticks=range(len(names)), ylim=(len(names) - 0.5, -0.5), yticklabels=names)
    fig.supxlabel("success (%)", fontsize=STYLE["font.size"])
    return fig


@styled
def trainings(named: Mapping[str, Sequence]) -> Figure:
    """Median error over seconds of training: a panel for each test set, a colour a criterion.

    Each training has `seconds` and `errors`, as `utils.experiments.encoder.Training` has. The
    first of each criterion is drawn thick, others thin.
    """
    tests = list(next(iter(named.values()))[0].errors)
    fig, axes = layout(len(tests), 8.5 / len(tests), 3.6)
    for axis, test in zip(axes, tests, strict=True):
        for (name, repeats), colour, dash in zip(named.items(), COLOURS, DASHES, strict=False):
            for k, each in enumerate(repeats):
                percent = [100 * error for error in each.errors[test][1:]]
                how = {"linewidth": 1, "alpha": 0.6} if k else {"linewidth": 2.5, "label": name}
                axis.plot(each.seconds[1:], percent, dash, color=colour, **how)
            # A short training is no more than a point.
            axis.plot(repeats[0].seconds[-1], 100 * repeats[0].errors[test][-1], "o", color=colour)
        axis.set(title=f"sounds {test}", xlabel="seconds of training", xscale="log", yscale="log")
        axis.xaxis.set_major_formatter("{x:g}")
        set_ticks(axis.yaxis, (3, 5, 10, 20, 50, 100, 200))
    axes[0].set_ylabel(f"median of the {ERROR}")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return fig


@styled
def bars(panels: Mapping[str, Mapping[str, float]]) -> Figure:
    """Horizontal bars on logarithmic axes: a panel for each quantity, a bar for each name."""
    fig, axes = layout(len(panels), 4, 2.6, sharey=False)
    for axis, (label, named) in zip(axes, panels.items(), strict=True):
        names, values = list(named), np.array(list(named.values()))
        drawn = axis.barh(names, values, color=COLOURS[: len(names)])
        written = [np.format_float_positional(v, 2, fractional=False, trim="-") for v in values]
        axis.bar_label(drawn, written, padding=3)
        axis.set(xlabel=label, xscale="log", xlim=(values.min() / 3, values.max() * 8))
        axis.invert_yaxis()
    return fig
