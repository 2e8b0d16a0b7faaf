"""The comparison: many losses on many tasks, one protocol.

To add a loss, add a line to `losses`, and its name to `SMOOTH` if second order can search it;
`make study` then runs its searches and adds them to the record.
"""

import copy
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from joblib import delayed
from torch import Tensor

from .. import checks
from ..features import rivals
from ..features.jtfs import JTFS
from ..features.loss import SpectralLoss
from ..features.mss import MSS
from ..parameters import axis, draw, grid, parameters_of, per_coordinate
from ..search.first_order import gradient_descent, objective
from ..search.landscape import local_minima, share_toward, survey
from ..search.many import parallel
from ..search.match import errors, steps_to
from ..search.second_order import gauss_newton
from ..search.start import best_of_grid, losses_at
from ..synth import am_chirp
from . import record
from .cache import once
from .tasks import LENGTH, PAIRS, TASKS

RECORD = record.RECORDS / "study.jsonl"
SLOW_PAIRS = 16  # of all pairs, for slow losses, and for starts from a grid
LANDSCAPE_PAIRS = 4  # pairs whose landscapes are surveyed,
LANDSCAPE_CELLS = (("delay", 2**10), ("jitter", 0.3))  # and on which tasks
LANDSCAPE_GRID = (8, 8)
CUT_POINTS = 33  # of a line through a landscape


def losses() -> dict[str, Callable]:
    """The losses of the comparison, by name, for sounds of four seconds."""
    linear = SpectralLoss(MSS(magnitude="linear"), p=1)
    settings = {"length": LENGTH, "oversampling": 0.5}
    jtfs = JTFS(**settings)
    with torch.no_grad():  # sounds of no pair; a thousandth of the median, as published
        scale = 1e-3 * jtfs(am_chirp(draw(am_chirp, 15, seed=40))).median(0).values
    return {
        "waveform": SpectralLoss(rivals.Waveform(), p=2),
        "MSS linear": linear,
        "MSS log": SpectralLoss(MSS(magnitude="log"), p=1),
        "MSS both": SpectralLoss(MSS(magnitude="both"), p=1),
        "MSS random windows": rivals.RandomWindows(),
        "MSS aligned by waveforms": rivals.Aligned(linear, by="waveforms"),
        "MSS aligned": rivals.Aligned(linear, by="envelopes"),
        "optimal transport": SpectralLoss(rivals.Quantiles(), p=1),
        "average spectrum": SpectralLoss(rivals.AverageSpectrum(), p=1),
        "modulation spectrum": SpectralLoss(rivals.ModulationSpectrum(), p=1),
        "time scattering": SpectralLoss(rivals.TimeScattering(**settings), p=1),
        "JTFS, local T": SpectralLoss(JTFS(**settings, T=2**12), p=1),
        "JTFS": SpectralLoss(jtfs, p=1),
        "JTFS, log": SpectralLoss(rivals.Logarithm(jtfs, scale), p=1),
    }


SLOW = {"JTFS, local T", "JTFS", "JTFS, log"}
# Their features are smooth where sounds are: squared distances can be searched by second order.
SMOOTH = SLOW | {
    "waveform",
    "optimal transport",
    "average spectrum",
    "modulation spectrum",
    "time scattering",
}


@dataclass(frozen=True)
class Run:
    """One search, and its result.

    Attributes
    ----------
    task, amount, loss : names of `TASKS` and `losses`, and one of the task's amounts.
    solver : "first", Adam on the loss, or "second", Levenberg-Marquardt on its features.
    start : "random", or "grid": the candidate of a coarse grid at which the loss is smallest.
    pair : the number of target and start.
    predicted : the parameters at the end.
    error : the larger error of them, as in `search.match.errors`.
    converged_at : the first step from which the error stays within 5 percent, or None.
    steps, evaluations, seconds : as in `Match`.
    """

    task: str
    amount: float
    loss: str
    solver: str
    start: str
    pair: int
    predicted: tuple[float, ...] = ()
    error: float = math.nan
    converged_at: int | None = None
    steps: int = 0
    evaluations: int = 0
    seconds: float = 0.0

    @property
    def key(self) -> tuple:
        """What identifies a run, whatever its result."""
        return self.task, self.amount, self.loss, self.solver, self.start, self.pair

    @property
    def succeeded(self) -> bool:
        return self.converged_at is not None


@dataclass(frozen=True)
class LandscapeResult:
    """Statistics of a loss around one target.

    Attributes
    ----------
    task, amount, loss, pair : as in `Run`; of a mean over pairs, None.
    share_toward : share of the descent directions on a grid within 90 degrees of the truth's.
    minima : on that grid.
    cut_minima : minima along fine cuts through the truth, the mean over the parameters.
    """

    task: str
    amount: float
    loss: str
    pair: int | None
    share_toward: float = math.nan
    minima: float = 0
    cut_minima: float = 0.0

    @property
    def key(self) -> tuple:
        return self.task, self.amount, self.loss, self.pair


def plan(names: Iterable[str]) -> list[Run | LandscapeResult]:
    """All that the study does for losses of these names, pair by pair."""
    work, names = [], list(names)
    for pair in range(PAIRS):
        for loss in [name for name in names if pair < SLOW_PAIRS or name not in SLOW]:
            usual = "second" if loss in SMOOTH else "first"
            for task, amount in ((t, a) for t in TASKS for a in TASKS[t].amounts):
                work.append(Run(task, amount, loss, usual, "random", pair))
            if usual == "second":  # at one delay, all are searched by first order
                work.append(Run("delay", 2**10, loss, "first", "random", pair))
            if pair < SLOW_PAIRS:
                for amount in (0.3, 0.6):
                    work.append(Run("jitter", amount, loss, usual, "grid", pair))
            if pair < LANDSCAPE_PAIRS:
                work += [LandscapeResult(task, a, loss, pair) for task, a in LANDSCAPE_CELLS]
    return work


def run(job: Run | LandscapeResult, loss: Callable) -> Run | LandscapeResult:
    """Do one job, of `plan` or made by hand, with a loss, whatever its name.

    The loss is any callable `loss(x, y)`; for the solver "second", a `SpectralLoss`.
    """
    checks.one_of("task", job.task, TASKS)
    loss = copy.deepcopy(loss)  # a loss that draws at random begins anew
    if isinstance(job, Run):
        return _search(job, loss)
    task = TASKS[job.task]
    truth, target = task.truth(job.pair), task.target(job.pair, job.amount)
    return LandscapeResult(*job.key, *landscape_statistics(task.synth, loss, target, truth))


def run_all(
    jobs: Iterable[Run | LandscapeResult],
    loss: Callable | Mapping[str, Callable],
    n_jobs: int = -1,
) -> list[Run | LandscapeResult]:
    """`run` for many jobs, in their order, with one loss, or with each job's loss by its name."""
    by_name = isinstance(loss, Mapping)
    work = (delayed(run)(job, loss[job.loss] if by_name else loss) for job in jobs)
    return list(parallel(n_jobs, torch.get_default_device())(work))


def _search(job: Run, loss: Callable) -> Run:
    checks.one_of("solver", job.solver, ("first", "second"))
    checks.one_of("start", job.start, ("random", "grid"))
    if job.solver == "second" and not hasattr(loss, "phi"):
        raise TypeError(f'loss is {loss!r}; expected a SpectralLoss for the solver "second"')
    task = TASKS[job.task]
    truth, target = task.truth(job.pair), task.target(job.pair, job.amount)
    if job.start == "random":
        start = task.start(job.pair)
    else:
        start = best_of_grid(task.synth, loss, target)
    if job.solver == "first":
        match = gradient_descent(task.synth, loss, target, start)
    else:
        match = gauss_newton(task.synth, loss.phi, target, start)
    return Run(
        *job.key,
        predicted=tuple(round(value, 5) for value in match.thetas[-1].tolist()),
        error=float(f"{errors(match, truth)[-1]:.4g}"),
        converged_at=steps_to(match, truth),
        steps=len(match.thetas) - 1,
        evaluations=match.evaluations,
        seconds=round(match.seconds, 3),
    )


def landscape_statistics(
    synth: Callable, loss: Callable, target: Float[Tensor, " N"], truth: Float[Tensor, " P"]
) -> tuple[float, int, float]:
    """Share of directions toward the truth, minima on a grid and on cuts: see `LandscapeResult`."""
    points = grid(synth, LANDSCAPE_GRID)
    if hasattr(getattr(loss, "phi", None), "push_forward"):  # few features: an atlas can hold them
        atlas = once(survey, synth, loss.phi, points)
        values, gradient = atlas.surface(loss.features(target), loss.p)
    else:
        values, gradient = _surface(objective(synth, loss, target), points)
    gradient = gradient * per_coordinate(parameters_of(synth), points)
    share = share_toward(synth, points, [gradient], truth[None])
    minima = local_minima(values).sum()
    return round(share, 4), int(minima), _minima_of_cuts(synth, loss, target, truth)


def _surface(value_at: Callable, points: Tensor) -> tuple[Tensor, Tensor]:
    """Values (...) and gradients (..., P) of a function of the parameters on a grid."""
    theta, values = points.clone().requires_grad_(), []
    for point in theta.reshape(-1, points.shape[-1]):
        value = value_at(point)
        value.backward()
        values.append(value.detach())
    return torch.stack(values).reshape(points.shape[:-1]), theta.grad


def _minima_of_cuts(synth: Callable, loss: Callable, target: Tensor, truth: Tensor) -> float:
    """Minima inside the range along a line through the truth, the mean over the parameters."""
    counts = []
    for k, parameter in enumerate(parameters_of(synth)):
        line = truth.repeat(CUT_POINTS, 1)
        line[:, k] = axis(parameter, CUT_POINTS)
        counts.append(int(local_minima(losses_at(synth, loss, target, line)).sum()))
    return sum(counts) / len(counts)


KINDS = {"run": Run, "landscape": LandscapeResult}


def to_line(done: Run | LandscapeResult) -> str:
    """A result as a line of JSON."""
    kind = "run" if isinstance(done, Run) else "landscape"
    return json.dumps({kind: list(asdict(done).values())})


def from_line(line: str) -> Run | LandscapeResult:
    """The result that a line of JSON holds."""
    [(kind, values)] = json.loads(line).items()
    return KINDS[kind](*(tuple(v) if isinstance(v, list) else v for v in values))


def read(file: Path = RECORD) -> tuple[dict, list[Run | LandscapeResult]]:
    """The committed study: what it was made with, and its results."""
    return record.read(file, from_line)
