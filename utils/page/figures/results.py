"""Figures of results: errors of searches, success rates, trainings, cost."""

from collections.abc import Collection, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from ...experiments.statistics import wilson
from .style import BLUE, COLOURS, DASHES, LIMIT, MARKERS, RED, STYLE, layout, styled

ERROR = "larger parameter error (%)"
Count = tuple[int, int]  # successes, trials


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
    axis.set_xticks(x, [f"{value:g}" for value in x])
    axis.set_xticks([], minor=True)
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
    panels: Mapping[str, Mapping[str, Count]],
    live: Mapping[str, Mapping[str, Sequence[bool]]],
) -> Figure:
    """Success rates with 95 % Wilson intervals: a panel for each task, a row for each loss.

    `panels` holds (successes, trials) by task and loss; `live`, by the same names, outcomes of
    single runs, drawn as crosses at nothing or all.
    """
    names = list(dict.fromkeys(name for counts in panels.values() for name in counts))
    fig, axes = layout(len(panels), 2.45, 0.9 + 0.24 * len(names), columns=4, sharex=True)
    for axis, (title, counts) in zip(axes, panels.items(), strict=True):
        share, reach = _percent_of(counts.values())
        rows = [names.index(name) for name in counts]
        axis.errorbar(share, rows, xerr=reach, fmt="o", color=BLUE, markersize=5)
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
                if not k:  # a short training is no more than a point
                    axis.plot(each.seconds[-1], percent[-1], "o", color=colour)
        axis.set(title=f"sounds {test}", xlabel="seconds of training", xscale="log", yscale="log")
        axis.xaxis.set_major_formatter("{x:g}")
        axis.set_yticks(*[[3, 5, 10, 20, 50, 100, 200]] * 2)
        axis.set_yticks([], minor=True)
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
