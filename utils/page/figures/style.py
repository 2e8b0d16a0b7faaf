"""The style that all figures share: colours, marks, text, and how panels are laid out."""

import functools
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by all common kinds of colour vision.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE)
DASHES = ("-", "--", ":", "-.")
MARKERS = "osD^vX"
MAP = "cividis"
# Without its pale end, on which white arrows and paths would be lost.
SURFACE_MAP = ListedColormap(plt.get_cmap(MAP)(np.linspace(0, 0.75, 256)))
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
