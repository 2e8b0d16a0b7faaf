"""The study: many losses on many tasks, one protocol.

Every loss meets the same pairs of target and start, with parameters and sounds that are independent
from task to task and on which nothing was chosen. It is searched from a random start, and from the
best points of a grid of candidates, which it chooses itself.
"""

import itertools
import json
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import torch
from jaxtyping import Float
from joblib import delayed
from torch import Tensor

from .. import checks
from ..search.batched import gauss_newton_all
from ..search.first_order import gradient_descent
from ..search.from_grid import search_from_grid, search_one_from_grid
from ..search.many import parallel
from ..search.match import Match
from ..search.quasi_newton import quasi_newton
from . import record
from .contenders import FLOORS, MAKERS, Contender, Way
from .statistics import holm, mcnemar
from .tasks import PAIRS, SAMPLE, TASKS

RECORD = record.RECORDS / "study.jsonl"
DELAYS = (0, 2**6, 2**8, 2**10, 2**12)
# Tasks and amounts, and what a table calls them.
CELLS = {
    ("delay", 0): "on time",
    ("delay", 2**10): "125 ms late",
    ("jitter", 0.3): "onsets moved",
    ("warp", 0.05): "clock bent",
    ("noise", 20): "in noise",
    ("carrier", 0.5): "other pitch",
    ("ripples", 2**10): "ripples",
    ("direction", 0.3): "up or down",
}
MORE = {
    ("envelope warp", 0.05): "envelopes bent",
    ("noise and carrier", 0.5): "noise and pitch",
    ("outside", 1.5): "out of range",
}
STRESS = {
    ("jitter", 1.2): "onsets moved, ±600 ms",
    ("warp", 0.15): "clock bent, 15%",
    ("noise", 0): "noise, 0 dB",
    ("carrier", 1.5): "1.5 octaves up",
}
POLISHED = [("jitter", 0.3), ("warp", 0.05), ("noise", 20), ("direction", 0.3)]
# The losses that chapter 5 tells of meet the tasks of `MORE` too, the two best those of `STRESS`.
FIVE = ("MSS", "MSS aligned", "modulation spectrum", "pooled time scattering", "root JTFS")
BEST = FIVE[2::2]
SIMPLEST = ("waveform", "average spectrum")
SUM = "MSS + root JTFS"
# The best of those that from the fine grid take no longer than root JTFS from the coarse one.
CHEAP = ("waveform", "average spectrum", "time warping", "modulation spectrum")
# The values of each parameter on the grid, and the points of it from which searches set out.
GRIDS = {"coarse": (6, 3), "fine": (16, 12)}
STARTS = ("random", *GRIDS, "polish")
SOLVERS = {"BFGS": quasi_newton, "Adam": gradient_descent}


@dataclass(frozen=True)
class Searches:
    """Searches with one loss on one task, pair by pair.

    Attributes
    ----------
    loss, task, amount : names of `MAKERS` and of `TASKS`, and one of the task's amounts.
    start : "random"; the best points of a grid, "coarse" or "fine"; or, to "polish", the ends of
        root JTFS from the coarse grid.
    predicted : the parameters at the end of each search.
    errors : the larger relative error of them.
    evaluations : of a search, those on the grid included; the median.
    seconds : of a search on one thread of the processor, the mean; None if it ran elsewhere.
    """

    loss: str
    task: str
    amount: float
    start: str
    predicted: tuple[tuple[float, ...], ...]
    errors: tuple[float, ...]
    evaluations: float
    seconds: float | None

    @property
    def key(self) -> tuple:
        return self.loss, self.task, self.amount, self.start

    def within(self, tolerance: float = 0.05) -> list[bool]:
        """For each pair, whether all parameters are within `tolerance` of the truth."""
        return [error <= tolerance for error in self.errors]

    def found(self, tolerance: float = 0.05) -> int:
        """How many of the searches end that near."""
        return sum(self.within(tolerance))


def search(
    contender: Contender,
    loss: str,
    task: str,
    amount: float,
    start: str,
    pairs: Sequence[int] | None = None,
    sample: int = SAMPLE,
) -> Searches:
    """Search for the targets of some pairs, by default of `pairs_of(loss)`."""
    pairs = pairs_of(loss) if pairs is None else pairs
    one = TASKS[checks.one_of("task", task, TASKS)]
    truths = torch.stack([one.truth(pair, sample) for pair in pairs])
    targets = torch.stack([one.target(pair, amount, sample) for pair in pairs])
    began = time.perf_counter()
    if checks.one_of("start", start, STARTS) == "random":
        starts = torch.stack([one.start(pair, sample) for pair in pairs])
        matches = from_starts(contender.random, one.synth, targets, starts)
    elif start == "polish":
        ends = torch.tensor(read()[1]["root JTFS", task, amount, "coarse"].predicted)
        matches = from_starts(contender.grid, one.synth, targets, ends[list(pairs)])
    else:
        count, starts = GRIDS[start]
        matches = from_grid(contender.grid, one.synth, targets, one.grid(count), starts)
    ends = torch.stack([match.thetas[-1] for match in matches])
    return Searches(
        loss,
        task,
        amount,
        start,
        predicted=tuple(tuple(round(value, 5) for value in end) for end in ends.tolist()),
        errors=relative_errors(ends, truths),
        evaluations=statistics.median(match.evaluations for match in matches),
        seconds=round((time.perf_counter() - began) / len(matches), 3),
    )


def pairs_of(loss: str) -> range:
    """The pairs of the comparison; for `FLOORS`, from which a contender was chosen, others."""
    return range(PAIRS, 2 * PAIRS) if loss in FLOORS else range(PAIRS)


def examine(
    contender: Contender,
    cells: Sequence[tuple[str, float]] = tuple(CELLS),
    pairs: Sequence[int] = range(8),
    start: str = "coarse",
    n_jobs: int = -1,
) -> list[Searches]:
    """Put a loss of your own on tasks of the comparison, `n_jobs` of them at a time."""
    work = (delayed(search)(contender, "yours", *cell, start, pairs) for cell in cells)
    return list(parallel(n_jobs, torch.get_default_device())(work))


def from_starts(
    way: Way,
    synth: Callable,
    targets: Float[Tensor, "K n"],
    starts: Float[Tensor, "K P"],
) -> list[Match]:
    """One search for each target."""
    loss, pairs = way.loss, zip(targets, starts, strict=True)
    if way.solver != "LM":
        solve = SOLVERS[way.solver]
        return [solve(synth, loss, target, start) for target, start in pairs]
    if hasattr(loss, "phi"):
        return gauss_newton_all(synth, loss.phi, targets, starts)
    return [
        match
        for target, start in pairs
        for match in gauss_newton_all(synth, loss.operator(target), target[None], start[None])
    ]


def from_grid(
    way: Way,
    synth: Callable,
    targets: Float[Tensor, "K n"],
    points: Float[Tensor, "*grid P"],
    starts: int = GRIDS["coarse"][1],
) -> list[Match]:
    """The best of several searches for each target: see `search_from_grid`."""
    loss = way.loss
    if way.solver != "LM":
        solve = SOLVERS[way.solver]
        return [
            search_one_from_grid(synth, loss, target, points, solve, starts) for target in targets
        ]
    if hasattr(loss, "phi"):
        return search_from_grid(synth, loss.phi, targets, points, starts)
    return [
        match
        for target in targets
        for match in search_from_grid(synth, loss.operator(target), target[None], points, starts)
    ]


def relative_errors(ends: Tensor, truths: Tensor) -> tuple[float, ...]:
    """The larger relative errors of parameters, to three digits."""
    errors = (ends / truths - 1).abs().amax(-1).cpu().tolist()
    return tuple(float(f"{error:.3g}") for error in errors)


def plan() -> list[tuple]:
    """All searches of the study, as keys of `Searches`."""
    keys = [(SUM, "delay", samples, "coarse") for samples in (0, 2**10)]  # it is slow
    asked = [loss for loss in MAKERS if loss not in (SUM, *FLOORS)]
    keys += [(loss, *cell, "coarse") for loss in asked for cell in CELLS]
    keys += [(loss, *cell, "random") for loss in (*FIVE, *SIMPLEST) for cell in CELLS]
    keys += [(loss, *cell, "fine") for loss in CHEAP for cell in CELLS]
    keys += [("modulation spectrum", *cell, "fine") for cell in STRESS]
    keys += [("modulation spectrum", *cell, "polish") for cell in POLISHED]
    keys += [(loss, *cell, "coarse") for loss in FIVE for cell in MORE]
    keys += [(loss, *cell, "coarse") for loss in BEST for cell in STRESS]
    keys += [(loss, "delay", 0, "random") for loss in FLOORS]
    for samples, start in itertools.product(DELAYS, STARTS[:2]):
        keys += [(loss, "delay", samples, start) for loss in ("MSS", "root JTFS")]
    return list(dict.fromkeys(keys))


def to_line(searches: Searches) -> str:
    """Searches as a line of JSON."""
    return json.dumps(list(asdict(searches).values()))


def from_line(line: str) -> Searches:
    """The searches that a line of JSON holds."""
    *key, predicted, errors, evaluations, seconds = json.loads(line)
    return Searches(*key, tuple(map(tuple, predicted)), tuple(errors), evaluations, seconds)


def read() -> tuple[dict, "Results"]:
    """The committed study: what it was made with, and its searches by key."""
    made, rows = record.read(RECORD, from_line)
    return made, Results({row.key: row for row in rows})


class Results(dict[tuple, Searches]):
    """Searches by key, and what a chapter asks of them; `cell` is a task and an amount."""

    def found(self, loss: str, cell: tuple[str, float], start: str = "coarse") -> int:
        """How many targets a loss finds within 5 percent."""
        return self[loss, *cell, start].found()

    def total(self, loss: str, start: str = "coarse") -> int:
        """The same over all of `CELLS`."""
        return sum(self.found(loss, cell, start) for cell in CELLS)

    def counts(
        self,
        losses: Iterable[str],
        start: str = "coarse",
        cells: Mapping[tuple[str, float], str] = CELLS,
        tolerance: float = 0.05,
    ) -> dict[tuple[str, str], tuple[int, int]]:
        """Successes and trials by loss and by the name of a cell, of what the study asked."""
        rows = (
            (loss, words, self.get((loss, *cell, start)))
            for loss, (cell, words) in itertools.product(losses, cells.items())
        )
        return {
            (loss, words): (row.found(tolerance), len(row.errors))
            for loss, words, row in rows
            if row
        }

    def chances(
        self, losses: Iterable[str], cells: Iterable[tuple[str, float]], start: str = "coarse"
    ) -> dict[tuple[str, tuple[str, float]], float]:
        """The p-value of each difference from root JTFS, which starts from the coarse grid.

        McNemar's test, with Holm's correction.
        """
        asked = list(itertools.product(losses, cells))
        ways = [((loss, *cell, start), ("root JTFS", *cell, "coarse")) for loss, cell in asked]
        tests = [mcnemar(*(self[key].within() for key in pair)) for pair in ways]
        return dict(zip(asked, holm(tests), strict=True))
