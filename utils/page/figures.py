"""Figures, in one style. Each function that draws returns a Matplotlib figure for `show.figure`.

Figures are drawn for a column of the site, and again for a phone, where panels stand below each
other. Colours are those of `colours`, text has one size, and axes end where what they show ends.

A loss surface shows the first two parameters of a synthesizer on their scales, and holds others at
the grid point next to the truth.
"""

import functools
import textwrap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Float, Inexact
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter
from scipy.stats import binned_statistic_2d
from torch import Tensor, nn

from ..experiments.statistics import wilson
from ..parameters import coordinates, parameters_of
from ..search.landscape import local_minima
from .colours import EDGE, LANDSCAPE, LIGHT, MARK, OTHERS, SCALOGRAM, TRUTH, role_of
from .typeset import typeset

OPERATORS = Path(__file__).with_name("operators.svg")  # of DDSP, for `show.drawing`
WIDE, PHONE = 7.5, 3.5  # inches, of 96 pixels: a column of the site, and of a phone
DASHES = ("-", "--", ":", "-.")
TRAINED = {"linearized": "third", "SCRAPL": "fourth"}  # the roles of what encoders descend on
SHAPES = "osD^vX"
LIMIT = {"color": LIGHT["quiet"], "linestyle": "--", "linewidth": 1}
STYLE = {
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": plt.cycler(color=[LIGHT[role] for role in OTHERS]),
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "legend.frameon": False,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor"), LIGHT["ink"]),
    **dict.fromkeys(("xtick.color", "ytick.color"), LIGHT["ink"]),
}
REACH = 1.5  # octaves on either side of the centre of a joint wavelet
SHARE = {"cmap": SCALOGRAM, "vmin": 0, "vmax": 1}
# Of what has a sign: transparent at zero, so that any ground is right.
SIGNED = LinearSegmentedColormap.from_list(
    "signed", ["#b06bacff", "#b06bac00", "#1b9d7c00", "#1b9d7cff"]
)
Count = tuple[int, int]  # successes, trials


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorate a figure function with the book's style, without touching the reader's own.

    What it returns is drawn for the column; its attribute `phone` is the same, drawn for a phone.
    Of panels that share an axis, only the outer ones are labelled. A title that names a loss has
    the colour of that loss.
    """

    @functools.wraps(draw)
    def inner(*args, **kwargs) -> Figure:
        drawn = []
        for width in (PHONE, WIDE):
            with plt.rc_context(STYLE | {"figure.figsize": (width, 3)}):
                fig = draw(*args, **kwargs)
                for axis in filter(plt.Axes.get_subplotspec, fig.axes):  # no colour bars
                    _label_outer(axis)
                    room = fig.get_figwidth() / axis.get_subplotspec().get_gridspec().ncols
                    title = textwrap.fill(axis.get_title("left"), int(12.5 * room))
                    axis.set_title(typeset(title), color=LIGHT[role_of(title)])
            drawn.append(fig)
        phone, fig = drawn
        plt.close(phone)  # or Jupyter would show both
        fig.phone = phone
        return fig

    return inner


def _label_outer(axis: plt.Axes) -> None:
    """Take labels from an axis that it shares with the panel below or on the left."""
    place = axis.get_subplotspec()
    if len(axis.get_shared_x_axes().get_siblings(axis)) > 1 and not place.is_last_row():
        axis.set_xlabel("")
        axis.tick_params(labelbottom=False)
    if len(axis.get_shared_y_axes().get_siblings(axis)) > 1 and not place.is_first_col():
        axis.set_ylabel("")
        axis.tick_params(labelleft=False)


def layout(
    count: int, width: float, height: float, **shared: bool
) -> tuple[Figure, list[plt.Axes]]:
    """A figure of so many panels, at least so wide: as many beside each other as there is room for.

    They share no axes but those of `shared`, and the vertical one within a row.
    """
    room = plt.rcParams["figure.figsize"][0]
    rows = -(-count // max(1, int(room / width)))
    columns = -(-count // rows)
    size = (min(room, 1.5 * width * columns), height * rows)
    options = {"sharey": "row", "squeeze": False, "figsize": size}
    fig, axes = plt.subplots(rows, columns, **options | shared)
    for axis in axes.flat[count:]:
        axis.set_visible(False)
    return fig, list(axes.flat[:count])


def column(height: float) -> tuple[Figure, plt.Axes]:
    """A figure of one panel, as wide as there is room for."""
    return plt.subplots(figsize=(plt.rcParams["figure.figsize"][0], height))


def bar(fig: Figure, image: ScalarMappable, axes: Iterable[plt.Axes], label: str, **more) -> None:
    """A slim colour bar: on the right, or on a phone below."""
    look = {"location": "right", "aspect": 40, "pad": 0.02, "label": label}
    if fig.get_figwidth() <= PHONE:
        look["location"] = "bottom"
        fig.set_figheight(fig.get_figheight() + 0.6)
    drawn = fig.colorbar(image, ax=list(axes), **look, **more)
    drawn.outline.set_visible(False)


def relative(values: np.ndarray) -> np.ndarray:
    """Values divided by the largest; where all are zero, they stay zero."""
    return values / (values.max() or 1)


def sounding(heights: np.ndarray) -> tuple[int, int]:
    """Where, along the last axis, anything is above a hundredth of the largest; a bit more."""
    there = relative(abs(heights)).reshape(-1, heights.shape[-1]).max(0) >= 0.01
    where = np.flatnonzero(there).tolist() or [0, len(there) - 1]
    first, last = where[0], where[-1]
    more = (last - first) // 12
    return max(0, first - more), min(len(there), last + 1 + more)


def union(spans: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """From the first beginning to the last end."""
    begins, ends = zip(*spans, strict=True)
    return min(begins), max(ends)


def set_ticks(line: Axis, ticks: Sequence[float] | np.ndarray) -> None:
    """Label an axis at these values alone, whatever its scale."""
    texts = [f"{tick:.2g}" if abs(tick) < 99.5 else f"{tick:.0f}" for tick in ticks]
    line.set_ticks(ticks, map(typeset, texts))
    line.set_ticks([], minor=True)


def even(scale: str, low: float, high: float) -> np.ndarray:
    """Ticks from `low` to `high`: powers of two on a logarithmic axis, else five even steps."""
    if scale == "linear":
        return np.linspace(low, high, 5)
    first, last = np.log2([low * (1 - 1e-6), high * (1 + 1e-6)])
    return 2.0 ** np.arange(np.ceil(first), np.floor(last) + 1)


class Plain(LogFormatter):
    """Numbers of a logarithmic axis, set as those of others."""

    def __call__(self, x, pos=None):
        return super().__call__(x, pos) and typeset(f"{x:g}")


def plain(line: Axis) -> None:
    line.set_major_formatter(Plain())
    line.set_minor_formatter(Plain(labelOnlyBase=False))


def label_ends(axis: plt.Axes) -> None:
    """Write the label of each line on the right, at the height of its end, apart from others."""
    axis.get_xlim(), axis.get_ylim()  # settles them
    lines = [line for line in axis.lines if not line.get_label().startswith("_")]
    to_axes = axis.transScale + axis.transLimits
    ends = [to_axes.transform(line.get_xydata()[-1])[1] for line in lines]
    gap, floor, places = 0.2 / axis.figure.get_figheight(), -np.inf, {}
    for k in sorted(range(len(lines)), key=ends.__getitem__):
        places[k] = floor = max(ends[k], floor + gap)
    ceiling = np.inf
    for k in sorted(places, key=places.get, reverse=True):
        ceiling = min(places[k], ceiling - gap, 1.05)
        look = {"color": lines[k].get_color(), "va": "center", "xycoords": "axes fraction"}
        look |= {"xytext": (7, 0), "textcoords": "offset points"}
        axis.annotate(typeset(lines[k].get_label()), (1, ceiling), **look)


def _heat(
    axis: plt.Axes, across: np.ndarray, up: np.ndarray, values: np.ndarray, cmap=SCALOGRAM, **scale
) -> ScalarMappable:
    """Draw values (up, across), both in even steps, as a picture that the browser scales."""
    axis.set(xlabel="time (s)", ylabel="frequency (Hz)")
    edges = [edge for line in (across, up) for edge in _edges(line)]
    look = {"extent": edges, "origin": "lower", "aspect": "auto", "interpolation": "none"}
    return axis.imshow(values, cmap=cmap, **look, **scale)


def _edges(middles: np.ndarray) -> tuple[float, float]:
    """Where pixels begin and end that have these middles."""
    half = (middles[-1] - middles[0]) / (len(middles) - 1) / 2
    return middles[0] - half, middles[-1] + half


def _octaves(axis: plt.Axes) -> None:
    """Ticks of an axis of log2(Hz), at octaves or, if these are few, between them."""
    low, high = axis.get_ylim()
    for parts in ((4,), (4, 6), (4, 5, 6, 7)):
        hertz = [2**k * part for k in range(4, 10) for part in parts]
        hertz = [tick for tick in hertz if low <= np.log2(tick) <= high]
        if len(hertz) > 2:
            break
    axis.set_yticks(np.log2(hertz), hertz)


@styled
def wavelets(named: Mapping[str, Inexact[Tensor, " N"]], sample_rate: float) -> Figure:
    """Wavelets over time, around their centre: the real part, and the modulus as a line."""
    centred = {title: np.fft.fftshift(one.numpy(force=True)) for title, one in named.items()}
    first, end = union(map(sounding, centred.values()))
    fig, panels = layout(len(named), 2.3, 1.6, sharex=True)
    for axis, (title, wavelet) in zip(panels, centred.items(), strict=True):
        t = 1000 * (np.arange(first, end) - len(wavelet) // 2) / sample_rate
        shown = wavelet[first:end] / abs(wavelet).max()
        axis.fill_between(t, shown.real, color=LIGHT["quiet"], linewidth=0.5)
        axis.plot(t, abs(shown), color=LIGHT["jtfs"])
        axis.set(title=title, xlabel="time (ms)", ylabel="amplitude", yticks=[])
    return fig


@styled
def joint_wavelets(
    named: Mapping[str, Inexact[Tensor, "_ _"]], sample_rate: float, per_octave: int
) -> Figure:
    """Real parts of wavelets (log-frequency bins, time) around their centre, one a column."""
    fig, panels = layout(len(named), 2.3, 2.6, sharex=True)
    for axis, (title, wavelet) in zip(panels, named.items(), strict=True):
        centred = np.fft.fftshift(wavelet.real.numpy(force=True))
        bins, samples = centred.shape
        steps = np.arange(samples) - samples // 2
        octaves = (bins // 2 - np.arange(bins)) / per_octave  # the first bin is the highest
        shown = (abs(steps) <= 0.6 * sample_rate) & (steps % 16 == 0)
        near = abs(octaves) <= REACH + 1 / per_octave  # the rest is out of sight, and takes long
        height = centred[np.ix_(near, shown)] / (abs(centred).max() or 1)
        colours = {"cmap": SIGNED, "vmin": -1, "vmax": 1}
        _heat(axis, steps[shown] / sample_rate, octaves[near][::-1], height[::-1], **colours)
        axis.set(title=title, ylabel="octaves", ylim=(-REACH, REACH))
    return fig


@styled
def maps(
    named: Mapping[str, Float[Tensor, "_ _"]], hertz: Sequence[float] | np.ndarray, duration: float
) -> Figure:
    """Maps (bins, time) over log-frequency and `duration` seconds, on one scale.

    `hertz` names the bins, from high to low, of which a map may have more than there are names.
    """
    fig, panels = layout(len(named), 2.6, 2.2, sharex=True)
    heights = [each[: len(hertz)].numpy(force=True)[::-1] for each in named.values()]
    peak = max(height.max() for height in heights) or 1.0
    low, high = union(sounding(height.T) for height in heights)
    first, last = union(map(sounding, heights))
    pitch = np.log2(hertz[: len(heights[0])])[::-1][low:high]  # here, in even steps
    seconds = np.arange(first, last) * duration / heights[0].shape[1]
    for axis, title, height in zip(panels, named, heights, strict=True):
        image = _heat(axis, seconds, pitch, height[low:high, first:last] / peak, **SHARE)
        axis.set_title(title)
        _octaves(axis)
    bar(fig, image, panels, "modulus / largest", ticks=(0, 0.5, 1))
    return fig


@styled
def rate_scale(
    named: Mapping[str, Float[Tensor, " D"]], table: np.ndarray, slopes: Sequence[float]
) -> Figure:
    """Second-order features of JTFS over rate and signed quefrency, averaged over all else.

    `table` is `JTFS.table` in Hz; each of `named` holds the features (D,) of one sound, which moves
    by one of the `slopes` (octaves/s). Dashes are where rate over density is that slope.
    """
    second = (table["order"] == 2) & (table["spin"] != 0) & (table["xi_2"] < 64)
    rates, row = np.unique(table["xi_2"][second], return_inverse=True)
    quefrencies, column = np.unique(table["xi_fr"][second].round(6), return_inverse=True)
    shape = (len(rates), len(quefrencies))
    fig, panels = layout(len(named), 2.6, 2.9, sharex=True)
    for axis, (title, features), slope in zip(panels, named.items(), slopes, strict=True):
        values = features.numpy(force=True)[second]
        mean = binned_statistic_2d(row, column, values, bins=shape).statistic
        image = axis.pcolormesh(relative(np.ma.masked_invalid(mean)), **SHARE)  # blank: no path
        across = [typeset(f"{q:.2g}") for q in quefrencies[::4]]
        axis.set_xticks(np.arange(0, shape[1], 4) + 0.5, across)
        axis.set_yticks(np.arange(0, shape[0], 2) + 0.5, [f"{rate:.2g}" for rate in rates[::2]])
        axis.axvline(shape[1] / 2, color=MARK, linewidth=1)
        where = np.flatnonzero(
            (slope * quefrencies >= rates[0]) & (slope * quefrencies < rates[-1])
        )
        level = np.interp(np.log(slope * quefrencies[where]), np.log(rates), np.arange(len(rates)))
        axis.plot(where + 0.5, level + 0.5, "--", color=MARK, linewidth=1)
        axis.set(title=title, xlabel="density (cycles/octave), by spin", ylabel="rate (Hz)")
    bar(fig, image, panels, "feature / largest", ticks=(0, 0.5, 1))
    return fig


@styled
def surfaces(
    grid: Float[Tensor, "*grid P"],
    synth: Callable,
    named: Mapping[str, tuple[Float[Tensor, "*grid"], Float[Tensor, "*grid P"]]],
    theta: Float[Tensor, " P"],
) -> Figure:
    """Loss surfaces side by side, with arrows of descent.

    `named` holds by title what `Atlas.surface` returns. The truth `theta` is a star, and minima on
    the grid are rings.
    """
    plane = _plane(grid, synth, theta)
    fig, panels = layout(len(named), 2.3 if len(named) == 3 else 3, 2.7, sharex=True)
    grid = grid[plane][..., :2]
    for axis, (title, (loss, gradient)) in zip(panels, named.items(), strict=True):
        image = _surface(axis, synth, theta, grid, loss[plane])
        axis.set_title(title)
        way = -nn.functional.normalize(gradient[plane][..., :2], dim=-1, eps=1e-30)
        arrows = [each.numpy(force=True) for each in (*grid.unbind(-1), *way.unbind(-1))]
        look = {"units": "inches", "scale_units": "inches", "width": 0.014, "scale": 7}
        axis.quiver(*arrows, color=MARK, pivot="mid", **look)
    bar(fig, image, panels, "loss / its maximum", ticks=(0, 0.5, 1))
    return fig


@styled
def landscapes(
    grid: Float[Tensor, "*grid P"],
    synth: Callable,
    named: Mapping[str, Float[Tensor, "*grid"]],
    theta: Float[Tensor, " P"],
) -> Figure:
    """Losses over one grid, each between its extremes; the truth is a star, minima are rings."""
    plane = _plane(grid, synth, theta)
    fig, panels = layout(len(named), 1.7, 1.9, sharex=True)
    for axis, (title, loss) in zip(panels, named.items(), strict=True):
        _surface(axis, synth, theta, grid[plane][..., :2], loss[plane] - loss[plane].min())
        axis.set_title(title)
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
    lowest, points = local_minima(height).numpy(force=True), grid.numpy(force=True)
    ring = {"markersize": 9, "mfc": "none", "mec": MARK, "mew": 1.5, "zorder": 3}
    axis.plot(*points[lowest].T, "o", **ring)
    star = {"markersize": 14, "color": TRUTH, "mec": EDGE, "zorder": 3}
    axis.plot(*theta[:2].tolist(), "*", **star)
    across, up = parameters_of(synth)[:2]
    axis.set(xscale=across.scale, yscale=up.scale)
    axis.axis((across.low, across.high, up.low, up.high))
    for line, each in ((axis.xaxis, across), (axis.yaxis, up)):
        set_ticks(line, even(each.scale, each.low, each.high))
        line.set_label_text(f"{each.name}\n${each.symbol}$ ({each.unit})")
    levels, height = np.linspace(0, 1, 21), relative(height.numpy(force=True))
    return axis.contourf(*points.transpose(2, 0, 1), height, levels=levels, cmap=LANDSCAPE)


@styled
def slices(
    values: Float[Tensor, " V"],
    named: Mapping[str, Float[Tensor, " V"]],
    truth: float,
    label: str,
    scale: str = "log",
) -> Figure:
    """Losses along one parameter, each divided by its maximum; minima are dots, but at the edges.

    `values` is the parameter, in order, `label` its name with unit, `scale` that of its axis.
    """
    across = values.numpy(force=True)
    fig, axis = column(2.8)
    axis.axvline(truth, **LIMIT)
    axis.text(truth, 1.07, "truth", ha="center", color=LIGHT["quiet"])
    axis.set(xscale=scale, xlabel=label, ylabel="loss / its maximum", ylim=(0, 1.05))
    for k, (name, loss) in enumerate(named.items()):
        height, role = relative(loss.numpy(force=True)), role_of(name, OTHERS[k])
        axis.plot(across, height, label=name, color=LIGHT[role])
        lowest = np.flatnonzero(local_minima(loss).numpy(force=True)[1:-1]) + 1
        axis.plot(across[lowest], height[lowest], "o", color=LIGHT[role])
    axis.set_xlim(across[0], across[-1])
    set_ticks(axis.xaxis, even(scale, across[0].item(), across[-1].item()))
    label_ends(axis)
    return fig


@styled
def curves(
    x: Sequence[float] | Tensor, named: Mapping[str, Sequence[float]], across: str, up: str
) -> Figure:
    """Curves over `x` on logarithmic axes, which `across` and `up` name; six at most."""
    fig, axis = column(3.0)
    x = [float(value) for value in x]
    for k, ((label, y), shape) in enumerate(zip(named.items(), SHAPES, strict=False)):
        colour = LIGHT[role_of(label, OTHERS[k % len(OTHERS)])]
        axis.plot(x, y, shape + "-", label=label, markersize=5, color=colour)
    axis.set(xlabel=across, ylabel=up, xscale="log", yscale="log")
    plain(axis.yaxis)
    set_ticks(axis.xaxis, x)
    label_ends(axis)
    return fig


@styled
def predictions(
    x: Sequence[float],
    named: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    across: str,
    up: str,
) -> Figure:
    """Theory as lines and measurements as dots, over `x` on a logarithmic axis."""
    fig, axis = column(3.0)
    for k, (label, (theory, measured)) in enumerate(named.items()):
        look = {"color": LIGHT[role_of(label, OTHERS[k])], "markersize": 5}
        axis.plot(x, theory, label=label, **look)
        axis.plot(x, measured, SHAPES[k], **look)
    axis.set(xlabel=across, ylabel=up, xscale="log", ylim=(0, None))
    set_ticks(axis.xaxis, x)
    label_ends(axis)
    return fig


@styled
def overlaps(
    seconds: Float[Tensor, " N"],
    original: Float[Tensor, " N"],
    named: Mapping[str, Float[Tensor, " N"]],
) -> Figure:
    """A curve over time as a filled shape, and in each panel another one as a line."""
    fig, panels = layout(len(named), 2.3, 1.6, sharex=True)
    seconds, original = (each.numpy(force=True) for each in (seconds, original))
    for axis, (title, other) in zip(panels, named.items(), strict=True):
        axis.fill_between(seconds, original, color=LIGHT["quiet"], alpha=0.5, linewidth=0)
        axis.plot(seconds, other.numpy(force=True), color=LIGHT["mss"])
        axis.set(title=title, xlabel="time (s)", ylabel="amplitude", xlim=(seconds[0], seconds[-1]))
        axis.set_yticks([])
    return fig


@styled
def dots(record: Mapping[tuple[str, str], Count]) -> Figure:
    """Success rates with 95 % Wilson intervals: a row for each task, a colour for each loss.

    `record` holds (successes, trials) by loss and task.
    """
    losses, tasks = (list(dict.fromkeys(names)) for names in zip(*record, strict=True))
    fig, axis = column(0.9 + len(tasks) * (0.14 * len(losses) + 0.14))
    for k, loss in enumerate(losses):
        rows = [row for row, task in enumerate(tasks) if (loss, task) in record]
        share, reach = _percent_of([record[loss, tasks[row]] for row in rows])
        where = np.array(rows) + 0.7 * ((k + 0.5) / len(losses) - 0.5)
        colour = LIGHT[role_of(loss, OTHERS[k % len(OTHERS)])]
        look = {"fmt": SHAPES[k % len(SHAPES)], "color": colour, "markersize": 5}
        axis.errorbar(share, where, xerr=reach, label=loss, **look)
    axis.set(xlabel="success (%)", xlim=(-3, 103), ylim=(len(tasks) - 0.5, -0.5))
    axis.set_yticks(range(len(tasks)), tasks)
    axis.grid(axis="x", alpha=0.3)
    columns = len(losses) if fig.get_figwidth() > PHONE else 2
    fig.legend(loc="outside upper left", ncols=columns, handlelength=1, columnspacing=1)
    return fig


def _percent_of(counts: Collection[Count]) -> tuple[np.ndarray, np.ndarray]:
    """Success rates (K,) in percent, and the reach (2, K) of their 95 % intervals."""
    share = np.array([good / trials for good, trials in counts])
    limits = np.array([wilson(*count) for count in counts]).T
    return 100 * share, 100 * abs(limits - share)


@styled
def trainings(
    steps: Sequence[int],
    errors: Mapping[str, Mapping[str, Sequence[Sequence[float]]]],
    seconds: Mapping[str, float],
) -> Figure:
    """Error over steps, and over seconds: `errors` by task and criterion, one row a seed.

    A line is the median over seeds, and its band reaches from the lowest to the highest; a step of
    each criterion takes so many `seconds`.
    """
    fig, panels = layout(2 * len(errors), 3, 2.7)
    for k, (task, named) in enumerate(errors.items()):
        for axis, timed in zip(panels[2 * k : 2 * k + 2], (False, True), strict=True):
            for (name, rows), dash in zip(named.items(), [*DASHES, "-", "--"], strict=False):
                percent, last = 100 * np.array(rows)[:, 1:], f"root {name}" in named
                x = np.array(steps[1:]) * (seconds[name] if timed else 1)
                look = {"color": LIGHT[role_of(name, TRAINED.get(name, "quiet"))]}
                axis.plot(x, np.median(percent, 0), "--" if last else dash, label=name, **look)
                axis.fill_between(x, percent.min(0), percent.max(0), alpha=0.15, lw=0, **look)
            axis.set(title=task, xlabel="seconds" if timed else "steps", yscale="log")
            axis.set(xscale="log" if timed else "linear", ylabel="median error (%)")
            if timed:
                plain(axis.xaxis)
            set_ticks(axis.yaxis, (3, 5, 10, 20, 50, 100))
    columns = 3 if fig.get_figwidth() > PHONE else 2
    fig.legend(*axis.get_legend_handles_labels(), loc="outside upper left", ncols=columns)
    return fig


@styled
def bars(panels: Mapping[str, Mapping[str, float]], scale: str = "log") -> Figure:
    """Horizontal bars on axes of one scale: a panel for each quantity, a bar for each name."""
    fig, axes = layout(len(panels), 3, 1.9, sharey=False)
    for axis, (label, named) in zip(axes, panels.items(), strict=True):
        names, values = list(named), np.array(list(named.values()))
        drawn = axis.barh(names, values, color=[LIGHT[role_of(name, "quiet")] for name in names])
        written = [np.format_float_positional(v, 2, fractional=False, trim="-") for v in values]
        axis.bar_label(drawn, written, padding=3)
        lowest, room = (values.min() / 3, 8) if scale == "log" else (0, 1.4)
        axis.set(xlabel=label, xscale=scale, xlim=(lowest, values.max() * room))
        if scale == "log":
            plain(axis.xaxis)
        axis.invert_yaxis()
    return fig
