"""Figures, in one style. Each function returns a Matplotlib figure for `show.figure`.

Names and labels are texts that do not begin with an underscore, with formulas between dollar
signs. Sample rates are in Hz. Wrong input gets a TypeError or ValueError that names it, before
anything is drawn.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import librosa
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from .. import checks
from ..experiments.encoder import Training
from ..search.landscape import Atlas, local_minima
from ..search.many import wilson
from ..search.match import Match
from ..synth import SAMPLE_RATE, parameters_of
from . import drawable
from .drawable import BRIEF, LOWEST, MOST, PER_OCTAVE

# Okabe and Ito's colours, told apart by all common kinds of colour vision.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE)
DASHES = ("-", "--", ":", "-.")
MARKERS = "osD^v"
HOP = 64  # samples, of a scalogram
MAP = "cividis"
# Without its pale end, on which white arrows and paths would be lost.
SURFACE_MAP = ListedColormap(plt.get_cmap("cividis")(np.linspace(0, 0.75, 256)))

STYLE = {
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": plt.cycler(color=(*COLOURS, "black")),
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorate a figure function with the book's style, without touching the reader's own."""

    @functools.wraps(draw)
    def inner(*args, **kwargs) -> Figure:
        with plt.rc_context(STYLE):
            return draw(*args, **kwargs)

    return inner


@styled
def sounds(named: Mapping[str, Tensor], sample_rate: int = SAMPLE_RATE) -> Figure:
    """Each sound (N,), one a column: its waveform above its scalogram (constant-Q, librosa).

    The sample rate leaves room for an octave above 64 Hz, the sounds for the longest wavelet.
    """
    sample_rate = drawable.rate(sample_rate, above=5 * LOWEST)
    named = drawable.entries("named", named, partial(drawable.sound, sample_rate=sample_rate))
    fig, axes = plt.subplots(
        2,
        len(named),
        figsize=(max(5.5, 3.6 * len(named)), 4.4),
        height_ratios=(1, 2),
        sharex=True,
        sharey="row",
        squeeze=False,
    )
    peak = max(x.abs().max().item() for x in named.values()) or 1.0
    for (wave, scale), (title, x) in zip(axes.T, named.items(), strict=True):
        samples = x.numpy(force=True)
        wave.plot(np.arange(len(samples)) / sample_rate, samples, color=BLUE, linewidth=0.5)
        wave.set(title=title, ylim=(-1.1 * peak, 1.1 * peak), ylabel="amplitude")
        image = _scalogram(scale, samples, sample_rate)
        scale.set(xlabel="time (s)", ylabel="frequency (Hz)")
        for axis in (wave, scale):
            axis.label_outer()
    fig.colorbar(image, ax=axes[1], label="level (dB)", format="%+.0f")
    return fig


def _scalogram(axis: plt.Axes, samples: np.ndarray, sample_rate: int):
    """Draw a constant-Q magnitude in dB, on librosa's own axes."""
    count = int(PER_OCTAVE * np.log2(0.4 * sample_rate / LOWEST))
    transform = librosa.cqt(
        samples,
        sr=sample_rate,
        hop_length=HOP,
        fmin=LOWEST,
        n_bins=count,
        bins_per_octave=PER_OCTAVE,
        filter_scale=BRIEF,
    )
    level = librosa.amplitude_to_db(np.abs(transform), ref=np.max, top_db=50)
    return librosa.display.specshow(
        level,
        sr=sample_rate,
        hop_length=HOP,
        fmin=LOWEST,
        bins_per_octave=PER_OCTAVE,
        x_axis="time",
        y_axis="cqt_hz",
        ax=axis,
        cmap=MAP,
    )


@styled
def envelopes(named: Mapping[str, Tensor], seconds: tuple[float, float]) -> Figure:
    """Curves (N,) over a common time axis in seconds, each with its label; four at most."""
    named = drawable.entries("named", named, partial(drawable.shaped, least=(2,)), most=len(DASHES))
    start, end = checks.every("seconds", seconds, checks.real, count=2)
    checks.real("the end of seconds", end, above=start)
    fig, axis = plt.subplots(figsize=(7, 2.8))
    for (label, y), style in zip(named.items(), DASHES, strict=False):
        axis.plot(np.linspace(start, end, len(y)), y.numpy(force=True), style, label=label)
    axis.set(xlabel="time (s)", ylabel="amplitude", xlim=(start, end))
    fig.legend(loc="outside right upper")
    return fig


@styled
def spectrograms(x: Tensor, n_ffts: Sequence[int], sample_rate: int = SAMPLE_RATE) -> Figure:
    """The magnitude spectrogram of a sound (N,) at several window lengths, one a column.

    A window has 4 samples or more, and no more than the sound.
    """
    checks.floating("x", x, ndim=1)
    n_ffts = drawable.some("n_ffts", n_ffts, partial(checks.integer, least=4), most=MOST)
    if max(n_ffts) > len(x):
        raise ValueError(
            f"n_ffts is {n_ffts} and x has {len(x)} samples; expected no longer window"
        )
    sample_rate = drawable.rate(sample_rate)
    size = (3.6 * len(n_ffts), 3.2)
    fig, axes = plt.subplots(1, len(n_ffts), figsize=size, sharey=True, squeeze=False)
    for axis, n_fft in zip(axes[0], n_ffts, strict=True):
        stft = librosa.stft(x.numpy(force=True), n_fft=n_fft, hop_length=n_fft // 4)
        level = librosa.amplitude_to_db(np.abs(stft), ref=np.max, top_db=60)
        image = librosa.display.specshow(
            level,
            sr=sample_rate,
            hop_length=n_fft // 4,
            n_fft=n_fft,
            x_axis="time",
            y_axis="linear",
            ax=axis,
            cmap=MAP,
        )
        axis.set(title=f"window of {1000 * n_fft / sample_rate:.0f} ms", ylim=(0, 2000))
        axis.set(xlabel="time (s)", ylabel="frequency (Hz)")
        axis.label_outer()
    fig.colorbar(image, ax=axes, label="level (dB)", format="%+.0f")
    return fig


@styled
def filters(named: Mapping[str, Tensor], sample_rate: int = SAMPLE_RATE) -> Figure:
    """Banks of filters in the Fourier domain, each (wavelets, N), one above the other.

    Five at most, of 8 frequencies or more.
    """
    named = drawable.entries(
        "named", named, partial(drawable.shaped, least=(1, 8)), most=len(COLOURS)
    )
    sample_rate = drawable.rate(sample_rate, above=2)
    fig, axes = plt.subplots(
        len(named), 1, figsize=(7, 1.9 * len(named)), sharex=True, squeeze=False
    )
    for axis, (title, bank), colour in zip(axes[:, 0], named.items(), COLOURS, strict=False):
        half = bank.shape[-1] // 2
        hertz = np.arange(1, half) * sample_rate / bank.shape[-1]
        axis.plot(hertz, bank[:, 1:half].numpy(force=True).T, color=colour, linewidth=0.7)
        axis.set(title=title, xscale="log", xlim=(1, sample_rate / 2), ylabel="gain")
    axis.set_xlabel("frequency (Hz)")
    return fig


@styled
def joint_wavelets(named: Mapping[str, Tensor], sample_rate: int, per_octave: int) -> Figure:
    """Real parts of wavelets (log-frequency bins, time) around their centre, one a column.

    Every 16th sample is drawn, so that a wavelet has 32 or more.
    """
    named = drawable.entries("named", named, drawable.wavelet)
    sample_rate = drawable.rate(sample_rate, above=32)
    checks.integer("per_octave", per_octave, least=1)
    reach = 1.5  # octaves
    size = (3.6 * len(named), 3.2)
    fig, axes = plt.subplots(1, len(named), figsize=size, sharey=True, squeeze=False)
    for axis, (title, wavelet) in zip(axes[0], named.items(), strict=True):
        centred = np.fft.fftshift(wavelet.real.numpy(force=True))
        bins, samples = centred.shape
        steps = np.arange(samples) - samples // 2
        octaves = (bins // 2 - np.arange(bins)) / per_octave  # the first bin is the highest
        shown = (abs(steps) <= 0.6 * sample_rate) & (steps % 16 == 0)
        near = abs(octaves) <= reach + 1 / per_octave  # the rest is out of sight, and takes long
        axis.pcolormesh(
            steps[shown] / sample_rate,
            octaves[near],
            centred[np.ix_(near, shown)] / (abs(centred).max() or 1),
            cmap="PuOr",
            vmin=-1,
            vmax=1,
            shading="gouraud",
        )
        axis.set(title=title, xlabel="time (s)", ylabel="octaves", ylim=(-reach, reach))
        axis.label_outer()
    return fig


@styled
def maps(named: Mapping[str, Tensor], hertz: Sequence[float], duration: float) -> Figure:
    """Maps (bins, time) over log-frequency and `duration` seconds, on one scale; two columns.

    `hertz` names the bins, from high to low, of which a map may have more than there are names.
    Maps hold moduli, two bins and two times or more.
    """
    named = drawable.entries("named", named, partial(drawable.amounts, least=(2, 2)))
    hertz, duration = drawable.falling("hertz", hertz), drawable.positive("duration", duration)
    rows = -(-len(named) // 2)
    fig, axes = plt.subplots(rows, 2, figsize=(8, 2.6 * rows), sharex=True, sharey=True)
    for axis in axes.flat[len(named) :]:
        axis.set_visible(False)
    peak = max(each.max().item() for each in named.values()) or 1.0
    for axis, (title, each) in zip(axes.flat, named.items(), strict=False):
        bins = min(len(hertz), len(each))
        image = axis.pcolormesh(
            np.arange(each.shape[1]) * duration / each.shape[1],
            np.asarray(hertz)[:bins],
            each[:bins].numpy(force=True) / peak,
            cmap=MAP,
            vmin=0,
            vmax=1,
            shading="nearest",
        )
        axis.set(title=title, xlabel="time (s)", ylabel="frequency (Hz)")
        axis.set(yscale="log", ylim=(100, 2500))
        axis.set_yticks([128, 256, 512, 1024, 2048], [128, 256, 512, 1024, 2048])
        axis.set_yticks([], minor=True)
        axis.label_outer()
    fig.colorbar(image, ax=axes, label="modulus / largest", ticks=(0, 0.5, 1))
    return fig


@styled
def rate_scale(named: Mapping[str, Tensor], table: np.ndarray) -> Figure:
    """Second-order features of JTFS over rate and signed quefrency, averaged over all else.

    `table` is `JTFS.table` in Hz; each of `named` holds the features (D,) of one sound.
    """
    second = drawable.second(table)
    named = drawable.entries("named", named, partial(drawable.amounts, least=(1,)))
    drawable.all_as_long(named, "table", len(table))
    size = (4.2 * len(named), 3.6)
    fig, axes = plt.subplots(1, len(named), figsize=size, sharey=True, squeeze=False)
    rates, row = np.unique(table["xi_2"][second], return_inverse=True)
    quefrencies, column = np.unique(table["xi_fr"][second].round(6), return_inverse=True)
    for axis, (title, features) in zip(axes[0], named.items(), strict=True):
        total = np.zeros((len(rates), len(quefrencies)))
        counts = np.zeros_like(total)
        np.add.at(total, (row, column), features.numpy(force=True)[second])
        np.add.at(counts, (row, column), 1)
        mean = total / np.ma.masked_equal(counts, 0)  # blank where the table has no path
        image = axis.pcolormesh(_relative(mean), cmap=MAP, vmin=0, vmax=1)
        across, up = range(0, len(quefrencies), 3), range(0, len(rates), 2)
        axis.set_xticks([k + 0.5 for k in across], [f"{quefrencies[k]:.2g}" for k in across])
        axis.set_yticks([k + 0.5 for k in up], [f"{rates[k]:.2g}" for k in up])
        axis.axvline(len(quefrencies) / 2, color="white", linewidth=1)
        axis.set(title=title, xlabel="quefrency (cycles/octave), by spin", ylabel="rate (Hz)")
        axis.label_outer()
    fig.colorbar(image, ax=axes, label="feature / largest", ticks=(0, 0.5, 1))
    return fig


@styled
def curves(x: Tensor, named: Mapping[str, Sequence[float]], across: str, up: str) -> Figure:
    """Curves over `x` (V,), on logarithmic axes; `across` and `up` name the axes.

    Six at most, each of V positive numbers.
    """
    x, markers = drawable.ticks("x", x), MARKERS + "X"
    named = drawable.entries("named", named, drawable.numbers, most=len(markers))
    drawable.all_as_long(named, "x", len(x))
    across, up = drawable.text("across", across), drawable.text("up", up)
    fig, axis = plt.subplots(figsize=(7, 3.4))
    for (label, y), marker in zip(named.items(), markers, strict=False):
        axis.plot(x, y, marker + "-", label=label, markersize=5)
    axis.set(xlabel=across, ylabel=up, xscale="log", yscale="log")
    axis.set_xticks(x, [f"{v:g}" for v in x])
    axis.set_xticks([], minor=True)
    fig.legend(loc="outside right upper")
    return fig


@styled
def surfaces(
    atlas: Atlas,
    synth: Callable,
    named: Mapping[str, tuple[Tensor, Tensor]],
    theta: Tensor,
    paths: Mapping[str, Sequence[Match]] | None = None,
) -> Figure:
    """Loss surfaces over two parameters side by side, with arrows of descent.

    Parameters
    ----------
    atlas : gives the grid (A, B, 2).
    synth : gives the names, units and ranges of the axes.
    named : by title, what `Atlas.surface` returns: a loss (A, B) that is nowhere negative, and
        its gradient (A, B, 2).
    theta : (2,), the truth, marked by a star. Local minima on the grid are circles.
    paths : by the same titles, descents to draw instead of arrows.
    """
    grid = drawable.grid("atlas.grid", checks.instance("atlas", atlas, Atlas).grid, synth)
    named = drawable.entries("named", named, partial(drawable.loss_and_gradient, grid=grid))
    checks.positive("theta", theta, last=2, ndim=1)
    if paths is not None:
        paths = drawable.among(
            "paths", paths, "named", named, partial(checks.every, each=drawable.walk)
        )
    columns = 2 if len(named) == 4 else len(named)
    rows = len(named) // columns
    size = (max(5, 4 * columns), 3.6 * rows + 0.2)
    fig, axes = plt.subplots(rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    first, second = grid[..., 0].numpy(force=True), grid[..., 1].numpy(force=True)
    for axis, (title, (loss, gradient)) in zip(axes.flat, named.items(), strict=True):
        relative = _relative(loss.numpy(force=True))
        image = _surface(axis, grid, relative, local_minima(loss), theta)
        if paths is None:
            way = -atlas.to_log(gradient)
            way = (way / way.norm(dim=-1, keepdim=True).clamp(min=1e-30)).numpy(force=True)
            axis.quiver(first, second, way[..., 0], way[..., 1], color="white", scale=22)
        for match in (paths or {}).get(title, ()):
            walk = match.thetas.numpy(force=True)
            axis.plot(walk[:, 0], walk[:, 1], color="white", linewidth=1)
            axis.plot(*walk[0], "s", color="white", markersize=4)
            axis.plot(*walk[-1], "X", color=ORANGE, markersize=7, markeredgecolor="black")
        _log_axes(axis, synth)
        axis.set_title(title)
        axis.label_outer()
    fig.colorbar(image, ax=axes, label="loss / its maximum", ticks=(0, 0.5, 1))
    return fig


def _surface(
    axis: plt.Axes, grid: Tensor, relative: np.ndarray, minima: Tensor, theta: Tensor
) -> ContourSet:
    """Fill a panel with values in [0, 1] over a grid; rings are minima, a star is the truth."""
    first, second = grid[..., 0].numpy(force=True), grid[..., 1].numpy(force=True)
    levels = np.linspace(0, 1, 21)
    image = axis.contourf(first, second, relative, levels=levels, cmap=SURFACE_MAP)
    ring = {"markerfacecolor": "none", "markeredgecolor": ORANGE, "markeredgewidth": 2}
    lowest = minima.numpy(force=True)
    axis.plot(first[lowest], second[lowest], "o", markersize=10, zorder=3, **ring)
    star = {"color": RED, "markeredgecolor": "white", "zorder": 3}
    axis.plot(*theta.tolist(), "*", markersize=15, **star)
    return image


def _log_axes(axis: plt.Axes, synth: Callable) -> None:
    """Name the two axes after the synthesizer's parameters, on logarithmic scales."""
    across, up = parameters_of(synth)
    axis.set(xscale="log", yscale="log", xlim=across[3:], ylim=up[3:])
    for line, each in ((axis.xaxis, across), (axis.yaxis, up)):
        ticks = np.geomspace(each.low, each.high, 5)
        line.set_ticks(ticks, [_short(tick) for tick in ticks])
        line.set_ticks([], minor=True)
        line.set_label_text(drawable.label(each))


def _short(tick: float) -> str:
    """A number in two digits, or as many as its integer part has."""
    return f"{tick:.2g}" if abs(tick) < 99.5 else f"{tick:.0f}"


@styled
def slices(values: Tensor, named: Mapping[str, Tensor], truth: float, label: str) -> Figure:
    """Losses along one parameter, each divided by its maximum; minima are dots.

    `values` (V,) is the parameter, in order, `label` its name with unit, each loss a (V,) that is
    nowhere negative. Six at most.
    """
    drawable.in_order("values", values)
    named = drawable.entries(
        "named", named, partial(drawable.amounts, least=(1,)), most=len(COLOURS) + 1
    )
    drawable.all_as_long(named, "values", len(values))
    truth, label = drawable.positive("truth", truth), drawable.text("label", label)
    fig, axis = plt.subplots(figsize=(7, 3.2))
    for name, loss in named.items():
        relative = _relative(loss.numpy(force=True))
        (line,) = axis.plot(values.numpy(force=True), relative, label=name)
        lowest = local_minima(loss).numpy(force=True)
        axis.plot(values.numpy(force=True)[lowest], relative[lowest], "o", color=line.get_color())
    axis.axvline(truth, color="black", linestyle="--", linewidth=1, label="truth")
    axis.set(xscale="log", xlabel=label, ylabel="loss / its maximum", ylim=(0, 1.05))
    ticks = np.geomspace(values[0].item(), values[-1].item(), 5)
    axis.xaxis.set_ticks(ticks, [_short(tick) for tick in ticks])
    axis.xaxis.set_ticks([], minor=True)
    fig.legend(loc="outside right upper")
    return fig


@styled
def errors(named: Mapping[str, Sequence[Tensor]], threshold: float) -> Figure:
    """The larger relative error against step, one column for each group of descents.

    Five groups at most, each of one descent or more.
    """
    descents = partial(drawable.some, each=partial(drawable.amounts, least=(1,)))
    named = drawable.entries("named", named, descents, most=len(COLOURS))
    threshold = drawable.positive("threshold", threshold)
    fig, axes = plt.subplots(
        1, len(named), figsize=(3.8 * len(named), 3.2), sharey=True, squeeze=False
    )
    for axis, (title, curves), colour in zip(axes[0], named.items(), COLOURS, strict=False):
        for curve in curves:
            axis.semilogy(100 * curve.numpy(force=True).clip(1e-4), color=colour, linewidth=0.8)
        axis.axhline(100 * threshold, color="black", linestyle="--", linewidth=1)
        axis.set(title=title, xlabel="step", ylabel="larger parameter error (%)")
        axis.set_ylim(0.02, 800)
        axis.label_outer()
    return fig


@styled
def trainings(named: Mapping[str, Sequence[Training]]) -> Figure:
    """Median error over seconds of training: a panel an examination, a colour a criterion.

    The first training of each criterion is drawn thick, others thin. Four criteria at most; all
    trainings have the same examinations, before the first step and after it.
    """
    named = drawable.entries(
        "named", named, partial(drawable.some, each=drawable.training), most=len(DASHES)
    )
    panels = drawable.examinations(named)
    fig, axes = plt.subplots(1, len(panels), figsize=(8.5, 3.6), sharey=True, squeeze=False)
    for axis, panel in zip(axes[0], panels, strict=True):
        for (name, courses), colour, dash in zip(named.items(), COLOURS, DASHES, strict=False):
            for k, each in enumerate(courses):
                percent = [100 * error for error in each.errors[panel][1:]]
                how = {"linewidth": 1, "alpha": 0.6} if k else {"linewidth": 2.5, "label": name}
                axis.plot(each.seconds[1:], percent, dash, color=colour, **how)
                if not k:  # a short training is no more than a point
                    axis.plot(each.seconds[-1], percent[-1], "o", color=colour)
        axis.set(title=f"sounds {panel}", xlabel="seconds of training", xscale="log", yscale="log")
        axis.xaxis.set_major_formatter("{x:g}")
        axis.set_yticks(*[[3, 5, 10, 20, 50, 100, 200]] * 2)
        axis.set_yticks([], minor=True)
    axes[0, 0].set_ylabel("median of the larger parameter error (%)")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return fig


@styled
def rates(
    named: Mapping[str, Sequence[tuple[int, int] | None]], groups: Sequence[str], label: str
) -> Figure:
    """Success rates with 95 % Wilson intervals: (successes, trials) by series and group.

    None stands where a series was not tried. Five series at most.
    """
    groups = drawable.some("groups", groups, drawable.text, most=MOST)
    label = drawable.text("label", label)
    named = drawable.entries("named", named, drawable.series, most=len(MARKERS))
    drawable.all_as_long(named, "groups", len(groups))
    fig, axis = plt.subplots(figsize=(7, 3.2))
    for k, (name, by_group) in enumerate(named.items()):
        tried = [place for place, count in enumerate(by_group) if count is not None]
        counts = [by_group[place] for place in tried]
        where = np.array(tried) + 0.12 * (k - (len(named) - 1) / 2)
        share = np.array([good / trials for good, trials in counts])
        low, high = np.array([wilson(good, trials) for good, trials in counts]).T
        reach = 100 * np.abs(np.stack([share - low, high - share]))
        axis.errorbar(where, 100 * share, reach, fmt=MARKERS[k], capsize=3, label=name)
    axis.set(xlabel=label, ylabel="success (%)", ylim=(-4, 104))
    axis.set_xticks(range(len(groups)), groups)
    fig.legend(loc="outside right upper")
    return fig


@styled
def spread(
    named: Mapping[str, Tensor], groups: Sequence[str], across: str, threshold: float
) -> Figure:
    """Errors (groups, trials) of each series, one dot a trial, with a line through the medians.

    Five series at most.
    """
    groups = drawable.some("groups", groups, drawable.text, most=MOST)
    across = drawable.text("across", across)
    named = drawable.entries(
        "named", named, partial(drawable.amounts, least=(1, 1)), most=len(MARKERS)
    )
    drawable.all_as_long(named, "groups", len(groups))
    threshold = drawable.positive("threshold", threshold)
    fig, axis = plt.subplots(figsize=(7, 3.6))
    for k, ((name, errors), colour) in enumerate(zip(named.items(), COLOURS, strict=False)):
        where = np.arange(len(groups)) + 0.1 * (k - (len(named) - 1) / 2)
        percent = 100 * errors.numpy(force=True).clip(1e-4)
        marker = MARKERS[k]
        axis.plot(np.repeat(where, percent.shape[1]), percent.ravel(), marker, color=colour,
                  alpha=0.35, markersize=4, linestyle="none")  # fmt: skip
        axis.plot(where, np.median(percent, axis=1), marker + "-", color=colour, label=name)
    axis.axhline(100 * threshold, color="black", linestyle="--", linewidth=1)
    axis.set(xlabel=across, ylabel="larger parameter error (%)", yscale="log")
    axis.set_xticks(range(len(groups)), groups)
    fig.legend(loc="outside right upper")
    return fig


@styled
def forest(
    panels: Mapping[str, Mapping[str, tuple[int, int]]],
    live: Mapping[str, Mapping[str, Sequence[bool]]] | None = None,
    columns: int = 4,
) -> Figure:
    """Success rates with 95 % Wilson intervals: a panel a task, a row for each loss.

    `panels` holds (successes, trials) by task and loss; `live`, by the same names, outcomes of
    single runs, drawn as crosses at nothing or all.
    """
    panels = drawable.entries("panels", panels, partial(drawable.entries, each=drawable.counted))
    names = list(dict.fromkeys(name for counts in panels.values() for name in counts))
    drawable.some("the list of losses in panels", names, drawable.text, most=MOST)
    live = drawable.outcomes(live, panels)
    checks.integer("columns", columns, least=1, most=MOST)
    rows = -(-len(panels) // columns)
    size = (2.2 + 1.9 * columns, rows * (0.9 + 0.24 * len(names)))
    fig, axes = plt.subplots(rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    for axis, (title, counts) in zip(axes.flat, panels.items(), strict=False):
        for name, (good, trials) in counts.items():
            low, high = (100 * limit for limit in wilson(good, trials))
            row = names.index(name)
            axis.plot((low, high), (row, row), color=BLUE, linewidth=1.5)
            axis.plot(100 * good / trials, row, "o", color=BLUE, markersize=5)
            for outcome in live.get(title, {}).get(name, ()):
                axis.plot(100 * outcome, row, "x", color=RED, markersize=7)
        axis.set(title=title, xlim=(-6, 106), xticks=(0, 50, 100))
        axis.grid(axis="both", alpha=0.3)
    axes[0, 0].set(yticks=range(len(names)), ylim=(len(names) - 0.5, -0.5))
    axes[0, 0].set_yticklabels(names)
    fig.supxlabel("success (%)", fontsize=STYLE["font.size"])
    return fig


@styled
def landscapes(grid: Tensor, synth: Callable, named: Mapping[str, Tensor], theta: Tensor) -> Figure:
    """Losses (A, B) over one grid (A, B, 2), each between its extremes; the truth is a star.

    Local minima on the grid are circles.
    """
    drawable.grid("grid", grid, synth)
    named = drawable.entries("named", named, partial(drawable.shaped, shape=tuple(grid.shape[:-1])))
    checks.positive("theta", theta, last=2, ndim=1)
    columns = 4
    rows = -(-len(named) // columns)
    fig, axes = plt.subplots(
        rows, columns, figsize=(10, 2.3 * rows), sharex=True, sharey=True, squeeze=False
    )
    for axis in axes.flat[len(named) :]:
        axis.set_visible(False)
    for axis, (title, loss) in zip(axes.flat, named.items(), strict=False):
        relative = _relative((loss - loss.min()).numpy(force=True))
        _surface(axis, grid, relative, local_minima(loss), theta)
        _log_axes(axis, synth)
        axis.set_title(title, fontsize=10)
        axis.label_outer()
    return fig


@styled
def bars(panels: Mapping[str, Mapping[str, float]]) -> Figure:
    """Horizontal bars on logarithmic axes: a panel for each quantity, a bar for each name."""
    panels = drawable.entries("panels", panels, partial(drawable.entries, each=drawable.positive))
    fig, axes = plt.subplots(1, len(panels), figsize=(4 * len(panels), 2.6), squeeze=False)
    for axis, (label, named) in zip(axes[0], panels.items(), strict=True):
        names, values = list(named), np.array(list(named.values()))
        drawn = axis.barh(names, values, color=COLOURS[: len(names)])
        written = [np.format_float_positional(v, 2, fractional=False, trim="-") for v in values]
        axis.bar_label(drawn, written, padding=3)
        axis.set(xlabel=label, xscale="log", xlim=(values.min() / 3, values.max() * 8))
        axis.invert_yaxis()
        axis.label_outer()
    return fig


@styled
def operators() -> Figure:
    """The three operators of DDSP, and the layer of time-frequency analysis within the loss."""
    fig, axis = plt.subplots(figsize=(8, 2.6))
    axis.set(xlim=(0, 16), ylim=(0, 5.2))
    axis.axis("off")
    axis.add_patch(Rectangle((8.9, 0.2), 5.5, 4.3, fill=False, edgecolor=BLUE, linestyle="--"))
    axis.text(11.6, 4.7, "the loss $L$", color=BLUE, ha="center")
    boxes = {"$f_W$": (2.6, 3.2, "0.85"), "$g$": (6.4, 3.2, "white")}
    boxes |= {r"$\Phi$": (10.2, 3.2, "#cfe3f3"), r"$\Phi$ ": (10.2, 1.2, "#cfe3f3")}
    boxes |= {r"$\|\cdot\|_p$": (13.2, 2.2, "white")}
    for label, (x, y, colour) in boxes.items():
        box = {"boxstyle": "round,pad=0.5", "facecolor": colour, "edgecolor": "black"}
        axis.text(x, y, label, ha="center", va="center", bbox=box, fontsize=13)
    ways = [((0.6, 3.2), (1.9, 3.2)), ((3.3, 3.2), (5.8, 3.2)), ((7.0, 3.2), (9.5, 3.2))]
    ways += [((0.6, 1.2), (9.5, 1.2)), ((10.9, 3.2), (12.3, 2.5)), ((10.9, 1.2), (12.3, 1.9))]
    ways += [((14.1, 2.2), (15.2, 2.2))]
    for start, end in ways:
        axis.annotate("", end, start, arrowprops={"arrowstyle": "->"})
    marks = {"$y$": (0.3, 3.2), "$y$ ": (0.3, 1.2), r"$\theta$": (4.5, 3.6)}
    marks |= {"$x$": (8.2, 3.6), "$L$": (15.6, 2.2)}
    for label, (x, y) in marks.items():
        axis.text(x, y, label, ha="center", va="center", fontsize=13)
    for label, x in (("network", 2.6), ("synthesizer", 6.4)):
        axis.text(x, 2.1, label, ha="center", va="center", color="0.3")
    axis.text(10.2, 0.5, "DTFA", ha="center", va="center", color="0.3")
    return fig


def _relative(values: np.ndarray) -> np.ndarray:
    """Values divided by the largest; where all are zero, so they stay."""
    return values / (values.max() or 1)
