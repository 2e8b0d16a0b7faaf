"""Convergence: how many evaluations a solver needs near the truth, on aligned sounds.

Each solver moves in search coordinates and sees one function, a distance to the target; it is asked
again and again until its budget is spent. What counts is the point with the smallest value so far.
"""

import contextlib
import itertools
import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import least_squares, minimize
from torch import Tensor, nn

from ..features.mss import MSS
from ..parameters import coordinates
from ..search.jacobian import condition, features_and_slopes
from ..synth import am_chirp
from . import record
from .recipe import root_jtfs
from .tasks import TASKS

RECORD = record.RECORDS / "convergence.jsonl"
PAIRS, SAMPLE, BUDGET = 16, 4, 100
OFF = (0.1, 0.25, 0.5)  # of both parameters at the start
TOLERANCES = (0.05, 0.01)
DISTANCES = {"squared": 2, "L1": 1}


@dataclass(frozen=True)
class Convergence:
    """How one solver converges from a start near the truth.

    Attributes
    ----------
    features, distance, solver : "MSS" or "root JTFS"; "squared" or "L1"; a key of `SOLVERS`.
    pair, off : the number of the target, and how far off the start is.
    evaluations : of value and gradient until the error stays within each of `TOLERANCES`, or None.
    condition : the condition number at the truth of the squared distance.
    """

    features: str
    distance: str
    solver: str
    pair: int
    off: float
    evaluations: tuple[int | None, ...]
    condition: float


class Spent(Exception):
    """The budget of evaluations is spent, or nothing is left to see."""


class Distance:
    """A distance to the features of a target, which keeps how near the best point so far is.

    It ends a search that has been within the smallest tolerance for ten evaluations; the search
    itself does not see the truth.
    """

    def __init__(self, phi: nn.Module, target: Float[Tensor, " n"], truth: Tensor, p: int):
        self.phi, self.truth, self.p = phi, truth, p
        with torch.no_grad():
            self.wanted = phi(target)
        self.best, self.errors = np.inf, []  # the smallest value, and errors of its points
        self.from_z = coordinates(am_chirp)[1]

    def value_and_gradient(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """The squared Euclidean distance, or the L1 distance."""
        at = torch.tensor(z, dtype=torch.float32, requires_grad=True)
        difference = self.phi(am_chirp(self.from_z(at))) - self.wanted
        value = difference.square().sum() if self.p == 2 else difference.abs().sum()
        (gradient,) = torch.autograd.grad(value, at)
        self._keep(value.item(), z)
        return value.item(), gradient.numpy().astype(float)

    def residual_and_jacobian(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The difference of features, and its Jacobian."""
        theta = self.from_z(torch.tensor(z, dtype=torch.float32))
        features, jacobian = features_and_slopes(am_chirp, self.phi, theta)
        residual = (features - self.wanted).double()
        self._keep(residual.square().sum().item(), z)
        return residual.numpy(), jacobian.double().numpy()

    def _keep(self, value: float, z: np.ndarray) -> None:
        error = self.errors[-1] if self.errors else np.inf
        if value < self.best:
            self.best = value
            error = (self.from_z(torch.tensor(z)) / self.truth - 1).abs().max().item()
        self.errors.append(error)
        if len(self.errors) == BUDGET or (
            len(self.errors) >= 10 and max(self.errors[-10:]) <= TOLERANCES[-1]
        ):
            raise Spent

    def evaluations_to(self, tolerance: float) -> int | None:
        """After how many evaluations the best point so far stays within a tolerance."""
        outside = [count for count, error in enumerate(self.errors, 1) if error > tolerance]
        reached = max(outside, default=0) + 1
        return reached if reached <= len(self.errors) else None


def gradient_descent(distance: Distance, z: np.ndarray) -> None:
    """Steepest descent with a bold driver: a step that helps makes the next one 1.1 times longer,
    and one that does not is taken back and halved. The first step has a length of 0.05.
    """
    value, gradient = distance.value_and_gradient(z)
    step = 0.05 / np.linalg.norm(gradient)
    while True:
        trial = z - step * gradient
        new, slope = distance.value_and_gradient(trial)
        if new < value:
            z, value, gradient, step = trial, new, slope, 1.1 * step
        else:
            step /= 2


def adam(distance: Distance, z: np.ndarray, rate: float = 0.05) -> None:
    """Adam with its usual constants and a fixed rate (Kingma and Ba, ICLR 2015)."""
    at = torch.tensor(z, requires_grad=True)
    solver = torch.optim.Adam([at], lr=rate, eps=1e-30)
    while True:
        _, gradient = distance.value_and_gradient(at.detach().numpy())
        at.grad = torch.tensor(gradient)
        solver.step()


def bfgs(distance: Distance, z: np.ndarray) -> None:
    """SciPy's BFGS, on the distance over its value at the start."""
    first, _ = distance.value_and_gradient(z)

    def scaled(z: np.ndarray) -> tuple[float, np.ndarray]:
        return tuple(each / first for each in distance.value_and_gradient(z))

    minimize(scaled, z, jac=True, method="BFGS")


def levenberg_marquardt(distance: Distance, z: np.ndarray) -> None:
    """MINPACK's, through SciPy; a Jacobian at a point whose value is known is not counted."""
    kept = {}

    def residual(z: np.ndarray) -> np.ndarray:
        found, kept[z.tobytes()] = distance.residual_and_jacobian(z)
        return found

    least_squares(residual, z, jac=lambda z: kept[z.tobytes()], method="lm", x_scale="jac")


SOLVERS = {
    "gradient descent": gradient_descent,
    "Adam": adam,
    "BFGS": bfgs,
    "LM": levenberg_marquardt,
}


def converge(features: str, phi: nn.Module, pair: int) -> Iterator[Convergence]:
    """All solvers and starts, for one target."""
    task = TASKS["delay"]
    truth, target = task.truth(pair, SAMPLE), task.target(pair, 0, SAMPLE)
    number = round(condition(am_chirp, phi, truth), 2)
    signs = torch.randint(0, 2, (2,), generator=torch.Generator().manual_seed(pair)) * 2 - 1
    for off in OFF:
        z = coordinates(am_chirp)[0](truth * (1 + off) ** signs).double().numpy()
        for solver, solve in SOLVERS.items():
            for distance, p in DISTANCES.items():
                if solver == "LM" and p == 1:
                    continue
                asked = Distance(phi, target, truth, p)
                with contextlib.suppress(Spent):
                    solve(asked, z)
                counts = tuple(map(asked.evaluations_to, TOLERANCES))
                yield Convergence(features, distance, solver, pair, off, counts, number)


OPERATORS = {"MSS": MSS, "root JTFS": root_jtfs}


def to_line(one: Convergence) -> str:
    """A result as a line of JSON."""
    return json.dumps(list(asdict(one).values()))


def from_line(line: str) -> Convergence:
    """The result that a line of JSON holds."""
    *before, evaluations, number = json.loads(line)
    return Convergence(*before, tuple(evaluations), number)


def read() -> tuple[dict, list[Convergence]]:
    """The committed record: what it was made with, and its results."""
    return record.read(RECORD, from_line)


def summary(runs: Sequence[Convergence], off: float) -> tuple[tuple, list[tuple]]:
    """For a table: the median number of evaluations to 1 percent, and how many get there."""
    head = ("solver", *(f"{name}, {distance}" for name in OPERATORS for distance in DISTANCES))
    rows = []
    for solver in SOLVERS:
        cells = []
        for name, distance in itertools.product(OPERATORS, DISTANCES):
            key = (name, distance, solver, off)
            found = [r.evaluations[-1] for r in runs if (*r[:3], r.off) == key]
            reached = [count for count in found if count is not None]
            cells.append(f"{statistics.median(reached):g} ({len(reached)})" if reached else "0")
        rows.append((solver, *cells))
    return head, rows


def ratio(runs: Sequence[Convergence], of: str = "MSS", to: str = "root JTFS") -> float:
    """How many times as many evaluations one needs as the other to 1 percent, where both get there:
    the median over targets, starts, distances and solvers."""
    counts = {tuple(vars(run).values())[:5]: run.evaluations[-1] for run in runs}
    pairs = [(count, counts[to, *key[1:]]) for key, count in counts.items() if key[0] == of]
    return statistics.median(a / b for a, b in pairs if a and b)
