from inspect import isfunction, signature

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text

from utils.features.jtfs import JTFS
from utils.page import figures
from utils.parameters import Parameter, grid, parameters
from utils.synth import am_chirp

RATE = 8192
PHI = JTFS(4096, J=8, Q=(8, 1), J_fr=3, Q_fr=1, T=256)
TABLE = PHI.table(RATE)
X = am_chirp(torch.tensor([[8.0, 2.0], [6.0, 1.0]]), duration=0.5)
GRID = grid(am_chirp, (6, 5))
TRUTH = GRID[2, 3]
WAY = (GRID / TRUTH).log()
BOWL = (WAY.square().sum(-1), 2 * WAY)
WAVELET = torch.polar(torch.hann_window(64).expand(4, 64), torch.arange(256.0).reshape(4, 64))
BOTH, MAPS = {"one": X[0], "other": X[1]}, dict.fromkeys("abc", WAVELET.abs())
RECORD = {("MSS", "now"): (1, 4), ("JTFS", "now"): (4, 4), ("MSS", "late"): (2, 4)}
COSTS = {"time (s)": {"a": 0.5, "b": 20.0}, "memory (MB)": {"a": 3.0}}
LABELS = ["modulation frequency\n$f_m$ (Hz)", "chirp rate\n$\\gamma$ (octaves/s)"]
# What is drawn, from what, and which texts a reader must find in it.
DRAWN = [
    (figures.wavelets, ({"one": WAVELET[0]}, 64), ["one", "time (ms)", "amplitude"]),
    (figures.joint_wavelets, ({"one": WAVELET}, 64, 8), ["one", "time (s)", "octaves"]),
    (figures.maps, (MAPS, [800.0, 400.0, 200.0], 2.0), [*"abc", "modulus / largest", "time (s)"]),
    (
        figures.rate_scale,
        ({"one": PHI(X[0])}, TABLE, [1.0]),
        ["one", "rate (Hz)", "feature / largest"],
    ),
    (
        figures.surfaces,
        (GRID, am_chirp, {"bowl": BOWL}, TRUTH),
        ["bowl", *LABELS, "loss / its maximum"],
    ),
    (figures.landscapes, (GRID, am_chirp, {"bowl": BOWL[0]}, TRUTH), ["bowl", *LABELS]),
    (
        figures.slices,
        (GRID[:, 0, 0], {"a": BOWL[0][:, 3]}, 8.0, "x (Hz)"),
        ["a", "truth", "x (Hz)"],
    ),
    (figures.curves, ([1, 10], {"a": [0.1, 0.5]}, "delay", "change"), ["a", "delay", "change"]),
    (
        figures.predictions,
        ([1, 10], {"a": ([0.1, 0.5], [0.2, 0.4])}, "delay", "change"),
        ["a", "delay", "change"],
    ),
    (
        figures.overlaps,
        (torch.linspace(0, 1, 9), torch.ones(9), {"8 ms": torch.ones(9)}),
        ["8 ms", "time (s)", "amplitude"],
    ),
    (figures.dots, (RECORD,), ["MSS", "JTFS", "now", "late", "success (%)"]),
    (
        figures.trainings,
        ([0, 1, 2], {"late": {"a": [[0.5, 0.4, 0.1]] * 2}}, {"a": 0.5}),
        ["a", "late", "steps", "seconds", "median error (%)"],
    ),
    (figures.bars, (COSTS,), ["time (s)", "memory (MB)", "a", "0.5", "20"]),
]


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def axes_of(fig):
    """The axes that hold data, without colour bars."""
    return [axis for axis in fig.axes if axis.get_label() != "<colorbar>" and axis.get_visible()]


@pytest.mark.parametrize("draw, data, texts", DRAWN)
def test_every_figure_says_what_its_axes_are(draw, data, texts):
    before = dict(plt.rcParams)
    fig = draw(*data)
    assert dict(plt.rcParams) == before  # the style leaves the reader's own alone
    assert plt.get_fignums() == [fig.number]  # Jupyter shows no figure for a phone
    for each, width in ((fig, figures.WIDE), (fig.phone, figures.PHONE)):
        each.draw_without_rendering()
        assert set(texts) <= {text.get_text() for text in each.findobj(Text) if text.get_visible()}
        assert each.get_figwidth() <= width
        for axis in each.axes:  # nothing is cut off
            written = (axis.xaxis.label, axis.yaxis.label, *axis.texts)
            for text in (text for text in written if text.get_text()):
                (left, low), (right, high) = text.get_window_extent().get_points()
                assert left >= -1 and low >= -1, text
                assert right <= each.bbox.x1 + 1 and high <= each.bbox.y1 + 1, text


def test_no_figure_is_forgotten_here():
    functions = filter(isfunction, vars(figures).values())
    made = {each for each in functions if signature(each).return_annotation is Figure}
    assert made == {draw for draw, *_ in DRAWN}


def test_joint_wavelets_are_centred_and_the_first_bin_is_high():
    wavelet = torch.zeros(16, 1024, dtype=torch.complex64)
    wavelet[-1, 0] = 1  # one bin before the centre, hence higher
    (image,) = axes_of(figures.joint_wavelets({"one": wavelet}, 64, 8))[0].images
    height, (left, right, low, high) = image.get_array(), image.get_extent()
    row, column = np.unravel_index(height.argmax(), height.shape)
    at = left + (column + 0.5) / height.shape[1] * (right - left)
    assert at == pytest.approx(0, abs=1e-6)
    assert low + (row + 0.5) / len(height) * (high - low) == pytest.approx(1 / 8)


def test_rate_scale_puts_rising_on_the_right_and_leaves_blank_what_has_no_path():
    t = torch.arange(4096) / RATE
    rising = PHI(torch.sin(2 * torch.pi * 200 * 2 ** (6 * t) / (6 * np.log(2))))
    (axis,) = axes_of(figures.rate_scale({"rising": rising}, TABLE, [1.0]))
    height = np.asarray(axis.collections[0].get_array())
    middle = height.shape[-1] // 2
    assert height[:, middle:].sum() > 1.05 * height[:, :middle].sum()
    here = (TABLE["order"] != 2) | (TABLE["xi_2"] < 20) | (TABLE["xi_fr"] > 0)
    (axis,) = axes_of(figures.rate_scale({"part": rising[here]}, TABLE[here], [1.0]))
    assert 0 < axis.collections[0].get_array().mask.sum() < (~here).sum()


def marks_of(axis):
    return {line.get_marker(): line.get_xydata() for line in axis.lines}


def test_surfaces_mark_minimum_and_truth():
    (axis,) = axes_of(figures.surfaces(GRID, am_chirp, {"bowl": BOWL}, TRUTH))
    marks = marks_of(axis)
    for mark in "o*":
        np.testing.assert_allclose(marks[mark], TRUTH[None], rtol=1e-5)


def test_a_surface_of_three_parameters_holds_the_others_at_the_truth():
    declared = (
        Parameter("pitch", "f", "Hz", 100, 400),
        Parameter("onset", "t", "s", -1, 1, "linear"),
        Parameter("rate", "w", "Hz", 2, 12),
    )
    synth = parameters(*declared)(lambda theta: theta)
    points = grid(synth, (3, 5, 4))
    truth = points[1, 3, 2]
    away = points - truth
    away[..., 1] += away[..., 2]  # so that the minimum stands elsewhere at another rate
    named = {"bowl": (away.square().sum(-1), 2 * away)}
    (axis,) = axes_of(figures.surfaces(points, synth, named, truth))
    axis.figure.draw_without_rendering()
    np.testing.assert_allclose(marks_of(axis)["o"], truth[None, :2], rtol=1e-5)
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "linear")
    assert axis.get_xlabel().startswith("pitch")
    assert [t.get_text() for t in axis.get_yticklabels()] == ["−1", "−0.5", "0", "0.5", "1"]
    arrows = axis.collections[-1]
    across, up = (truth[:2].numpy() - arrows.get_offsets()).T
    assert (arrows.U * across >= 0).all() and (arrows.V * up >= 0).all()  # none leads away


def test_curves_keep_their_values():
    losses = {"a": torch.tensor([4.0, 1.0, 2.0]), "b": torch.tensor([1.0, 2.0, 3.0])}
    (axis,) = axes_of(figures.slices(torch.tensor([1.0, 2.0, 4.0]), losses, 2.0, "x (Hz)"))
    np.testing.assert_allclose(axis.lines[1].get_ydata(), [1, 0.25, 0.5])
    np.testing.assert_allclose(axis.lines[2].get_xydata(), [[2, 0.25]])  # the dot of a's minimum
    (axis,) = axes_of(figures.dots(RECORD))
    np.testing.assert_allclose(
        np.concatenate([line.get_xdata() for line in axis.lines]), [25, 50, 100]
    )
    seeds = [[0.5, 0.4, 0.1], [0.5, 0.2, 0.3], [0.5, 0.3, 0.2]]
    by_steps, by_seconds = axes_of(figures.trainings([0, 1, 2], {"a": {"MSS": seeds}}, {"MSS": 3}))
    np.testing.assert_allclose(by_steps.lines[0].get_xydata(), [[1, 30], [2, 20]])
    np.testing.assert_allclose(by_seconds.lines[0].get_xydata(), [[3, 30], [6, 20]])


def test_silence_can_be_drawn():
    nothing, level = {"nothing": torch.zeros(2, 64)}, (torch.zeros(6, 5), torch.zeros(6, 5, 2))
    drawn = [
        figures.joint_wavelets(nothing, 64, 8),
        figures.maps(nothing, [800.0, 400.0], 2.0),
        figures.rate_scale({"nothing": PHI(torch.zeros(4096))}, TABLE, [1.0]),
        figures.surfaces(GRID, am_chirp, {"nothing": level}, TRUTH),
        figures.slices(GRID[:, 0, 0], {"nothing": torch.zeros(6)}, 8.0, "x (Hz)"),
    ]
    for fig in drawn:
        fig.draw_without_rendering()


def test_axes_end_where_what_they_show_ends():
    lit = torch.zeros(3, 64)
    lit[:, 32:40] = 1.0  # from 1 to 1.25 of 2 seconds
    left, right = axes_of(figures.maps({"a": lit}, [800.0, 400.0, 200.0], 2.0))[0].get_xlim()
    assert 0.9 < left < 1.05 and 1.2 < right < 1.35
