"""The comparison: many losses on many tasks, one protocol.

To add a loss, add a line to `contenders`; `make study` then runs its searches and adds them to the
record.
"""

import copy
import inspect
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from joblib import delayed
from torch import Tensor, nn

from .. import checks
from ..features import rivals
from ..features.compression import Logarithm
from ..features.jtfs import JTFS
from ..features.loss import SpectralLoss
from ..features.mss import MSS
from ..parameters import axis, coordinates, draw, grid, parameters_of
from ..search.first_order import gradient_descent, objective
from ..search.landscape import best_of_grid, local_minima, losses_at, share_toward
from ..search.many import parallel
from ..search.match import errors, steps_to
from ..search.second_order import gauss_newton
from ..synth import SAMPLE_RATE, am_chirp
from . import record
from .tasks import LENGTH, PAIRS, TASKS

RECORD = record.RECORDS / "study.jsonl"
SLOW_PAIRS = 16  # of all pairs, for slow losses, and for starts from a grid
LANDSCAPE_PAIRS = 4  # pairs whose landscapes are surveyed,
LANDSCAPE_CELLS = (("delay", 2**10), ("jitter", 0.3))  # and on which tasks
LANDSCAPE_GRID = (8, 8)
CUT_POINTS = 33  # of a line through a landscape


class Contender(NamedTuple):
    """A loss of the comparison, and how it is searched."""

    loss: Callable
    second_order: bool = False  # its features are smooth and few enough for a Jacobian
    slow: bool = False  # a step takes as long as one of JTFS: it gets `SLOW_PAIRS`

    @property
    def description(self) -> str:
        """The first line of what the operator, or a loss without one, says of itself."""
        return inspect.getdoc(getattr(self.loss, "phi", self.loss)).partition("\n")[0]


def contenders(length: int = LENGTH, J: int = 12) -> dict[str, Contender]:
    """The losses of the comparison, by name; scattering with `J`, for sounds of `length`."""
    linear = SpectralLoss(MSS(magnitude="linear"), p=1)
    settings = {"length": length, "J": J, "oversampling": 0.5}
    jtfs = JTFS(**settings)
    strangers = draw(am_chirp, 15, seed=40)  # of no pair
    others = am_chirp(strangers, duration=length / SAMPLE_RATE)
    with torch.no_grad():
        scale = 1e-3 * jtfs(others).median(0).values  # as published

    def smooth(phi: nn.Module, p: int = 1, slow: bool = False) -> Contender:
        return Contender(SpectralLoss(phi, p), second_order=True, slow=slow)

    return {
        "waveform": smooth(rivals.Waveform(), p=2),
        "MSS linear": Contender(linear),
        "MSS log": Contender(SpectralLoss(MSS(magnitude="log"), p=1)),
        "MSS both": Contender(SpectralLoss(MSS(magnitude="both"), p=1)),
        "MSS random windows": Contender(rivals.RandomWindows()),
        "MSS aligned by waveforms": Contender(rivals.Aligned(linear, by="waveforms")),
        "MSS aligned": Contender(rivals.Aligned(linear, by="envelopes")),
        "optimal transport": smooth(rivals.Quantiles()),
        "average spectrum": smooth(rivals.AverageSpectrum()),
        "modulation spectrum": smooth(rivals.ModulationSpectrum()),
        "time scattering": smooth(rivals.TimeScattering(**settings)),
        "JTFS, local T": smooth(JTFS(**settings, T=2**J), slow=True),
        "JTFS": smooth(jtfs, slow=True),
        "JTFS, log": smooth(Logarithm(jtfs, scale), slow=True),
    }


@dataclass(frozen=True)
class Run:
    """One search, and its result.

    Attributes
    ----------
    task, amount, loss : names of `TASKS` and `contenders`, and one of the task's amounts.
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
    """Statistics of a loss around one target, or their means over pairs, where `pair` is None.

    Attributes
    ----------
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


Job = Run | LandscapeResult  # with defaults for results before it is done


def plan(among: Mapping[str, Contender]) -> list[Job]:
    """All that the study does for these losses, pair by pair."""
    work = []
    for pair in range(PAIRS):
        for loss, contender in among.items():
            if contender.slow and pair >= SLOW_PAIRS:
                continue
            usual = "second" if contender.second_order else "first"
            cells = [(task, amount) for task in TASKS for amount in TASKS[task].amounts]
            work += [Run(*cell, loss, usual, "random", pair) for cell in cells]
            if usual == "second":  # at one delay, all are searched by first order
                work.append(Run("delay", 2**10, loss, "first", "random", pair))
            if pair < SLOW_PAIRS:
                work += [Run("jitter", a, loss, usual, "grid", pair) for a in (0.3, 0.6)]
            if pair < LANDSCAPE_PAIRS:
                work += [LandscapeResult(*cell, loss, pair) for cell in LANDSCAPE_CELLS]
    return work


def run(job: Job, loss: Callable) -> Job:
    """Do one job, of `plan` or made by hand, with a loss, whatever its name.

    The loss is any callable `loss(x, y)`; for the solver "second", a `SpectralLoss`.
    """
    checks.one_of("task", job.task, TASKS)
    task, loss = TASKS[job.task], copy.deepcopy(loss)  # a loss that draws at random begins anew
    truth, target = task.truth(job.pair), task.target(job.pair, job.amount)
    if isinstance(job, LandscapeResult):
        return LandscapeResult(*job.key, *landscape_statistics(task.synth, loss, target, truth))
    checks.one_of("solver", job.solver, ("first", "second"))
    checks.one_of("start", job.start, ("random", "grid"))
    start = (
        task.start(job.pair) if job.start == "random" else best_of_grid(task.synth, loss, target)
    )
    if job.solver == "first":
        match = gradient_descent(task.synth, loss, target, start)
    elif hasattr(loss, "phi"):
        match = gauss_newton(task.synth, loss.phi, target, start)
    else:
        raise TypeError(f'loss is {loss!r}; expected a SpectralLoss for the solver "second"')
    return Run(
        *job.key,
        predicted=tuple(round(value, 5) for value in match.thetas[-1].tolist()),
        error=float(f"{errors(match, truth)[-1]:.4g}"),
        converged_at=steps_to(match, truth),
        steps=len(match.thetas) - 1,
        evaluations=match.evaluations,
        seconds=round(match.seconds, 3),
    )


def run_all(jobs: Iterable[Job], losses: Mapping[str, Callable]) -> list[Job]:
    """`run` for many jobs, in their order, each with the loss of its name."""
    work = (delayed(run)(job, losses[job.loss]) for job in jobs)
    return list(parallel(-1, torch.get_default_device())(work))


def landscape_statistics(
    synth: Callable, loss: Callable, target: Float[Tensor, " N"], truth: Float[Tensor, " P"]
) -> tuple[float, int, float]:
    """Share of directions toward the truth, minima on a grid and on cuts: see `LandscapeResult`."""
    points, value_at = grid(synth, LANDSCAPE_GRID), objective(synth, loss, target)
    to_z, from_z = coordinates(synth)
    z, values = to_z(points).requires_grad_(), []
    for one in z.flatten(0, -2):
        value = value_at(from_z(one))
        value.backward()
        values.append(value.detach())
    minima = local_minima(torch.stack(values).reshape(points.shape[:-1])).sum()
    share = share_toward(synth, points, [z.grad], truth[None])
    cuts = []
    for k, parameter in enumerate(parameters_of(synth)):
        line = truth.repeat(CUT_POINTS, 1)
        line[:, k] = axis(parameter, CUT_POINTS)
        cuts.append(int(local_minima(losses_at(synth, loss, target, line)).sum()))
    return round(share, 4), int(minima), sum(cuts) / len(cuts)


KINDS = {"run": Run, "landscape": LandscapeResult}


def to_line(done: Job) -> str:
    """A result as a line of JSON."""
    kind = "run" if isinstance(done, Run) else "landscape"
    return json.dumps({kind: list(asdict(done).values())})


def from_line(line: str) -> Job:
    """The result that a line of JSON holds."""
    [(kind, values)] = json.loads(line).items()
    return KINDS[kind](*(tuple(v) if isinstance(v, list) else v for v in values))


def read() -> tuple[dict, list[Job]]:
    """The committed study: what it was made with, and its results."""
    return record.read(RECORD, from_line)
