"""The book's colours and marks, for figures, tables and explorers alike.

Each role has a colour for light ground and one for dark. Those of text and curves have a contrast
of 4.5 to their ground, and common kinds of colour vision tell them apart.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Colormap, ListedColormap

ROLES = {
    "ground": ("#ffffff", "#121212"),  # of the page, from the site's theme
    "ink": ("#1f2328", "#e8eaed"),  # text, axes, the target
    "quiet": ("#646b76", "#a0a8b4"),  # grids, limits, what is only context
    "mss": ("#c24e00", "#ff9d5c"),  # the spectrogram loss
    "jtfs": ("#0068a8", "#63b3f0"),
    "third": ("#7b3ce0", "#9b6dff"),  # other losses and series, in their order
    "fourth": ("#00755a", "#3fc79c"),
    "fifth": ("#806000", "#dcb84e"),
    "heat": ("#7fc1f5", "#0068a8"),  # the strongest of a heat map, whose numbers are in ink
}
LIGHT, DARK = ({role: pair[k] for role, pair in ROLES.items()} for k in (0, 1))
# The first of these that a label contains says which role it has, in every chapter.
NAMES = {
    **dict.fromkeys(("target", "truth"), "ink"),
    **dict.fromkeys(("mss", "spectrogram"), "mss"),
    **dict.fromkeys(("jtfs", "joint"), "jtfs"),
    "scattering": "third",
    "modulation spectrum": "fourth",
    "average spectrum": "fifth",
}
OTHERS = ("third", "fourth", "quiet", "fifth", "ink")

# Colours of the marks of a landscape do not follow the ground, since the map beneath them does not.
# Each has a contrast of 3 to every colour of the map. They differ from the roles' colours, which
# dark ground replaces.
MARK = "#fefefe"  # arrows, paths, start, end and minima
TRUTH = "#ffe680"
EDGE = "#1a1a1a"  # around marks

SCALOGRAM: Colormap = plt.get_cmap("magma")  # of energy over time and frequency
# Of a loss, from its minimum to its maximum: without the bright end, on which marks would be lost.
LANDSCAPE: Colormap = ListedColormap(plt.get_cmap("viridis")(np.linspace(0, 0.46, 256)))


def role_of(label: str, default: str = "ink") -> str:
    """The role of what a label names: the target, or a loss."""
    words = label.lower()
    return next((role for name, role in NAMES.items() if name in words), default)


def variables(dark: bool = False) -> str:
    """CSS that sets one variable a role, such as `--dtfa-mss`, for light ground or for dark."""
    return "".join(f"--dtfa-{role}:{pair[dark]};" for role, pair in ROLES.items())


def style(name: str) -> str:
    """The attribute that gives HTML the colour of what a text names, where `SHEET` stands.

    A sentence, of more than five words, has none.
    """
    return "" if len(name.split()) > 5 else f' style="color:var(--dtfa-{role_of(name)})"'


# The variables for the site, whose theme may be switched, for Colab and for JupyterLab.
DARK_PAGE = 'html:is([data-theme="dark"],[theme="dark"]),[data-jp-theme-light="false"]'
SHEET = f":root{{{variables()}}}{DARK_PAGE}{{{variables(dark=True)}}}"
