"""Figures of loss surfaces over two parameters, and of cuts along one.

Axes follow the scale of each parameter. A synthesizer may have more than two: a surface shows the
first two, or those that `over` names, and holds the others at the grid point next to the truth.
"""

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from torch import Tensor

from ...parameters import coordinates, parameters_of
from ...search.landscape import Atlas, local_minima
from ...search.match import Match
from .style import LIMIT, ORANGE, RED, SURFACE_MAP, layout, relative, styled

RINGS = {"markerfacecolor": "none", "markeredgecolor": ORANGE, "markeredgewidth": 2, "zorder": 3}
STAR = {"color": RED, "markeredgecolor": "white", "zorder": 3}
LOSS = "loss / its maximum"


@styled
def surfaces(
    atlas: Atlas,
    synth: Callable,
    named: Mapping[str, tuple[Float[Tensor, "*grid"], Float[Tensor, "*grid P"]]],
    theta: Float[Tensor, " P"],
    paths: Mapping[str, Sequence[Match]] | None = None,
    over: tuple[str, ...] = (),
) -> Figure:
    """Loss surfaces side by side, with arrows of descent, or with paths instead.

    `named` holds by title what `Atlas.surface` returns, `paths` by the same titles descents. The
    truth `theta` is a star, and minima on the grid of the atlas are circles.
    """
    shown, plane = _plane(atlas.grid, synth, theta, over)
    columns = 2 if len(named) == 4 else len(named)
    fig, axes = layout(len(named), max(4, 5 / columns), 3.8, columns=columns, sharex=True)
    grid = atlas.grid[plane][..., shown]
    for axis, (title, (loss, gradient)) in zip(axes, named.items(), strict=True):
        image = _surface(axis, grid, loss[plane], loss[plane])
        if paths is None:
            way = -atlas.to_coordinates(gradient)[plane][..., shown]
            way = way / way.norm(dim=-1, keepdim=True).clamp(min=1e-30)
            arrows = [each.numpy(force=True) for each in (*grid.unbind(-1), *way.unbind(-1))]
            axis.quiver(*arrows, color="white", scale=22)
        for match in (paths or {}).get(title, ()):
            walk = match.thetas[:, shown].numpy(force=True)
            axis.plot(*walk.T, color="white", linewidth=1)
            axis.plot(*walk[0], "s", color="white", markersize=4)
            axis.plot(*walk[-1], "X", color=ORANGE, markersize=7, markeredgecolor="black")
        _name_axes(axis, synth, shown, theta)
        axis.set_title(title)
    fig.colorbar(image, ax=axes, label=LOSS, ticks=(0, 0.5, 1))
    return fig


@styled
def landscapes(
    grid: Float[Tensor, "*grid P"],
    synth: Callable,
    named: Mapping[str, Float[Tensor, "*grid"]],
    theta: Float[Tensor, " P"],
) -> Figure:
    """Losses over one grid, each between its extremes; the truth is a star, minima are circles."""
    shown, plane = _plane(grid, synth, theta, over=())
    fig, axes = layout(len(named), 2.5, 2.3, columns=4, sharex=True)
    for axis, (title, loss) in zip(axes, named.items(), strict=True):
        loss = loss[plane]
        _surface(axis, grid[plane][..., shown], loss - loss.min(), loss)
        _name_axes(axis, synth, shown, theta)
        axis.set_title(title, fontsize=10)
    return fig


def _plane(
    grid: Tensor, synth: Callable, theta: Tensor, over: tuple[str, ...]
) -> tuple[list[int], tuple]:
    """The indices of the two parameters to draw, and of the part of a grid that shows them."""
    names = [each.name for each in parameters_of(synth)]
    shown = [names.index(name) for name in over or names[:2]]
    to_z, _ = coordinates(synth)
    away = (to_z(grid) - to_z(theta)).abs()
    plane = [away[..., k].movedim(k, 0).flatten(1)[:, 0].argmin() for k in range(len(names))]
    return shown, tuple(slice(None) if k in shown else at for k, at in enumerate(plane))


def _surface(axis: plt.Axes, grid: Tensor, height: Tensor, loss: Tensor) -> ContourSet:
    """Fill a panel with heights over a grid (A, B, 2); rings are the minima of the loss."""
    first, second = grid.numpy(force=True).transpose(2, 0, 1)
    levels, height = np.linspace(0, 1, 21), relative(height.numpy(force=True))
    lowest = local_minima(loss).numpy(force=True)
    axis.plot(first[lowest], second[lowest], "o", markersize=10, **RINGS)
    return axis.contourf(first, second, height, levels=levels, cmap=SURFACE_MAP)


def _name_axes(axis: plt.Axes, synth: Callable, shown: list[int], theta: Tensor) -> None:
    """Name the two axes after the synthesizer's parameters, and mark the truth by a star."""
    axis.plot(*theta[shown].tolist(), "*", markersize=15, **STAR)
    across, up = (parameters_of(synth)[k] for k in shown)
    axis.set(xscale=across.scale, yscale=up.scale)
    axis.set(xlim=(across.low, across.high), ylim=(up.low, up.high))
    for line, each in ((axis.xaxis, across), (axis.yaxis, up)):
        _set_ticks(line, each.low, each.high, each.scale)
        line.set_label_text(f"{each.name} ${each.symbol}$ ({each.unit})")


def _set_ticks(line, low: float, high: float, scale: str) -> None:
    ticks = (np.geomspace if scale == "log" else np.linspace)(low, high, 5)
    line.set_ticks(ticks, [f"{tick:.2g}" if abs(tick) < 99.5 else f"{tick:.0f}" for tick in ticks])
    line.set_ticks([], minor=True)


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
    axis.set(xscale=scale, xlabel=label, ylabel=LOSS, ylim=(0, 1.05))
    _set_ticks(axis.xaxis, values[0].item(), values[-1].item(), scale)
    return fig
