import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from utils.experiments.encoder import Training
from utils.features.jtfs import JTFS
from utils.page import plot
from utils.search.landscape import Atlas, log_grid
from utils.search.match import Match
from utils.synth import Parameter, am_chirp, parameters, ripple


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def axes_of(fig):
    """The axes that hold data, without colour bars."""
    return [axis for axis in fig.axes if axis.get_label() != "<colorbar>"]


def labels(fig):
    """The axis labels that a reader sees: inner ones may be hidden beside outer ones."""
    return {axis.get_xlabel() for axis in fig.axes} | {axis.get_ylabel() for axis in fig.axes}


def test_sounds_has_a_waveform_and_a_scalogram_each():
    named = {"chirp": am_chirp(torch.tensor([8.0, 2.0])), "ripple": ripple(torch.ones(2))}
    fig = plot.sounds(named)
    assert len(axes_of(fig)) == 4
    assert {"time (s)", "frequency (Hz)", "amplitude", "level (dB)"} <= labels(fig)
    assert [axis.get_title() for axis in axes_of(fig)[:2]] == ["chirp", "ripple"]


def test_scalogram_shows_the_tone_where_it_is():
    t = torch.arange(16384) / 8192
    fig = plot.sounds({"tone": torch.sin(2 * torch.pi * 512 * t)})
    mesh = axes_of(fig)[1].collections[0]
    level = np.asarray(mesh.get_array()).reshape(mesh.get_coordinates().shape[0] - 1, -1)
    edges = mesh.get_coordinates()[:, 0, 1]
    row = level[:, level.shape[1] // 2].argmax()
    assert edges[row] < 512 < edges[row + 1]


PHI = JTFS(4096, J=8, Q=(8, 1), J_fr=3, Q_fr=1, T=256)


def test_silence_can_be_drawn():
    plot.sounds({"silence": torch.zeros(8192)}).canvas.draw()
    nothing, grid = {"nothing": torch.zeros(2, 64)}, log_grid(am_chirp, (2, 64))
    figures = [
        plot.spectrograms(torch.zeros(8192), [512]),
        plot.joint_wavelets(nothing, 64, 8),
        plot.maps(nothing, [800.0, 400.0], 2.0),
        plot.rate_scale({"nothing": PHI(torch.zeros(4096))}, PHI.table(8192)),
    ]
    for fig in figures:
        fig.canvas.draw()
        assert not np.asarray(axes_of(fig)[0].collections[0].get_array()).any()
    level = {"nothing": (torch.zeros(2, 64), torch.zeros(2, 64, 2))}
    plot.surfaces(Atlas(grid, None, None), am_chirp, level, grid[0, 0]).canvas.draw()
    fig = plot.slices(grid[0, :, 1], {"nothing": torch.zeros(64)}, 2.0, "x (Hz)")
    assert not axes_of(fig)[0].lines[0].get_ydata().any()


@pytest.mark.parametrize("count", [1, 3])
def test_any_number_of_panels_will_do(count):
    maps = {f"map {k}": torch.rand(3, 64) for k in range(count)}
    features = {f"sound {k}": torch.rand(len(PHI.paths)) for k in range(count)}
    figures = [
        plot.spectrograms(torch.ones(4096), [512] * count),
        plot.joint_wavelets(maps, 64, 8),
        plot.maps(maps, [800.0, 400.0, 200.0], 2.0),
        plot.rate_scale(features, PHI.table(8192)),
    ]
    for fig in figures:
        fig.canvas.draw()
        assert sum(axis.get_visible() for axis in axes_of(fig)) == count


def test_a_path_that_the_table_has_not_is_left_blank():
    table = PHI.table(8192)
    here = (table["order"] != 2) | (table["xi_2"] < 20) | (table["xi_fr"] > 0)
    assert not here.all()
    fig = plot.rate_scale({"one": torch.rand(here.sum())}, table[here])
    shown = axes_of(fig)[0].collections[0].get_array()
    assert 0 < shown.mask.sum() < shown.size
    assert np.isfinite(shown.compressed()).all()


def test_surfaces_mark_minimum_truth_and_paths():
    grid = log_grid(am_chirp, (6, 5))
    truth = grid[2, 3]
    way = (grid / truth).log()
    surface = (way.square().sum(-1), 2 * way / grid)
    steps = torch.stack([grid[0, 0], grid[1, 1]])
    match = Match(steps, torch.zeros(2), 2, 0.1, False, "")
    fig = plot.surfaces(
        Atlas(grid, None, None), am_chirp, {"bowl": surface}, truth, {"bowl": [match]}
    )
    (axis,) = axes_of(fig)
    marks = {line.get_marker(): line.get_xydata() for line in axis.lines}
    np.testing.assert_allclose(marks["o"], truth[None], rtol=1e-5)
    np.testing.assert_allclose(marks["*"], truth[None], rtol=1e-5)
    np.testing.assert_allclose(marks["X"], steps[1:], rtol=1e-5)
    assert "modulation frequency $f_m$ (Hz)" in labels(fig)
    assert "loss / its maximum" in labels(fig)


def test_curves_keep_their_values():
    losses = {"a": torch.tensor([4.0, 1.0, 2.0]), "b": torch.tensor([1.0, 2.0, 3.0])}
    fig = plot.slices(torch.tensor([1.0, 2.0, 4.0]), losses, 2.0, "x (Hz)")
    (axis,) = axes_of(fig)
    np.testing.assert_allclose(axis.lines[0].get_ydata(), [1, 0.25, 0.5])
    np.testing.assert_allclose(axis.lines[1].get_xydata(), [[2, 0.25]])  # the dot of a's minimum
    fig = plot.errors({"one": [torch.tensor([1.0, 0.5])]}, threshold=0.05)
    np.testing.assert_allclose(axes_of(fig)[0].lines[0].get_ydata(), [100, 50])
    fig = plot.rates({"mss": [(1, 4), (4, 4)]}, ["0", "256"], "delay (samples)")
    np.testing.assert_allclose(axes_of(fig)[0].lines[0].get_ydata(), [25, 100])
    fig = plot.rates({"mss": [None, (4, 4)]}, ["0", "256"], "delay (samples)")
    np.testing.assert_allclose(axes_of(fig)[0].lines[0].get_xydata(), [[1, 100]])


def test_style_leaves_the_readers_own_alone():
    before = dict(plt.rcParams)
    plot.envelopes({"x": torch.ones(4)}, (0.0, 1.0))
    assert dict(plt.rcParams) == before


def test_spectrograms_state_their_windows():
    fig = plot.spectrograms(am_chirp(torch.tensor([8.0, 2.0])), (64, 512))
    assert [axis.get_title() for axis in axes_of(fig)] == ["window of 8 ms", "window of 62 ms"]


def test_filters_are_drawn_over_frequency():
    bank = torch.zeros(2, 64)
    bank[0, 4] = bank[1, 16] = 1
    fig = plot.filters({"bank": bank}, sample_rate=6400)
    first, second = axes_of(fig)[0].lines
    assert first.get_xdata()[first.get_ydata().argmax()] == 400
    assert second.get_xdata()[second.get_ydata().argmax()] == 1600


def test_joint_wavelets_are_centred_and_the_first_bin_is_high():
    wavelet = torch.zeros(16, 1024, dtype=torch.complex64)
    wavelet[-1, 0] = 1  # one bin before the centre, hence higher
    (axis,) = axes_of(plot.joint_wavelets({"one": wavelet, "two": wavelet}, 64, 8))[:1]
    mesh = axis.collections[0]
    peak = np.asarray(mesh.get_array()).argmax()
    time, octave = mesh.get_coordinates().reshape(-1, 2)[peak]
    assert (time, octave) == (0, 1 / 8)


def test_maps_share_a_scale_and_name_frequencies():
    low, high = torch.zeros(4, 10), torch.zeros(3, 10)
    low[2, 5], high[0, 5] = 1, 2
    fig = plot.maps({"low": low, "high": high}, hertz=[800.0, 400.0, 200.0], duration=2.0)
    one, other = (np.asarray(axis.collections[0].get_array()) for axis in axes_of(fig)[:2])
    assert (one.max(), other.max()) == (0.5, 1)
    assert {"time (s)", "frequency (Hz)", "modulus / largest"} <= labels(fig)


def test_rate_scale_puts_rising_on_the_right():
    t = torch.arange(4096) / 8192
    rising = torch.sin(2 * torch.pi * 200 * 2 ** (6 * t) / (6 * np.log(2)))
    features = {"rising": PHI(rising), "falling": PHI(rising.flip(-1))}
    fig = plot.rate_scale(features, PHI.table(8192))
    rising, falling = (np.asarray(axis.collections[0].get_array()) for axis in axes_of(fig))
    middle = rising.shape[-1] // 2
    assert rising[:, middle:].sum() > 1.05 * rising[:, :middle].sum()
    np.testing.assert_allclose(falling, rising[:, ::-1], rtol=0.1, atol=0.02)


def test_curves_and_spread():
    fig = plot.curves(torch.tensor([1.0, 10.0]), {"a": [0.1, 0.5]}, "delay (samples)", "change")
    np.testing.assert_allclose(axes_of(fig)[0].lines[0].get_xydata(), [[1, 0.1], [10, 0.5]])
    errors = torch.tensor([[0.1, 0.3, 0.2], [1.0, 0.5, 0.9]])
    fig = plot.spread({"a": errors}, ["0", "0.3"], "jitter (s)", threshold=0.05)
    dots, medians, *_ = axes_of(fig)[0].lines
    assert len(dots.get_ydata()) == 6
    np.testing.assert_allclose(medians.get_ydata(), [20, 90], rtol=1e-6)


def test_forest_shows_rates_intervals_and_what_ran_live():
    panels = {"now": {"a": (1, 4), "b": (4, 4)}, "later": {"a": (0, 4)}}
    fig = plot.forest(panels, {"now": {"a": [True, False]}}, columns=2)
    now, later = axes_of(fig)
    assert [label.get_text() for label in now.get_yticklabels()] == ["a", "b"]
    places = [line.get_xydata().tolist() for line in now.lines if line.get_marker() == "o"]
    assert places == [[[25, 0]], [[100, 1]]]
    live = [line.get_xydata().tolist() for line in now.lines if line.get_marker() == "x"]
    assert live == [[[100, 0]], [[0, 0]]]
    assert len(later.lines) == 2
    assert fig.get_supxlabel() == "success (%)"


def test_landscapes_mark_minima_and_truth():
    grid = log_grid(am_chirp, (3, 4))
    loss = torch.tensor([[3.0, 2, 3, 3], [2, 1, 2, 3], [3, 2, 3, 0]])
    fig = plot.landscapes(grid, am_chirp, {"bowl": loss, "flat": torch.ones(3, 4)}, grid[1, 1])
    bowl, flat = (axis for axis in axes_of(fig) if axis.get_visible())
    rings, _ = bowl.lines
    found = torch.from_numpy(rings.get_xydata()).float()
    torch.testing.assert_close(found, torch.stack([grid[1, 1], grid[2, 3]]))
    assert len(flat.lines[0].get_xydata()) == 0


def test_bars_name_their_values_and_axes():
    fig = plot.bars({"time (s)": {"a": 0.5, "b": 20.0}, "memory (MB)": {"a": 3.0, "b": 4.0}})
    time, memory = axes_of(fig)
    assert [bar.get_width() for bar in time.patches] == [0.5, 20.0]
    assert [label.get_text() for label in time.get_yticklabels()] == ["a", "b"]
    assert (time.get_xlabel(), memory.get_xlabel()) == ("time (s)", "memory (MB)")
    assert {text.get_text() for text in time.texts} == {"0.5", "20"}


def test_operators_names_the_layer():
    fig = plot.operators()
    texts = {text.get_text().strip() for text in axes_of(fig)[0].texts}
    assert {"$f_W$", "$g$", r"$\Phi$", "DTFA", "$L$"} <= texts


def test_trainings_draw_each_examination_and_end_the_first_with_a_dot():
    one = Training(None, [0, 10, 20], [0.0, 1.0, 2.0], {"on time": [0.5, 0.4, 0.2]})
    brief = Training(None, [0, 10], [0.0, 4.0], {"on time": [0.5, 0.3]})
    fig = plot.trainings({"supervised": [one, one], "JTFS": [brief]})
    (axis,) = axes_of(fig)
    assert axis.get_title() == "sounds on time"
    assert {"seconds of training", "median of the larger parameter error (%)"} <= labels(fig)
    thick = [line for line in axis.lines if line.get_linewidth() > 2]
    assert [line.get_label() for line in thick] == ["supervised", "JTFS"]
    assert thick[0].get_ydata() == pytest.approx([40, 20])
    dots = [line.get_xydata()[0] for line in axis.lines if line.get_marker() == "o"]
    assert np.allclose(dots, [[2, 20], [4, 30]])


def test_ticks_are_plain_numbers():
    synth = parameters(
        Parameter("pitch", "f", "Hz", 100, 400), Parameter("rate", "w", "Hz", 2, 12)
    )(lambda theta: theta)
    grid = log_grid(synth, (3, 3))
    fig = plot.landscapes(grid, synth, {"flat": torch.rand(3, 3)}, grid[1, 1])
    fig.canvas.draw()
    shown = [label.get_text() for label in axes_of(fig)[0].get_xticklabels()]
    assert shown == ["100", "141", "200", "283", "400"]


def many(count, value):
    return {f"name {k}": value for k in range(count)}


def plane(symbol, low, high):
    """A synthesizer of two parameters like these."""
    pair = (Parameter(name, symbol, "Hz", low, high) for name in ("pitch", "rate"))
    return parameters(*pair)(lambda theta: theta)


def trained(*errors):
    """Trainings with these examinations, before the first step and after it."""
    return {"a": [Training(None, [0, 1], [0.0, 1.0], each) for each in errors]}


ONE, VALUES, BANK = {"a": torch.ones(4)}, torch.arange(1.0, 5.0), torch.ones(2, 8)
GRID = log_grid(am_chirp, (3, 4))
ATLAS, FLAT, TRUTH = Atlas(GRID, None, None), torch.ones(3, 4), GRID[0, 0]
LEVEL, SINKS = {"a": (FLAT, GRID)}, {"a": (-FLAT, GRID)}
COUNTS, EARLY, LATE = {"a": {"x": (1, 2)}}, {"early": [0.5, 0.4]}, {"late": [0.5, 0.4]}
# What is drawn, from what, and what is said.
REFUSED = [
    (plot.envelopes, (many(5, VALUES), (0, 1)), "named has 5 entries; expected at most 4"),
    (plot.filters, (many(6, BANK),), "named has 6 entries; expected at most 5"),
    (plot.slices, (VALUES, many(7, VALUES), 2, "x"), "named has 7 entries; expected at most 6"),
    (plot.bars, (many(33, {"a": 1.0}),), "panels has 33 entries; expected at most 32"),
    (plot.envelopes, ({"_x": VALUES}, (0, 1)), "name in named is '_x'; expected no underscore"),
    (plot.slices, (VALUES, ONE, 2, "$x_$"), "label is '.x_.'; expected a formula"),
    (plot.slices, (VALUES[[0, 2, 1, 3]], ONE, 2, "x"), "values begins with .* in order"),
    (plot.envelopes, (ONE, (1, 0)), "the end of seconds is 0.0; expected"),
    (plot.spectrograms, (VALUES, [8]), "n_ffts is .* x has 4 samples; expected no longer window"),
    (plot.sounds, (ONE,), "'a'. has 4 samples at sample_rate 8192; expected 2048 or more"),
    (plot.sounds, ({"a": torch.ones(8192)}, 300), "sample_rate is 300; expected .* above 320"),
    (plot.maps, ({"a": BANK}, [200, 800], 1), "hertz runs from 200 to 800, 2 in all; expected"),
    (plot.maps, ({"a": BANK}, [0.4, 0.2], 1), "hertz runs from 0.4 to 0.2, 2 in all; expected"),
    (plot.surfaces, (ATLAS, am_chirp, SINKS, TRUTH), "loss of named.'a'. is -1 .* negative"),
    (plot.surfaces, (ATLAS, am_chirp, LEVEL, TRUTH, {"b": []}), "paths has the name 'b'; expected"),
    (plot.landscapes, (GRID, plane("f", 50, 90), {"a": FLAT}, TRUTH), "grid.* runs from 4 to 16;"),
    (plot.landscapes, (GRID, plane("f_", 1, 9), {"a": FLAT}, TRUTH), "synth is .*; expected a f"),
    (plot.forest, (COUNTS, {"b": {"x": [True]}}), "live has the name 'b'; expected those in pane"),
    (plot.forest, (COUNTS, {"a": {"y": [True]}}), "live.'a'. has the name 'y'; expected those in"),
    (plot.rates, ({"a": [None]}, ["0"], "x"), "named.'a'. is .None.; expected successes"),
    (plot.rates, ({"a": [(0, 0)]}, ["0"], "x"), "named.'a'..0. is .0, 0.; expected successes"),
    (plot.trainings, (trained({"late": [0.5]}),), "errors.'late'. is .*; expected a length of 2"),
    (plot.trainings, (trained(EARLY, LATE),), "errors of .'late'., and of .'early'.; expected"),
]


@pytest.mark.parametrize("draw, arguments, sentence", REFUSED, ids=[each[2] for each in REFUSED])
def test_what_no_figure_can_show_is_refused_before_one_is_made(draw, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        draw(*arguments)
    assert not plt.get_fignums()
