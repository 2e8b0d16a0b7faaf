"""Results of the comparison, as a table to ask."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import mean, median

from . import comparison
from .comparison import Job, LandscapeResult, Run


class Searches(tuple):
    """Searches of one loss on one task, in the order of their pairs."""

    @property
    def counts(self) -> tuple[int, int]:
        """Successes and trials."""
        return sum(run.succeeded for run in self), len(self)

    @property
    def rate(self) -> float:
        """The share that succeeds."""
        return self.counts[0] / len(self)

    def first(self, count: int) -> Searches:
        """Those of the first pairs."""
        return Searches(run for run in self if run.pair < count)

    def median(self, attribute: str) -> float:
        """The median of an attribute of `Run`, such as "error" or "evaluations"."""
        return median(getattr(run, attribute) for run in self)

    def wins_over(self, other: Searches) -> int:
        """The number of pairs on which these succeed and the others fail."""
        failed = {run.pair for run in other if not run.succeeded}
        return sum(run.succeeded and run.pair in failed for run in self)


class Results:
    """Results of searches and landscapes; of the record, also what it was `made` with."""

    def __init__(self, results: Iterable[Job], made: dict | None = None):
        results = list(results)
        self.runs = [one for one in results if isinstance(one, Run)]
        self.landscapes = [one for one in results if isinstance(one, LandscapeResult)]
        self.made = made or {}

    @classmethod
    def read(cls) -> Results:
        """The committed record."""
        made, results = comparison.read()
        return cls(results, made)

    def of(self, loss: str, task: str, amount: float, *, start="random", solver=None) -> Searches:
        """The searches of a loss on a task; by default of second order where there are such."""
        if all(run.loss != loss for run in self.runs):
            raise ValueError(f"loss is {loss!r}; expected one of the record: run `make study`")
        cell = (loss, task, amount, start)
        runs = [r for r in self.runs if (r.loss, r.task, r.amount, r.start) == cell]
        if solver is None:
            solver = "second" if any(r.solver == "second" for r in runs) else "first"
        return Searches(sorted((r for r in runs if r.solver == solver), key=lambda r: r.pair))

    def landscape(self, loss: str, task: str, amount: float) -> LandscapeResult:
        """Means over the targets whose landscapes were surveyed."""
        cell = (task, amount, loss)
        chosen = [one for one in self.landscapes if one.key[:3] == cell]
        numbers = [(one.share_toward, one.minima, one.cut_minima) for one in chosen]
        return LandscapeResult(*cell, None, *map(mean, zip(*numbers, strict=True)))
