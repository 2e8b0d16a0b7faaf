"""The comparison: many losses on many tasks, one protocol.

A `Run` is a search for the parameters of one target from one start; `run` carries it out, and
returns it with what it found. Truths, starts and chance depend on the task and on the number of
the pair alone, so that all losses meet the same ones.
"""

import copy
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

from .. import checks
from ..features.jtfs import JTFS
from ..features.loss import SpectralLoss
from ..features.mss import MSS
from ..features.rivals import (
    Aligned,
    AverageSpectrum,
    Logarithm,
    ModulationSpectrum,
    Quantiles,
    RandomWindows,
    TimeScattering,
    Waveform,
)
from ..search.landscape import local_minima, log_grid, share_home, survey
from ..search.match import errors, gauss_newton, gradient_descent, objective, steps_to
from ..synth import SAMPLE_RATE, am_chirp, delay, draw, parameters_of, ripple, sequence
from . import record
from .cache import once

Loss = Callable[[Tensor, Tensor], Tensor]
RECORD = Path(__file__).parents[2] / "book" / "records" / "study.jsonl"
LENGTH = 4 * SAMPLE_RATE
PAIRS = 32
FEWER = 16  # of them for what takes long, and for starts from a grid
REGULAR = (-1.2, -0.4, 0.4, 1.2)  # onsets of a sequence, in seconds from the middle
GRID = 6  # candidates along each parameter, from which a start is chosen
LOOKS = 4  # pairs whose landscapes are looked at,
LOOKED_AT = (("delay", 2**10), ("jitter", 0.3))  # and where
LANDSCAPE = (8, 8)  # grid points of a landscape
CUT = 33  # points of a cut through it

regular = partial(sequence, am_chirp, onsets=REGULAR)


def contenders() -> dict[str, Loss]:
    """The losses of the comparison, by name, for sounds of four seconds."""
    linear = SpectralLoss(MSS(magnitude="linear"), p=1)
    settings = {"length": LENGTH, "oversampling": 0.5}
    jtfs = JTFS(**settings)
    with torch.no_grad():  # sounds of no pair; a thousandth of the median, as published
        scale = 1e-3 * jtfs(am_chirp(draw(am_chirp, 15, seed=40))).median(0).values
    return {
        "waveform": SpectralLoss(Waveform(), p=2),
        "MSS linear": linear,
        "MSS log": SpectralLoss(MSS(magnitude="log"), p=1),
        "MSS both": SpectralLoss(MSS(magnitude="both"), p=1),
        "MSS random windows": RandomWindows(),
        "MSS aligned by waveforms": Aligned(linear, by="waveforms"),
        "MSS aligned": Aligned(linear, by="envelopes"),
        "optimal transport": SpectralLoss(Quantiles(), p=1),
        "average spectrum": SpectralLoss(AverageSpectrum(), p=1),
        "modulation spectrum": SpectralLoss(ModulationSpectrum(), p=1),
        "time scattering": SpectralLoss(TimeScattering(**settings), p=1),
        "JTFS, local T": SpectralLoss(JTFS(**settings, T=2**12), p=1),
        "JTFS": SpectralLoss(jtfs, p=1),
        "JTFS, log": SpectralLoss(Logarithm(jtfs, scale), p=1),
    }


# Their features are smooth where sounds are: squared distances can be searched by second order.
SMOOTH = {
    "waveform",
    "optimal transport",
    "average spectrum",
    "modulation spectrum",
    "time scattering",
    "JTFS, local T",
    "JTFS",
    "JTFS, log",
}
SLOW = {"JTFS, local T", "JTFS", "JTFS, log"}


@dataclass(frozen=True)
class Task:
    """A kind of target.

    Attributes
    ----------
    says : what it is, in a few words, with {amount}.
    hear : from parameters (P,), amount and generator to the target's sound (N,).
    synth : with which it is searched.
    amounts : those that the study tries.
    """

    says: str
    hear: Callable[[Tensor, float, torch.Generator], Tensor]
    synth: Callable[[Tensor], Tensor] = am_chirp
    amounts: tuple[float, ...] = (0.0,)

    def truth(self, pair: int) -> Tensor:
        """The parameters (P,) of the target of a pair; the first eight chirps are chapter 3's."""
        return draw(self.synth, PAIRS, seed=0)[_checked(pair)]

    def start(self, pair: int) -> Tensor:
        """The start (P,) of a pair, drawn like the truth and independently of it."""
        return draw(self.synth, PAIRS, seed=1)[_checked(pair)]

    def target(self, pair: int, amount: float) -> Tensor:
        """The sound (N,) to match."""
        checks.real("amount", amount)
        return self.hear(self.truth(pair), amount, torch.Generator().manual_seed(_checked(pair)))


class Outside(Task):
    """Targets whose parameters all lie above the range from which starts are drawn."""

    def truth(self, pair: int) -> Tensor:
        inside = super().truth(pair)
        limits = torch.tensor([(each.low, each.high) for each in parameters_of(self.synth)])
        share = (inside / limits[:, 0]).log() / (limits[:, 1] / limits[:, 0]).log()
        return limits[:, 1] * self.amounts[0] ** share


def _checked(pair: int) -> int:
    return checks.integer("pair", pair, least=0, most=PAIRS - 1)


def _late(theta, amount, generator, synth=am_chirp):
    return delay(synth(theta), int(amount))


def _jittered(theta, amount, generator):
    """A sequence whose every onset moves by itself, uniformly within `amount` seconds."""
    moves = torch.rand(len(REGULAR), generator=generator, device=generator.device) - 0.5
    onsets = [onset + amount * move for onset, move in zip(REGULAR, moves.tolist(), strict=True)]
    return sequence(am_chirp, theta, onsets)


def _warped(theta, amount, generator):
    """A sequence whose clock runs up to `amount` faster and slower, from a random phase on."""
    phase = torch.rand(1, generator=generator, device=generator.device).item()
    return warp(regular(theta), amount, phase)


def warp(x: Tensor, amount: float, phase: float) -> Tensor:
    """A sound (N,) whose clock runs up to `amount` faster and slower, once in its duration.

    Raises
    ------
    TypeError, ValueError
        For a wrong type or shape, or an amount by which the clock would stand still.
    """
    checks.floating("x", x, ndim=1)
    amount, phase = checks.real("amount", amount, above=-1, below=1), checks.real("phase", phase)
    if len(x) < 2:
        raise ValueError(f"x has shape {tuple(x.shape)}; expected two samples or more")
    turn = torch.arange(len(x), dtype=torch.float64) / len(x)
    shift = amount / (2 * math.pi) * torch.sin(2 * math.pi * (turn + phase))
    spline = CubicSpline(turn.numpy(force=True), x.numpy(force=True).astype(float))
    return torch.from_numpy(spline((turn + shift).clamp(0, turn[-1]).numpy(force=True))).to(x)


def _punctual(theta, amount, generator):
    return am_chirp(theta)


def _noisy(theta, amount, generator):
    """A chirp in white noise, `amount` decibels below it."""
    x = am_chirp(theta)
    noise = torch.randn(LENGTH, generator=generator, device=generator.device).to(x)
    return x + noise * x.norm() / noise.norm() * 10 ** (-amount / 20)


def _transposed(theta, amount, generator):
    """A chirp whose carrier lies `amount` octaves above that of the candidates."""
    return am_chirp(theta, carrier=512.0 * 2**amount)


loud = partial(am_chirp, unit_energy=False)
TASKS = {
    "delay": Task("one chirp, {amount:g} samples late", _late, amounts=(0, 2**8, 2**10, 2**12)),
    "jitter": Task(
        "a sequence, onsets jittered within {amount:g} s",
        _jittered,
        regular,
        (0.0, 0.15, 0.3, 0.6),
    ),
    "warp": Task("a sequence, tempo off by up to {amount:.0%}", _warped, regular, (0.05,)),
    "ripples": Task(
        "a ripple, {amount:g} samples late", partial(_late, synth=ripple), ripple, (2**10,)
    ),
    "noise": Task("one chirp, noise {amount:g} dB below", _noisy, amounts=(20,)),
    "carrier": Task("one chirp, carrier {amount:g} octaves up", _transposed, amounts=(0.5,)),
    "outside": Outside(
        "one chirp, parameters up to {amount:g} times above the range", _punctual, amounts=(1.5,)
    ),
    "level": Task(
        "one chirp, {amount:g} samples late, its level as published",
        partial(_late, synth=loud),
        loud,
        (2**10,),
    ),
}


@dataclass(frozen=True)
class Run:
    """One search, and what it found.

    Attributes
    ----------
    task, amount, loss : names of `TASKS` and `contenders`, and one of the task's amounts.
    solver : "first", Adam on the loss, or "second", Levenberg-Marquardt on its features.
    start : "random", or "grid": the candidate of a coarse grid that the loss likes best.
    pair : the number of target and start.
    found : the parameters at the end.
    error : the larger relative error of them.
    arrived : the first step from which the error stays within 5 percent, or None.
    steps, evaluations, seconds : as in `Match`.
    """

    task: str
    amount: float
    loss: str
    solver: str
    start: str
    pair: int
    found: tuple[float, ...] = ()
    error: float = math.nan
    arrived: int | None = None
    steps: int = 0
    evaluations: int = 0
    seconds: float = 0.0

    @property
    def key(self) -> tuple:
        """What tells a run from others, whatever it found."""
        return self.task, self.amount, self.loss, self.solver, self.start, self.pair


@dataclass(frozen=True)
class Landscape:
    """What a loss looks like around one target.

    Attributes
    ----------
    task, amount, loss, pair : as in `Run`.
    home : share of the arrows on a grid that point within 90 degrees of the truth.
    minima : on that grid.
    cuts : minima along fine cuts through the truth, the mean over the parameters.
    """

    task: str
    amount: float
    loss: str
    pair: int
    home: float = math.nan
    minima: int = 0
    cuts: float = 0.0

    @property
    def key(self) -> tuple:
        return self.task, self.amount, self.loss, self.pair


def plan(names: list[str]) -> list[Run | Landscape]:
    """All that the study does for losses of these names: pair by pair, so that it may stop."""
    checks.every("names", names, checks.text)
    work = []
    for pair in range(PAIRS):
        for loss in [name for name in names if pair < FEWER or name not in SLOW]:
            usual = "second" if loss in SMOOTH else "first"
            for task, amount in ((t, a) for t in TASKS for a in TASKS[t].amounts):
                work.append(Run(task, amount, loss, usual, "random", pair))
            if usual == "second":  # at one delay, all are searched by first order
                work.append(Run("delay", 2**10, loss, "first", "random", pair))
            if pair < FEWER:
                for amount in (0.3, 0.6):
                    work.append(Run("jitter", amount, loss, usual, "grid", pair))
            if pair < LOOKS:
                work += [Landscape(task, a, loss, pair) for task, a in LOOKED_AT]
    return work


def run(job: Run | Landscape, loss: Loss) -> Run | Landscape:
    """Do what a plan says, with a loss, whatever its name.

    Parameters
    ----------
    job : of `plan`, or made by hand.
    loss : any callable `loss(x, y)`; for the solver "second", a `SpectralLoss`.

    Raises
    ------
    TypeError, ValueError
        If the job names no task, solver, start, amount or pair that there is, or the solver
        "second" meets a loss without features.
    """
    checks.instance("job", job, Run, Landscape)
    checks.one_of("task", job.task, TASKS)
    checks.one_of("solver", getattr(job, "solver", "first"), ("first", "second"))
    checks.one_of("start", getattr(job, "start", "random"), ("random", "grid"))
    checks.real("amount", job.amount)
    _checked(job.pair)
    checks.function("loss", loss)
    if getattr(job, "solver", "first") == "second" and not hasattr(loss, "phi"):
        raise TypeError(f'loss is {loss!r}; expected a SpectralLoss for the solver "second"')
    loss = copy.deepcopy(loss)  # one that draws at random begins anew
    return _search(job, loss) if isinstance(job, Run) else _look(job, loss)


def _search(job: Run, loss: Loss) -> Run:
    task = TASKS[job.task]
    truth, target = task.truth(job.pair), task.target(job.pair, job.amount)
    start = (
        task.start(job.pair) if job.start == "random" else best_of_grid(task.synth, loss, target)
    )
    if job.solver == "first":
        match = gradient_descent(task.synth, loss, target, start)
    else:
        match = gauss_newton(task.synth, loss.phi, target, start)
    return Run(
        *job.key,
        found=tuple(round(value, 5) for value in match.thetas[-1].tolist()),
        error=float(f"{errors(match, truth)[-1]:.4g}"),
        arrived=steps_to(match, truth),
        steps=len(match.thetas) - 1,
        evaluations=match.evaluations,
        seconds=round(match.seconds, 3),
    )


def best_of_grid(synth: Callable, loss: Loss, target: Tensor) -> Tensor:
    """The candidate (P,) of a coarse grid at which the loss against a target (N,) is smallest.

    Raises
    ------
    TypeError, ValueError
        As `SpectralLoss` and `objective` do, and if the loss is not finite somewhere.
    """
    checks.function("loss", loss)
    checks.floating("target", target, ndim=1)
    count = len(parameters_of(synth))
    candidates = log_grid(synth, (GRID,) * count).reshape(-1, count)
    if isinstance(loss, SpectralLoss):  # their features serve every target
        objective(synth, loss, target)(candidates[0])  # says what is wrong
        features = once(_features_at, synth, loss.phi, candidates)
        values = loss.distance(features, loss.features(target))
    else:
        values = losses_at(synth, loss, target, candidates)
    if not values.isfinite().all():
        raise ValueError(f"loss is {values.tolist()} on the coarse grid; expected finite numbers")
    return candidates[values.argmin()]


def _features_at(synth: Callable, phi: Callable, thetas: Tensor) -> Tensor:
    """The features (K, D) of the sounds of some parameters (K, P)."""
    with torch.no_grad():
        return torch.stack([phi(synth(theta)) for theta in thetas])


def losses_at(synth: Callable, loss: Loss, target: Tensor, thetas: Tensor) -> Tensor:
    """The loss (K,) against a target (N,) at each of some parameters (K, P), without gradient."""
    checks.positive("thetas", thetas, ndim=2)
    value_at = objective(synth, loss, target)
    checks.same_device("thetas", thetas, "target", target)
    with torch.no_grad():
        return torch.stack([value_at(theta) for theta in thetas])


def _look(job: Landscape, loss: Loss) -> Landscape:
    task = TASKS[job.task]
    truth, target = task.truth(job.pair), task.target(job.pair, job.amount)
    return Landscape(*job.key, *landscape(task.synth, loss, target, truth))


def landscape(
    synth: Callable, loss: Loss, target: Tensor, truth: Tensor
) -> tuple[float, int, float]:
    """Share of arrows home, minima on a grid, and minima on cuts: see `Landscape`."""
    checks.function("loss", loss)
    checks.floating("target", target, ndim=1)
    checks.positive("truth", truth, ndim=1)
    grid = log_grid(synth, LANDSCAPE)
    if hasattr(getattr(loss, "phi", None), "push_forward"):  # few features: an atlas can hold them
        atlas = once(survey, synth, loss.phi, grid)
        values, gradient = atlas.surface(loss.features(target), loss.p)
    else:
        values, gradient = _surface(objective(synth, loss, target), grid)
    home = share_home(grid, [gradient * grid], truth[None])
    minima = local_minima(values).sum()
    return round(home, 4), int(minima), _minima_of_cuts(synth, loss, target, truth)


def _surface(value_at: Callable[[Tensor], Tensor], grid: Tensor) -> tuple[Tensor, Tensor]:
    """Values (...) and gradients (..., P) of a function of the parameters on a grid."""
    theta, values = grid.clone().requires_grad_(), []
    for point in theta.reshape(-1, grid.shape[-1]):
        value = value_at(point)
        value.backward()
        values.append(value.detach())
    return torch.stack(values).reshape(grid.shape[:-1]), theta.grad


def _minima_of_cuts(synth: Callable, loss: Loss, target: Tensor, truth: Tensor) -> float:
    """Minima inside the range along a line through the truth, the mean over the parameters."""
    counts = []
    for k, each in enumerate(parameters_of(synth)):
        line = truth.repeat(CUT, 1)
        line[:, k] = torch.logspace(math.log10(each.low), math.log10(each.high), CUT)
        values = losses_at(synth, loss, target, line)
        counts.append(int(local_minima(values).sum()))
    return sum(counts) / len(counts)


def to_line(done: Run | Landscape) -> str:
    """A record as a line of JSON."""
    checks.instance("done", done, Run, Landscape)
    return json.dumps({type(done).__name__.lower(): list(asdict(done).values())})


def from_line(line: str) -> Run | Landscape:
    """The record that a line of JSON holds.

    Raises
    ------
    ValueError
        If it holds none.
    """
    kinds: Mapping[str, type] = {"run": Run, "landscape": Landscape}
    checks.text("line", line)
    try:
        [(kind, values)] = json.loads(line).items()
        return kinds[kind](*(tuple(v) if isinstance(v, list) else v for v in values))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"line is {line!r}; expected a run or a landscape in JSON") from error


def read(file: Path = RECORD) -> tuple[dict, list[Run | Landscape]]:
    """The committed study: what it was made with, and its records; raises as `record.read` does."""
    return record.read(file, from_line)
