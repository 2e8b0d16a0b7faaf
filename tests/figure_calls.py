"""A good call of each figure of `utils/plot.py`, on small data; the figure is drawn and closed."""

import functools
from collections.abc import Callable

import matplotlib.pyplot as plt
import torch
from public_calls import FOUND, GRID, RATE, THETA, Call, X, brief, small_jtfs

from utils.experiments.encoder import Training
from utils.page import plot
from utils.search.landscape import Atlas


def drawn(draw: Callable) -> Callable:
    """As `draw`, but for the figure, which is drawn and closed: one that cannot be is an error."""

    @functools.wraps(draw)
    def inner(**arguments) -> None:
        try:
            draw(**arguments).draw_without_rendering()
        finally:
            plt.close("all")

    inner.__qualname__ = draw.__name__
    return inner


def figure(draw: Callable, tries: int = 30, **good) -> Call:
    return Call("plot", drawn(draw), good, tries=tries)


CHANGES = torch.tensor([1.0, 0.5, 2.0])
ERRORS = torch.tensor([[0.1, 0.3, 0.2], [1.0, 0.5, 0.9]])
WAVELET = torch.polar(torch.hann_window(64).expand(4, 64), torch.arange(256.0).reshape(4, 64))
WAY = (GRID / THETA[1]).log()
COURSE = Training(None, [0, 10, 20], [0.0, 1.0, 2.0], {"on time": [0.5, 0.4, 0.2]})
PLANE = dict(synth=brief, theta=THETA[1])
SURFACES = PLANE | dict(
    atlas=Atlas(GRID, None, None), named={"bowl": (WAY.square().sum(-1), WAY / GRID)}
)

CALLS = [
    figure(plot.sounds, named={"one": X[0], "another": X[1]}, sample_rate=RATE),
    figure(plot.envelopes, named={"one": X[0], "another": X[1]}, seconds=(-0.5, 0.5)),
    figure(plot.spectrograms, x=X[0], n_ffts=(256, 64), sample_rate=RATE),
    figure(plot.filters, named={"bank": X[:, :64]}, sample_rate=RATE),
    figure(
        plot.joint_wavelets,
        named={"real": WAVELET.real.clone(), "complex": WAVELET},
        sample_rate=64,
        per_octave=8,
    ),
    figure(
        plot.maps,
        named={"one": WAVELET.abs(), "another": WAVELET.abs()},
        hertz=(1600.0, 800.0, 400.0, 200.0),
        duration=2.0,
    ),
    figure(
        plot.rate_scale,
        named={"one": small_jtfs(X[0]), "another": small_jtfs(X[1])},
        table=small_jtfs.table(RATE),
    ),
    figure(plot.curves, x=CHANGES, named={"a": [0.1, 0.5, 1.0]}, across="delay", up="change"),
    figure(plot.surfaces, **SURFACES),
    figure(plot.surfaces, **SURFACES, paths={"bowl": [FOUND]}),
    figure(plot.slices, values=GRID[0, :, 1], named={"a": CHANGES}, truth=2.0, label="rate (Hz)"),
    figure(plot.errors, named={"one": [CHANGES, CHANGES]}, threshold=0.05),
    figure(plot.trainings, named={"supervised": [COURSE, COURSE], "JTFS": [COURSE]}),
    figure(plot.rates, named={"MSS": [(1, 4), None]}, groups=["0", "256"], label="delay"),
    figure(
        plot.spread,
        named={"MSS": ERRORS},
        groups=["0", "256"],
        across="jitter",
        threshold=0.05,
    ),
    figure(
        plot.forest,
        panels={"now": {"a": (1, 4), "b": (4, 4)}, "later": {"a": (0, 4)}},
        live={"now": {"a": [True, False]}},
        columns=2,
    ),
    figure(plot.landscapes, **PLANE, grid=GRID, named={"slope": WAY[..., 0], "flat": ERRORS**0}),
    figure(plot.bars, panels={"time (s)": {"a": 0.5, "b": 20.0}, "memory (MB)": {"a": 3.0}}),
]
