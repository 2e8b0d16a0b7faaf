"""Explorers of the chirp and of its landscapes, which need no kernel and no network.

Each call shows plain HTML with inline script (`scripts`), for the site, Jupyter, Colab and
the slides alike. The browser makes the sounds itself; what it cannot compute, the losses over the
grid, comes along as numbers.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from joblib import delayed
from torch import Tensor

from .. import checks
from ..experiments.cache import once
from ..search.landscape import survey
from ..search.processes import parallel
from ..synth import am_chirp, delay, parameters_of
from . import show
from .plot import MAP, SURFACE_MAP

PAGE = Path(__file__).parent / "scripts"
PLACES = (8, 8)  # of the target, over modulation frequency and chirp rate
MANY = 10_000  # features, from which on a survey keeps losses instead
AT_ONCE = 128  # targets of such a survey: their features are held in memory


@dataclass(frozen=True)
class Chart:
    """A loss over a grid (A, B), p = 1, for targets at places (C, D), each at V delays.

    Attributes
    ----------
    grid : (A, B, 2), parameters of the candidates.
    delays : V numbers of samples.
    losses : (V, C, D, A, B).
    slopes : (V, C, D, A, B, 2), the gradient by log-parameters.
    """

    grid: Tensor
    delays: tuple[int, ...]
    losses: Tensor
    slopes: Tensor


def places(counts: tuple[int, int] = PLACES) -> Tensor:
    """Parameters (C, D, 2) of targets: the middles of even cells of the range, in logarithms."""
    axes = []
    counts = checks.items("counts", counts, count=2)
    for each, count in zip(parameters_of(am_chirp), counts, strict=True):
        part = (torch.arange(checks.integer("counts", count, least=1, most=2**10)) + 0.5) / count
        axes.append(each.low * (each.high / each.low) ** part)
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)


def chart(
    phi: Callable[[Tensor], Tensor],
    grid: Tensor,
    delays: Sequence[int],
    counts: tuple[int, int] = PLACES,
    n_jobs: int = -1,
) -> Chart:
    """Survey a loss for targets at all `places(counts)` and delays; see `Chart`.

    Many features, as those of MSS, are compared with some targets at a time and forgotten; for
    few, one survey of the grid serves all, and is shared with other chapters. `n_jobs` is as in
    `survey`.

    Raises
    ------
    TypeError, ValueError
        As `survey` does.
    """
    checks.function("phi", phi)
    checks.floating("grid", grid, last=2)
    delays = checks.every("delays", delays, checks.integer, least=1)
    sounds = am_chirp(places(counts)).flatten(0, 1)
    with torch.no_grad():
        many = phi(sounds[0]).shape[-1] > MANY
    late = torch.cat([delay(sounds, samples) for samples in delays])
    if many:
        kept = partial(survey, am_chirp, phi, grid, n_jobs=n_jobs, norms=(1,))
        atlases = [kept(part) for part in late.split(AT_ONCE)]
        found = [atlas.surface(k, p=1) for atlas in atlases for k in range(len(atlas.losses[1]))]
    else:
        atlas = once(survey, am_chirp, phi, grid, n_jobs=n_jobs)
        # Parts are copied: a view would take the whole of its tensor along to another process.
        work = (delayed(_features)(phi, part.clone()) for part in late.split(8))
        heard = torch.cat(list(parallel(n_jobs, late.device)(work)))
        found = [atlas.surface(features, p=1) for features in heard]
    shape = (len(delays), *counts, *grid.shape[:-1])
    losses = torch.stack([loss for loss, _ in found]).reshape(shape)
    slopes = torch.stack([gradient * grid for _, gradient in found]).reshape(*shape, 2)
    return Chart(grid, tuple(delays), losses, slopes)


def _features(phi: Callable, sounds: Tensor) -> Tensor:
    with torch.no_grad():
        return phi(sounds)


def chirp(theta: tuple[float, float] = (8.0, 2.0), samples: int = 0) -> None:
    """Show sliders for modulation frequency, chirp rate and delay, with sound and scalogram.

    Parameters
    ----------
    theta : where the sliders stand at first, within the range of `am_chirp`.
    samples : the delay at first.

    Raises
    ------
    ValueError
        If a slider cannot stand there.
    """
    theta = checks.every("theta", theta, checks.real, count=2)
    for each, value in zip(parameters_of(am_chirp), theta, strict=True):
        if not each.low <= value <= each.high:
            raise ValueError(f"theta is {theta}; expected {each.name} from {each.low} on, "
                             f"to {each.high} {each.unit}")  # fmt: skip
    samples = checks.integer("samples", samples, least=0, most=2**12)
    data = {"colours": _colours(MAP), "theta": theta, "delay": samples}
    _show("chirp", "Explorer of the chirp: three sliders, a scalogram, a player", data)


def landscape(
    charts: Mapping[str, Chart],
    start: tuple[float, float] | None = None,
    place: tuple[int, int] | None = None,
    samples: int = 0,
) -> None:
    """Show losses over one grid, side by side, for a target that the reader moves.

    Parameters
    ----------
    charts : by name, of one grid and the same delays and places.
    start : parameters from which descents start, where there are to be any.
    place, samples : of the target at first: indices of `places`, or None for the middle, and one
        of the delays.

    Raises
    ------
    TypeError, ValueError
        If charts differ in shape or delays, or lack the delay or the place, or the start is not
        positive.
    """
    charts = checks.named("charts", charts, _a_chart)
    first = next(iter(charts.values()))
    for name, each in charts.items():
        if each.delays != first.delays or each.losses.shape != first.losses.shape:
            raise ValueError(f"charts[{name!r}] has other delays, places or grid than the first")
    counts = first.losses.shape[1:3]
    place = checks.items("place", place or [count // 2 for count in counts], count=2)
    within = all(
        0 <= checks.integer("place", at) < count for at, count in zip(place, counts, strict=True)
    )
    if checks.integer("samples", samples) not in first.delays or not within:
        raise ValueError(
            f"samples is {samples} and place {place}; expected one of {first.delays} and indices "
            f"within {tuple(counts)}"
        )
    if start is not None:
        start = checks.every("start", start, partial(checks.real, above=0), count=2)
    ranges = [(each.low, each.high) for each in parameters_of(am_chirp)]
    parts = start and [
        np.log(value / low) / np.log(high / low)
        for value, (low, high) in zip(start, ranges, strict=True)
    ]
    data = {
        "colours": _colours(SURFACE_MAP),
        "shape": first.grid.shape[:-1],
        "places": counts,
        "delays": first.delays,
        "losses": {name: _packed(each) for name, each in charts.items()},
        "place": place,
        "delay": first.delays.index(samples),
        "start": parts,
    }
    _show("landscape", f"Explorer of the landscapes of {' and '.join(charts)}", data)


def _a_chart(name: str, value: Chart) -> Chart:
    return checks.instance(name, value, Chart)


def _packed(chart: Chart) -> dict[str, str]:
    """Losses and slopes as 16-bit integers, each surface in parts of its own extreme."""
    losses, slopes = chart.losses.double(), chart.slopes.double()
    top = losses.amax((-2, -1), keepdim=True).clamp(min=1e-30)
    steepest = slopes.abs().amax((-3, -2, -1), keepdim=True).clamp(min=1e-30)
    return {
        "values": _text(losses / top * (2**16 - 1), "<u2"),
        "slopes": _text(slopes / steepest * (2**15 - 1), "<i2"),
    }


def _text(values: Tensor, kind: str) -> str:
    return base64.b64encode(values.round().numpy(force=True).astype(kind).tobytes()).decode()


def _colours(name) -> list[list[int]]:
    """64 colours of a Matplotlib map, as bytes."""
    colours = plt.get_cmap(name)(np.linspace(0, 1, 64))[:, :3]
    return (255 * colours).round().astype(int).tolist()


def _show(kind: str, label: str, data: dict) -> None:
    """Emit a box, the data that it carries, and the script that brings it to life."""
    data["ranges"] = [(each.low, each.high) for each in parameters_of(am_chirp)]
    scripts = ("chirp", "parts", "chirp_explorer", "landscape_explorer", "alive")
    code = "\n".join((PAGE / f"{name}.js").read_text(encoding="utf-8") for name in scripts)
    style = (PAGE / "explorer.css").read_text(encoding="utf-8")
    content = json.dumps(data).replace("</", "<\\/")  # ends no script early
    show.markup(
        f"<style>{style}</style>"
        f'<div class="dtfa-explorer" data-kind="{kind}" role="group" aria-label="{label}">'
        f"<p>Here is an explorer, which needs a page that may run scripts.</p>"
        f'<script type="application/json">{content}</script></div>'
        f"<script>(() => {{\n{code}\n}})();</script>",
        plain=label,
    )
