"""The chain of DDSP, drawn."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .style import BLUE, styled

GREY, PALE = "0.85", "#cfe3f3"
BOXES = {
    (2.6, 3.2): ("$f_W$", GREY),
    (6.4, 3.2): ("$g$", "white"),
    (10.2, 3.2): (r"$\Phi$", PALE),
    (10.2, 1.2): (r"$\Phi$", PALE),
    (13.2, 2.2): (r"$\|\cdot\|_p$", "white"),
}
SIGNALS = {(0.3, 3.2): "$y$", (0.3, 1.2): "$y$", (4.5, 3.6): r"$\theta$"}
SIGNALS |= {(8.2, 3.6): "$x$", (15.6, 2.2): "$L$"}
WORDS = {(2.6, 2.1): "network", (6.4, 2.1): "synthesizer", (10.2, 0.5): "DTFA"}
ARROWS = [((0.6, 3.2), (1.9, 3.2)), ((3.3, 3.2), (5.8, 3.2)), ((7.0, 3.2), (9.5, 3.2))]
ARROWS += [((0.6, 1.2), (9.5, 1.2)), ((14.1, 2.2), (15.2, 2.2))]
ARROWS += [((10.9, 3.2), (12.3, 2.5)), ((10.9, 1.2), (12.3, 1.9))]


@styled
def operators() -> Figure:
    """The three operators of DDSP, and the layer of time-frequency analysis within the loss."""
    fig, axis = plt.subplots(figsize=(8, 2.6))
    axis.set(xlim=(0, 16), ylim=(0, 5.2))
    axis.axis("off")
    axis.add_patch(Rectangle((8.9, 0.2), 5.5, 4.3, fill=False, edgecolor=BLUE, linestyle="--"))
    axis.text(11.6, 4.7, "the loss $L$", color=BLUE, ha="center")
    centred = {"ha": "center", "va": "center"}
    for at, (label, colour) in BOXES.items():
        box = {"boxstyle": "round,pad=0.5", "facecolor": colour, "edgecolor": "black"}
        axis.text(*at, label, bbox=box, fontsize=13, **centred)
    for start, end in ARROWS:
        axis.annotate("", end, start, arrowprops={"arrowstyle": "->"})
    for at, label in SIGNALS.items():
        axis.text(*at, label, fontsize=13, **centred)
    for at, label in WORDS.items():
        axis.text(*at, label, color="0.3", **centred)
    return fig
