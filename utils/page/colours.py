"""The book's colours and marks, for figures, tables and explorers alike.

Each role has a colour for light ground and one for dark. All have a contrast of 4.5 to their
ground, so that text may wear them, and common kinds of colour vision tell them apart.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Colormap, ListedColormap

ROLES = {
    "ground": ("#ffffff", "#14181e"),  # of the page, from the site's theme
    "ink": ("#1f2328", "#e8eaed"),  # text, axes, the target
    "quiet": ("#646b76", "#a0a8b4"),  # grids, limits, what is only context
    "mss": ("#c24e00", "#ff9d5c"),  # the spectrogram loss
    "jtfs": ("#0068a8", "#63b3f0"),
    "third": ("#00755a", "#3fc79c"),  # other losses and series, in their order
    "fourth": ("#8f4a8b", "#d9a0d5"),
    "fifth": ("#806000", "#dcb84e"),
}
LIGHT, DARK = ({role: pair[k] for role, pair in ROLES.items()} for k in (0, 1))
OTHERS = ("third", "fourth", "fifth", "quiet")

# The marks of a landscape: Matplotlib's names of shapes, and colours that do not follow the ground,
# since the map beneath them does not. Each has a contrast of 3 to every colour of the map.
MARKS = {"start": "s", "end": "X", "truth": "*", "minimum": "o"}  # the last is a ring, not filled
MARK = "#ffffff"  # arrows, paths, start, end and minima
TRUTH = "#ffe680"
EDGE = "#1f2328"  # around marks

SCALOGRAM: Colormap = plt.get_cmap("magma")  # of energy over time and frequency
# Of a loss, from its minimum to its maximum: without the bright end, on which marks would be lost.
LANDSCAPE: Colormap = ListedColormap(plt.get_cmap("viridis")(np.linspace(0, 0.46, 256)))


def role_of(label: str, others: int = 0) -> str:
    """The role of what a label names: target, spectrogram loss or JTFS, else `OTHERS[others]`."""
    words = label.lower()
    if any(word in words for word in ("target", "truth", "the sound")):
        return "ink"
    named = (role for role in ("mss", "jtfs") if role in words)
    return next(named, OTHERS[others % len(OTHERS)])


def variables(dark: bool = False) -> str:
    """CSS that sets one variable a role, such as `--dtfa-mss`, for light ground or for dark."""
    return "".join(f"--dtfa-{role}:{pair[dark]};" for role, pair in ROLES.items())
