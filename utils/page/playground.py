"""A playground for the real solver, where there is a kernel; a still of it where there is none."""

import html
import math
import os
from collections.abc import Callable, Mapping

import ipywidgets as widgets
import torch
from IPython.display import display
from torch import Tensor

from .. import checks
from ..experiments.comparison import TASKS
from ..search.match import errors, gradient_descent
from ..synth import SAMPLE_RATE, am_chirp, delay, parameters_of
from . import plot, show

DELAYS = TASKS["delay"].amounts
STILL = "DTFA_STILL"  # in the environment of a build, whose pages have no kernel


def playground(losses: Mapping[str, Callable], colab: str) -> None:
    """Choose target, delay, start and loss; descend; hear and see what is found.

    With a kernel, this shows controls of ipywidgets (7.7 or later). In the build of the static
    page it shows one descent and a link to run the chapter instead.

    Parameters
    ----------
    losses : by name, any callable `loss(x, y)`.
    colab : where the chapter can be run.

    Raises
    ------
    TypeError, ValueError
        If there is no loss, or one that cannot be called.
    """
    checks.named("losses", losses, checks.function)
    checks.text("colab", colab)
    target, start = torch.tensor([8.0, 2.0]), torch.tensor([6.0, 1.2])
    if STILL in os.environ:
        show.markup(
            "<p>With a kernel, here are sliders for target, delay and start, a menu of losses and "
            f'a button that runs the real solver: <a href="{html.escape(colab)}">run this chapter '
            "in Colab</a>. A still of it, with the sliders where they stand at first:</p>",
            plain=colab,
        )
        attempt(losses, next(iter(losses)), target, DELAYS[2], start)
    else:
        display(controls(losses, target, start))


def controls(losses: Mapping[str, Callable], target: Tensor, start: Tensor) -> widgets.Widget:
    """The sliders, the menu, the button and the place where a descent is shown."""
    checks.named("losses", losses, checks.function)
    for name, theta in (("target", target), ("start", start)):
        _within_range(name, theta)

    wide = {"style": {"description_width": "10em"}, "layout": {"width": "32em"}}

    def sliders(what: str, theta: Tensor) -> list[widgets.FloatLogSlider]:
        return [
            widgets.FloatLogSlider(
                value=value,
                base=2,
                min=math.log2(each.low),
                max=math.log2(each.high),
                step=0.02,
                description=f"{what} ({each.unit})",
                readout_format=".2f",
                **wide,
            )
            for each, value in zip(parameters_of(am_chirp), theta.tolist(), strict=True)
        ]

    sought, begun = sliders("target", target), sliders("start", start)
    late = widgets.SelectionSlider(
        options=DELAYS, value=DELAYS[2], description="delay (samples)", **wide
    )
    loss = widgets.Dropdown(options=list(losses), description="loss", **wide)
    button = widgets.Button(description="descend", button_style="primary")
    output = widgets.Output()

    def descend(_):
        button.disabled = True
        output.clear_output(wait=True)
        with output:
            chosen = [torch.tensor([each.value for each in pair]) for pair in (sought, begun)]
            attempt(losses, loss.value, chosen[0], late.value, chosen[1])
        button.disabled = False

    button.on_click(descend)
    return widgets.VBox([*sought, late, *begun, loss, button, output])


def attempt(
    losses: Mapping[str, Callable], name: str, theta: Tensor, samples: int, start: Tensor
) -> None:
    """Descend by one loss from a start (P,) towards theta (P,) delayed; show what is found.

    Raises
    ------
    TypeError, ValueError
        If there is no such loss, or as `am_chirp`, `delay` and `gradient_descent` do.
    """
    checks.one_of("name", name, checks.named("losses", losses, checks.function))
    for what, each in (("theta", theta), ("start", start)):
        checks.positive(what, each, last=2, ndim=1)
    checks.same_device("theta", theta, "start", start)
    target = delay(am_chirp(theta), samples)
    match = gradient_descent(am_chirp, losses[name], target, start)
    found = match.thetas[-1]
    (f_m, gamma), error = found.tolist(), errors(match, theta)[-1].item()
    text = (
        f"{name}, {len(match.thetas) - 1} steps: {f_m:.2f} Hz and {gamma:.2f} octaves/s, "
        f"{error:.1%} away from {theta[0]:.2f} Hz and {theta[1]:.2f} octaves/s."
    )
    sounds = {"target": target, "start": am_chirp(start), "found": am_chirp(found)}
    show.markup(f"<p>{html.escape(text)}</p>", plain=text)
    show.audio(sounds, SAMPLE_RATE)
    show.figure(
        plot.sounds(sounds),
        alt=f"Waveform above scalogram of the target, {samples} samples late, of the start and of "
        "what the descent found.",
        caption=f"A descent by {name}: the target, {samples} samples late; where the descent "
        "starts; where it ends.",
    )


def _within_range(name: str, theta: Tensor) -> None:
    """Raise unless sliders can stand at parameters (2,)."""
    values = checks.positive(name, theta, last=2, ndim=1).tolist()
    for each, value in zip(parameters_of(am_chirp), values, strict=True):
        if not each.low <= value <= each.high:
            raise ValueError(
                f"{name} is {values}; expected {each.name} from {each.low} on, to {each.high} "
                f"{each.unit}"
            )
