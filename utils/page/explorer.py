"""Explorers of the chirp and of its landscapes, which need no kernel and no network.

Each call shows plain HTML with inline script (`scripts`), for the site, Jupyter, Colab and
the slides alike. The browser makes the sounds itself; what it cannot compute, the losses over the
grid, comes along as numbers.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, display
from torch import Tensor

from ..experiments.charts import Chart
from ..parameters import parameters_of
from ..synth import am_chirp
from .colours import LANDSCAPE, SCALOGRAM

SCRIPTS = Path(__file__).parent / "scripts"


def chirp() -> None:
    """Show sliders for modulation frequency, chirp rate and delay, with sound and scalogram."""
    label = "Explorer of the chirp: three sliders, a scalogram, a player"
    _show("chirp", label, colours=_colours(SCALOGRAM))


def landscape(
    charts: Mapping[str, Chart], start: tuple[float, float] | None = None, samples: int = 0
) -> None:
    """Show losses over one grid, side by side, for a target that the reader moves.

    The charts have one grid, the same delays and targets. The target is at first in the middle of
    them, `samples` late. From `start`, if it is given, each loss shows a descent.
    """
    first = next(iter(charts.values()))
    _show(
        "landscape",
        f"Explorer of the landscapes of {' and '.join(charts)}",
        colours=_colours(LANDSCAPE),
        shape=first.grid.shape[:-1],
        places=first.losses.shape[1:3],
        delays=first.delays,
        values={name: _packed(each.losses) for name, each in charts.items()},
        slopes={name: _packed(each.slopes) for name, each in charts.items()},
        delay=first.delays.index(samples),
        start=start,
    )


def _packed(values: Tensor) -> str:
    """Numbers in single precision, as text."""
    return base64.b64encode(values.float().numpy(force=True).tobytes()).decode()


def _colours(name) -> list[list[int]]:
    """64 colours of a Matplotlib map, as bytes."""
    return plt.get_cmap(name)(np.linspace(0, 1, 64), bytes=True)[:, :3].tolist()


def _show(kind: str, label: str, **data) -> None:
    """Emit a box, the data that it carries, and the script that brings it to life."""
    data["ranges"] = [(each.low, each.high) for each in parameters_of(am_chirp)]
    scripts = ("chirp", "parts", "chirp_explorer", "landscape_explorer", "alive")
    code = "\n".join((SCRIPTS / f"{name}.js").read_text(encoding="utf-8") for name in scripts)
    style = (SCRIPTS / "explorer.css").read_text(encoding="utf-8")
    content = json.dumps(data).replace("</", "<\\/")  # ends no script early
    box = f'<div class="dtfa-explorer" data-kind="{kind}" role="group" aria-label="{label}">'
    box += "<p>Here is an explorer, which needs a page that may run scripts.</p>"
    box += f'<script type="application/json">{content}</script></div>'
    display(HTML(f"<style>{style}</style>{box}<script>(() => {{\n{code}\n}})();</script>"))
