"""Explorers of the chirp and of its landscapes, which need no kernel and no network.

Each call shows plain HTML with inline script (`scripts`), for the site, Jupyter, Colab and
the slides alike. The browser makes the sounds itself; what it cannot compute, the losses over the
grid, comes along as numbers.
"""

import base64
import json
from collections.abc import Mapping

import numpy as np
from IPython.display import HTML, display
from torch import Tensor

from ..experiments.charts import Chart
from ..parameters import parameters_of
from ..synth import am_chirp
from .colours import LANDSCAPE, role_of
from .show import kit

PARTS = ("card", "chirp", "chirp_explorer", "landscape_explorer", "parts", "wake")
TITLES = {"MSS": "Spectrogram (MSS)", "JTFS": "Scattering (JTFS)"}
NEAR = {"target": (8.0, 2.0), "start": (6.0, 1.2)}
FAR = {"target": (11.3, 1.2), "start": (4.5, 3.4)}
EXAMPLES = {  # delays in samples
    "a delay of 31 ms": NEAR | {"delay": 2**8},
    "a delay of 125 ms": NEAR | {"delay": 2**10},
    "start far away": FAR | {"delay": 0},
}


def chirp() -> None:
    """Show sliders for modulation frequency, chirp rate and delay, with a sound card."""
    _show("chirp", "Explorer of the chirp: a scalogram that sounds, three sliders")


def landscape(charts: Mapping[str, Chart]) -> None:
    """Show losses over one grid, side by side, for a target and a start that the reader moves.

    The charts have one grid, the same delays and targets; examples are those whose delay they have.
    """
    first = next(iter(charts.values()))
    _show(
        "landscape",
        f"Explorer of the landscapes of {' and '.join(charts)}",
        b"".join(_packed(each.losses, each.slopes) for each in charts.values()),
        losses=[
            {"name": name, "title": TITLES.get(name, name), "role": role_of(name)}
            for name in charts
        ],
        colours=_colours(),
        shape=first.grid.shape[:-1],
        places=first.losses.shape[1:3],
        delays=first.delays,
        first=NEAR | {"delay": 0},
        examples={k: each for k, each in EXAMPLES.items() if each["delay"] in first.delays},
    )


def _packed(losses: Tensor, slopes: Tensor) -> bytes:
    """Each surface in parts of its largest value, a byte each: losses, then slopes.

    A slope is packed as its root, with its sign: small ones decide where a descent ends.
    """
    heights = losses / losses.amax((-2, -1), keepdim=True).clamp(min=1e-30)
    ways = slopes / slopes.abs().amax((-3, -2, -1), keepdim=True).clamp(min=1e-30)
    roots = ways.sign() * ways.abs().sqrt()
    return b"".join(
        (top * part).round().numpy(force=True).astype(kind).tobytes()
        for top, part, kind in ((255, heights, np.uint8), (127, roots, np.int8))
    )


def _colours() -> list[int]:
    """64 colours of the landscape, each as a canvas stores it: 0xAABBGGRR."""
    return LANDSCAPE(np.linspace(0, 1, 64), bytes=True).view("<u4").flatten().tolist()


def _show(kind: str, label: str, packed: bytes = b"", **data) -> None:
    """Emit a box, the data that it carries, and the script that brings it to life."""
    data["ranges"] = [(each.low, each.high) for each in parameters_of(am_chirp)]
    content = json.dumps(data).replace("</", "<\\/")  # ends no script early
    box = f'<div class="dtfa-explorer" data-kind="{kind}" role="group" aria-label="{label}">'
    box += "<p>This explorer needs JavaScript.</p>"
    box += f'<script type="application/json">{content}</script>'
    if packed:
        text = base64.b64encode(packed).decode()
        box += f'<script type="text/plain" class="dtfa-data">{text}</script>'
    style, script = kit(*PARTS)
    display(HTML(f"{style}{box}</div>{script}<script>dtfaWake();</script>"))
