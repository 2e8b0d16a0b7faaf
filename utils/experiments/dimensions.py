"""How success and cost grow with the number of parameters, for chapter 8."""

import functools
import itertools
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from jaxtyping import Float
from joblib import Parallel, delayed
from sklearn.kernel_ridge import KernelRidge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from ..parameters import candidates, coordinates, deviations, draw, ends_of, parameters
from ..search.from_grid import search_from_grid
from ..search.jacobian import features_of
from . import record
from .recordings import CANDIDATES, ECHO, STARTS, TONE, echoed_tone, operator

RECORD = record.RECORDS / "dimensions.jsonl"
COUNTS = (2, 3, 4, 6)
TARGETS = 32
LEARNED = 1024  # sounds from which the regression learns
# A loss, and where its search begins.
WAYS = tuple(itertools.product(("MSS", "root JTFS"), ("candidates", "guess")))


@dataclass(frozen=True)
class Searches:
    """Searches for the parameters of some targets: the worst error of each, and evaluations."""

    parameters: int
    loss: str
    start: str
    errors: list[float]
    evaluations: list[int]

    @property
    def key(self) -> tuple:
        return self.parameters, self.loss, self.start

    def found(self) -> int:
        """How many searches end with all parameters within 5 percent."""
        return sum(error <= 0.05 for error in self.errors)


@functools.cache
def tone(count: int) -> Callable:
    """`echoed_tone` with its first `count` parameters; the others are in the middle."""
    middle = coordinates(echoed_tone)[1](ends_of(echoed_tone).mean(0))

    @parameters(*(TONE + ECHO)[:count])
    def synth(theta):
        rest = middle[count:].to(theta).expand(*theta.shape[:-1], -1)
        return echoed_tone(torch.cat([theta, rest], -1))

    return synth


@functools.cache
def regression(count: int, loss: str) -> Callable[[Tensor], Tensor]:
    """From the features of a loss to parameters: kernel ridge regression, with a Gaussian kernel.

    It has learned from candidates, whose parameters are known, and sees nothing of a target but its
    features. Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", 2009,
    section 5.8.
    """
    synth, phi = tone(count), operator(loss, tone(count))
    low, high = ends_of(synth)
    to_z, from_z = coordinates(synth)
    known = candidates(synth, LEARNED)
    features = features_of(phi, known, synth).numpy()
    kernel = KernelRidge(kernel="rbf", gamma=1 / (4 * features.shape[-1]), alpha=1e-3)
    fitted = make_pipeline(StandardScaler(), kernel).fit(features, to_z(known).numpy())

    def guess(features: Float[Tensor, "K D"]) -> Float[Tensor, "K P"]:
        z = torch.from_numpy(fitted.predict(features.numpy())).to(low)
        return from_z(z.clamp(low, high))

    return guess


def search(count: int, loss: str, start: str, pairs: int = TARGETS) -> Searches:
    """The recipe of chapter 8: from the nearest of many candidates, or from a guess."""
    synth, phi = tone(count), operator(loss, tone(count))
    truths = draw(synth, TARGETS, seed=90)[:pairs]
    targets = synth(truths)
    find = functools.partial(search_from_grid, synth, phi, within=True)
    if start == "candidates":
        matches = find(targets, candidates(synth, CANDIDATES), STARTS)
    else:
        guesses = regression(count, loss)(phi(targets))
        matches = [find(x[None], guess[None])[0] for x, guess in zip(targets, guesses, strict=True)]
    ends = torch.stack([match.thetas[-1] for match in matches])
    errors = deviations(synth.parameters, ends, truths).amax(-1).tolist()
    worst = [float(f"{error:.3g}") for error in errors]
    return Searches(count, loss, start, worst, [match.evaluations for match in matches])


def write() -> None:
    """Search for all targets, and write the record."""
    jobs = itertools.product(reversed(COUNTS), reversed(WAYS))  # the slowest first
    work = (delayed(search)(count, *way) for count, way in jobs)
    lines = []
    for one in Parallel(n_jobs=-1, return_as="generator_unordered")(work):
        lines.append(json.dumps(asdict(one)))
        record.write(RECORD, record.made_with(), lines)


def read() -> tuple[dict, dict[tuple, Searches]]:
    """What the record was made with, and the searches by number of parameters, loss and start."""
    made, rows = record.read(RECORD, lambda line: Searches(**json.loads(line)))
    return made, {row.key: row for row in rows}
