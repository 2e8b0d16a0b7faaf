"""A good call of each public function, with arguments that cost little.

Of each: the module, the function, good arguments by name, and of which shape the answer is.
"""

import functools
import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import torch
from matplotlib.figure import Figure

from utils import recording, synth
from utils.experiments import cache as shared
from utils.experiments import comparison as study
from utils.experiments import cost, encoder, record
from utils.experiments import training as lessons
from utils.features import mss, wavelets
from utils.features import rivals as baselines
from utils.features.jtfs import JTFS
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.page import claims, explorer, playground, show
from utils.search import landscape, match, processes
from utils.search import many as trials
from utils.search.jacobian import condition, features_and_jacobian, value_and_jacobian


class Call(NamedTuple):
    """A public function and good arguments.

    Attributes
    ----------
    module : of `utils`.
    function : what a reader calls; of a class, its making and one use.
    good : arguments by name.
    shape : from arguments to the shape that an answer has.
    tries : calls with other arguments.
    bent : whether each tensor is bent in every way as well, which a heavy call cannot afford.
    """

    module: str
    function: Callable
    good: dict
    shape: Callable[..., tuple] | None = None
    tries: int = 100
    bent: bool = True

    def __str__(self) -> str:
        return getattr(self.function, "__qualname__", type(self.function).__name__)


N, RATE, BRIEF = 2**11, 8192, 0.25
SETTINGS = dict(J=6, Q=(4, 1), J_fr=2, Q_fr=1)
THETA = torch.tensor([[8.0, 2.0], [6.0, 1.0]])
brief = partial(synth.am_chirp, duration=BRIEF)
X = brief(THETA)
small_mss, small_jtfs = MSS((256, 64)), JTFS(N, **SETTINGS)
local = JTFS(N, **SETTINGS, T=256, F=4)
linear = SpectralLoss(small_mss, p=1)
atlas = landscape.survey(brief, small_mss, THETA)
streamed = landscape.survey(brief, small_mss, THETA, X)
GRID = landscape.log_grid(brief, (2, 3))
FOUND = match.Match(THETA, torch.tensor([2.0, 1.0]), 2, 0.1, True, "the parameters are at rest")
TAUGHT = encoder.Encoder(brief)


def rows(name: str, *last: int) -> Callable[..., tuple]:
    """The shape of an answer with the leading axes of an argument, and a last one."""
    return lambda **given: (*given[name].shape[:-1], *last)


def bins_of(length: int) -> int:
    """How many bins the spectrograms of `small_mss` have."""
    return sum((n_fft // 2 + 1) * (1 + length // (n_fft // 4)) for n_fft in small_mss.n_ffts)


def samples(duration: float, sample_rate: float = RATE) -> int:
    return round(duration * sample_rate)


@functools.cache
def a_recording() -> Path:
    path = a_file("noise.wav")
    soundfile.write(path, np.random.default_rng(0).standard_normal(N) / 8, RATE)
    return path


def load(duration, sample_rate):
    return recording.load(a_recording(), duration=duration, sample_rate=sample_rate)


def declare(low, high):
    carried = synth.parameters(synth.Parameter("pitch", "f", "Hz", low, high))(lambda theta: theta)
    return synth.draw(carried, 2, seed=0)


def scatter(length, J, Q, J_fr, Q_fr, T, F, oversampling):
    op = JTFS(length, J=J, Q=Q, J_fr=J_fr, Q_fr=Q_fr, T=T, F=F, oversampling=oversampling)
    return op(torch.ones(length))


def scatter_time(length, J, Q, T, oversampling):
    op = baselines.TimeScattering(length, J=J, Q=Q, T=T, oversampling=oversampling)
    return op(torch.ones(length))


def windows(n_ffts, magnitude, x):
    return MSS(n_ffts, magnitude)(x)


def loss_of(phi, p, x, y):
    return SpectralLoss(phi, p)(x, y)


def to_known(x, features):
    return linear(x, features=features)


def objective(synth, loss, target, theta):
    return match.objective(synth, loss, target)(theta)


def surface_of(target, p):
    return atlas.surface(target, p)


def surface_kept(target, p):
    return streamed.surface(target, p)


def aligned(loss, by, smoothing, x, y):
    return baselines.Aligned(loss, by, smoothing)(x, y)


def random_windows(scales, shortest, longest, seed, x, y):
    return baselines.RandomWindows(scales, shortest, longest, seed)(x, y)


def average_spectrum(n_fft, x):
    return baselines.AverageSpectrum(n_fft)(x)


def quantiles(n_fft, levels, x):
    return baselines.Quantiles(n_fft, levels)(x)


def modulation_spectrum(n_fft, octaves, bins, x):
    return baselines.ModulationSpectrum(n_fft, octaves, bins)(x)


def logarithm(phi, scale, x):
    return baselines.Logarithm(phi, scale)(x)


def distance(x, y):
    return (x - y).norm()


def solver(synth, target, theta0):
    return match.gradient_descent(synth, distance, target, theta0, steps=1)


def encode(synth, seed, sample_rate):
    return encoder.Encoder(synth, seed, sample_rate)(X)


def quadratic(thetas, metrics, found):
    return encoder.Quadratic(thetas, metrics)(found, None, torch.tensor([1, 0]))


def through(synth, loss, found, heard):
    return encoder.Through(synth, loss)(found, heard, None)


def taught(**arguments):
    done = encoder.train(**arguments)
    return done.errors, done.steps


def identity(theta):
    return theta


def lag(by, smoothing, x, y):
    return baselines.Aligned(linear, by, smoothing).lag(x, y)


def one(x):
    return 1.0


def once(work, inputs):
    return shared.once(work, inputs)


def shared_out(n_jobs, device):
    processes.parallel(n_jobs, device)


def planned(names):
    return len(study.plan(names))  # of a search that is planned, the error is none yet


def written(made, lines):
    record.write(a_file("written"), made, lines)


@functools.cache
def a_file(name: str, content: str = "") -> Path:
    path = Path(tempfile.mkdtemp()) / name
    path.write_text(content, encoding="utf-8")
    return path


def compared(task, amount, solver, start, pair, loss):
    return study.run(study.Run(task, amount, "another", solver, start, pair), loss)


def play(sounds, sample_rate):
    show.audio(sounds, sample_rate)


RUN = study.Run("delay", 0.0, "another", "first", "random", 0, (8.0, 2.0), 0.5)
COURSE = lessons.Course("MSS", 0, [0], [0.0], {})
CLAIM = {"metadata": {"claim": {"name": "half", "value": 0.5}}}
NOTEBOOK = {"cells": [{"outputs": [CLAIM]}]}
PLAYED = {"by waveforms": distance}
SCALE = torch.full((small_jtfs(X).shape[-1],), 1e-6)
CHART = explorer.Chart(GRID, (0, 64), torch.rand(2, 1, 1, 2, 3), torch.rand(2, 1, 1, 2, 3, 2))
TRAINING = dict(
    synth=brief,
    criterion=encoder.Quadratic(THETA, torch.eye(2).expand(2, 2, 2)),
    lessons=THETA,
    examinations={"on time": (THETA, X)},
    steps=1,
    every=1,
    latest=4,
    seed=0,
    batch=2,
    learning_rate=1e-3,
)


def timed(theta, duration, sample_rate, **_):
    """The shape of sounds of so many seconds."""
    return *theta.shape[:-1], samples(duration, sample_rate)


CALLS = [
    Call(
        "synth",
        synth.am_chirp,
        dict(theta=THETA, carrier=512.0, bandwidth=2.0, duration=BRIEF, sample_rate=RATE)
        | dict(unit_energy=True),
        timed,
        tries=300,
    ),
    Call(
        "synth",
        synth.ripple,
        dict(theta=THETA, f_low=256.0, f_high=2048.0, partials=4, duration=0.6, sample_rate=RATE),
        timed,
        tries=200,
    ),
    Call(
        "synth",
        synth.sequence,
        dict(synth=brief, theta=THETA, onsets=[-0.05, 0.1], sample_rate=RATE, unit_energy=False),
        rows("theta", N),
    ),
    Call("synth", synth.delay, dict(x=X, samples=5), lambda x, samples: x.shape, tries=200),
    Call("synth", synth.samples_of, dict(duration=BRIEF, sample_rate=RATE)),
    Call("synth", synth.draw, dict(synth=brief, count=3, seed=0), lambda count, **_: (count, 2)),
    Call("synth", synth.examine, dict(synth=brief, seed=0), tries=30),
    Call("synth", synth.parameters_of, dict(synth=brief)),
    Call("synth", declare, dict(low=1.0, high=2.0)),
    Call("mss", windows, dict(n_ffts=(256, 64), magnitude="both", x=X), tries=200),
    Call("mss", small_mss, dict(x=X), lambda x: (*x.shape[:-1], bins_of(x.shape[-1]))),
    Call("mss", mss.spectrogram, dict(x=X, n_fft=256, hop=64), tries=200),
    Call("wavelets", wavelets.filter_bank, dict(J=6, Q=4)),
    Call(
        "jtfs",
        scatter,
        dict(length=N, **SETTINGS, T="global", F=4, oversampling=1.0),
        tries=300,
    ),
    Call("jtfs", small_jtfs, dict(x=X), rows("x", len(small_jtfs.paths))),
    Call("jtfs", local, dict(x=X), rows("x", len(local.paths))),
    Call("jtfs", local.push_forward, dict(x=X, tangents=torch.stack([X, X.flip(-1)]))),
    Call("jtfs", local.table, dict(sample_rate=8192.0)),
    Call("loss", loss_of, dict(phi=small_mss, p=1, x=X, y=X.flip(0))),
    Call("loss", loss_of, dict(phi=local, p=2, x=X, y=X.flip(0))),
    Call("loss", to_known, dict(x=X, features=small_mss(X[0]))),
    Call("loss", linear.features, dict(y=X)),
    Call("loss", linear.distance, dict(found=small_mss(X), target=small_mss(X[0]))),
    Call(
        "match",
        match.gradient_descent,
        dict(synth=brief, loss=linear, target=X[0], theta0=THETA[1], steps=1)
        | dict(step_size=0.1, tolerance=1e-4),
        tries=150,
    ),
    Call(
        "match",
        match.gauss_newton,
        dict(synth=brief, phi=small_mss, target=X[0], theta0=THETA[1], steps=1, tolerance=1e-4)
        | dict(progress=False),
        tries=150,
    ),
    Call("match", objective, dict(synth=brief, loss=linear, target=X[0], theta=THETA[1])),
    Call("match", match.errors, dict(match=FOUND, theta=THETA[0]), lambda **_: (2,)),
    Call("match", match.steps_to, dict(match=FOUND, theta=THETA[1], tolerance=0.05)),
    Call("landscape", landscape.survey, dict(synth=brief, phi=small_mss, grid=THETA, n_jobs=1)),
    Call("landscape", landscape.survey, dict(synth=brief, phi=small_mss, grid=THETA, targets=X)),
    Call(
        "landscape",
        landscape.survey,
        dict(synth=brief, phi=small_mss, grid=THETA, targets=X, norms=(1,)),
        tries=40,
        bent=False,
    ),
    Call("landscape", surface_of, dict(target=small_mss(X[0]), p=2)),
    Call("landscape", surface_kept, dict(target=1, p=1)),
    Call(
        "landscape",
        atlas.to_log,
        dict(gradient=THETA),
        lambda gradient: torch.broadcast_shapes(gradient.shape, (2, 2)),
    ),
    Call("landscape", landscape.log_grid, dict(synth=brief, counts=(2, 3))),
    Call("landscape", landscape.local_minima, dict(loss=GRID[..., 0]), lambda loss: loss.shape),
    Call(
        "landscape",
        landscape.points_home,
        dict(grid=GRID, log_gradient=torch.ones(2, 3, 2), theta=THETA[0]),
        lambda grid, log_gradient, **_: torch.broadcast_shapes(grid.shape, log_gradient.shape)[:-1],
    ),
    Call(
        "landscape",
        landscape.share_home,
        dict(grid=GRID, log_gradients=[torch.ones(2, 3, 2), torch.ones(2, 3, 2)], truths=THETA),
    ),
    Call("landscape", landscape.share_home_by_chance, dict(grid=GRID, truths=THETA)),
    Call("jacobian", value_and_jacobian, dict(f=brief, theta=THETA)),
    Call("jacobian", features_and_jacobian, dict(synth=brief, phi=small_mss, theta=THETA)),
    Call("jacobian", features_and_jacobian, dict(synth=brief, phi=local, theta=THETA)),
    Call("jacobian", condition, dict(synth=brief, phi=small_mss, theta=THETA[0])),
    Call("baselines", baselines.Waveform(), dict(x=X), lambda x: x.shape),
    Call("baselines", aligned, dict(loss=linear, by="envelopes", smoothing=65, x=X[0], y=X[1])),
    Call("baselines", lag, dict(by="waveforms", smoothing=65, x=X[0], y=X[1])),
    Call(
        "baselines",
        random_windows,
        dict(scales=2, shortest=16, longest=64, seed=0, x=X, y=X.flip(0)),
    ),
    Call(
        "baselines",
        average_spectrum,
        dict(n_fft=256, x=X),
        lambda x, n_fft: (*x.shape[:-1], n_fft // 2 + 1),
    ),
    Call("baselines", quantiles, dict(n_fft=256, levels=8, x=X)),
    Call("baselines", modulation_spectrum, dict(n_fft=256, octaves=4, bins=6, x=X)),
    Call("baselines", logarithm, dict(phi=small_jtfs, scale=SCALE, x=X), rows("x", len(SCALE))),
    Call("baselines", scatter_time, dict(length=N, J=6, Q=(4, 1), T=256, oversampling=0.5)),
    Call(
        "trials",
        trials.match_all,
        dict(solver=solver, synth=identity, targets=THETA, starts=THETA / 2, n_jobs=1),
    ),
    Call("trials", trials.succeeded, dict(matches=[FOUND], truths=THETA[:1], tolerance=0.05)),
    Call("trials", trials.successes, dict(matches=[FOUND], truths=THETA[:1], tolerance=0.05)),
    Call("trials", trials.wilson, dict(count=3, trials=5)),
    Call("encoder", encode, dict(synth=brief, seed=0, sample_rate=RATE), tries=50),
    Call("encoder", TAUGHT, dict(x=X), rows("x", 2)),
    Call(
        "encoder", TAUGHT.picture, dict(x=X), lambda x: (*x.shape[:-1], 64, x.shape[-1] // 64 + 1)
    ),
    Call(
        "encoder",
        quadratic,
        dict(thetas=THETA, metrics=torch.eye(2).expand(2, 2, 2).clone(), found=THETA),
    ),
    Call("encoder", through, dict(synth=brief, loss=linear, found=THETA, heard=X)),
    Call("encoder", encoder.metrics, dict(synth=brief, phi=local, thetas=THETA, n_jobs=1)),
    Call("encoder", taught, TRAINING, tries=150),
    Call(
        "recording",
        load,
        dict(duration=BRIEF, sample_rate=RATE),
        lambda **given: (samples(**given),),
    ),
    Call("show", play, dict(sounds={"a chirp": X[0]}, sample_rate=RATE)),
    Call("show", show.at_loudness, dict(x=X[0], sample_rate=RATE), lambda x, **_: x.shape),
    Call("show", show.table, dict(columns=("a", "b"), rows=[("1", "2")], caption="Numbers.")),
    Call("show", show.source, dict(function=identity), tries=20),
    Call("cost", cost.race, dict(steps={"nothing": int}, repeats=1, at_least=0.0)),
    Call("cost", cost.peak_memory, dict(step=int), tries=20),
    Call("cost", cost.value_and_gradient, dict(phi=small_mss, x=X), lambda x, **_: x.shape),
    Call(
        "study",
        compared,
        dict(task="delay", amount=0.0, solver="first", start="random", pair=0)
        | dict(loss=SpectralLoss(baselines.Waveform(), p=2)),
        tries=60,
    ),
    Call("study", planned, dict(names=["JTFS", "another"]), tries=30),
    Call("study", study.warp, dict(x=X[0], amount=0.1, phase=0.2), lambda x, **_: x.shape),
    Call("study", study.TASKS["delay"].truth, dict(pair=0), tries=30),
    Call("study", study.TASKS["outside"].truth, dict(pair=0), tries=30),
    Call("study", study.TASKS["delay"].start, dict(pair=0), tries=30),
    Call("study", study.TASKS["jitter"].target, dict(pair=0, amount=0.3), tries=30),
    Call("study", study.best_of_grid, dict(synth=brief, loss=linear, target=X[0]), tries=30),
    Call(
        "study",
        study.losses_at,
        dict(synth=brief, loss=linear, target=X[0], thetas=THETA),
        lambda thetas, **_: thetas.shape[:1],
    ),
    Call(
        "study",
        study.landscape,
        dict(synth=brief, loss=SpectralLoss(baselines.Waveform(), p=2))
        | dict(target=X[0], truth=THETA[0]),
        tries=60,
        bent=False,
    ),
    Call("study", study.to_line, dict(done=RUN), tries=30),
    Call("study", study.from_line, dict(line=study.to_line(RUN)), tries=30),
    Call("study", study.read, dict(file=study.RECORD), tries=20),
    Call("record", written, dict(made={"date": 1}, lines=["1", "2"])),
    Call("record", record.read, dict(file=a_file("record", '{"date": 1}\n2'), parse=int)),
    Call("lessons", lessons.criterion, dict(name="MSS"), tries=30),
    Call("lessons", lessons.teach, dict(name="supervised", seed=0, steps=1), tries=12),
    Call("lessons", lessons.course, dict(name="supervised", seed=0, steps=1), tries=12),
    Call("lessons", lessons.to_line, dict(done=COURSE), tries=20),
    Call("lessons", lessons.read, dict(file=lessons.RECORD), tries=20),
    Call("processes", shared_out, dict(n_jobs=1, device=torch.device("cpu")), tries=40),
    Call("shared", once, dict(work=one, inputs=X)),
    Call("claims", claims.recorded, dict(notebook=a_file("a", json.dumps(NOTEBOOK))), tries=20),
    Call("claims", claims.bounds, dict(table=a_file("b", "[half]\nmin = 0.2")), tries=20),
    Call("claims", claims.claim, dict(name="half", value=0.5, sentence="It is {value}.")),
    Call("claims", claims.within, dict(value=0.5, bound={"min": 0.2, "max": 1.0})),
    Call("show", show.figure, dict(fig=Figure(), alt="Nothing.", caption="Nothing.")),
    Call("show", show.markup, dict(html_text="<p>One</p>", plain="One")),
    Call("playground", playground.playground, dict(losses=PLAYED, colab="https://a.example")),
    Call("playground", playground.controls, dict(losses=PLAYED, target=THETA[0], start=THETA[1])),
    Call(
        "playground",
        playground.attempt,
        dict(losses=PLAYED, name="by waveforms", theta=THETA[0], samples=5, start=THETA[1]),
        tries=40,
        bent=False,
    ),
    Call(
        "explorer",
        explorer.chart,
        dict(phi=baselines.AverageSpectrum(), grid=GRID, delays=(0, 64), counts=(2, 3), n_jobs=1),
        tries=60,
        bent=False,
    ),
    Call("explorer", explorer.places, dict(counts=(2, 3)), lambda counts: (*counts, 2)),
    Call("explorer", explorer.chirp, dict(theta=(8.0, 2.0), samples=0)),
    Call(
        "explorer",
        explorer.landscape,
        dict(charts={"MSS": CHART}, start=(8.0, 2.0), place=(0, 0), samples=64),
        tries=60,
    ),
]
