"""A playground for the real solver, where there is a kernel; a still of it where there is none."""

import os
from collections.abc import Callable, Mapping

import torch
from IPython.display import HTML, display
from ipywidgets import interact_manual

from ..parameters import parameters_of
from ..search.first_order import gradient_descent
from ..search.match import errors
from ..synth import am_chirp, delay
from . import show


def playground(losses: Mapping[str, Callable], colab: str) -> None:
    """Choose loss, target, delay and start; descend; hear and see what is found.

    With a kernel, this shows controls. In the build of the static page it shows one descent and
    a link to `colab`, where the chapter can be run.
    """
    names = list(losses)

    def descend(loss=names[0], samples=2**10, f_m=8.0, gamma=2.0, start_f_m=6.0, start_gamma=1.2):
        truth, start = torch.tensor([f_m, gamma]), torch.tensor([start_f_m, start_gamma])
        target = delay(am_chirp(truth), samples)
        match = gradient_descent(am_chirp, losses[loss], target, start)
        found, error = match.thetas[-1], errors(match, truth)[-1]
        sounds = {"target": target, "start": am_chirp(start), "found": am_chirp(found)}
        show.sounds(
            sounds,
            alt="Scalograms of the target, of the start and of what descent found.",
            caption=f"A descent on {loss}, to a target delayed by {samples} samples, ends after "
            f"{len(match.thetas) - 1} steps at {found[0]:.2f} Hz and {found[1]:.2f} octaves/s, "
            f"{error:.1%} away from {f_m:.2f} Hz and {gamma:.2f} octaves/s.",
        )

    if "DTFA_STILL" in os.environ:  # of a build, whose pages have no kernel
        link = f'<a href="{colab}">run this chapter in Colab</a>. A still of it:'
        display(HTML(f"<p>With a kernel, here are controls that run the real solver: {link}</p>"))
        descend()
    else:
        rate, slope = ((each.low, each.high) for each in parameters_of(am_chirp))
        ranges = {"f_m": rate, "gamma": slope, "start_f_m": rate, "start_gamma": slope}
        interact_manual(descend, loss=names, samples=[0, 2**8, 2**10, 2**12], **ranges)
