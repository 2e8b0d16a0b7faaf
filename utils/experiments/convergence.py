"""How many evaluations textbook solvers need, from starts beside the truth.

The target is on time. Value and gradient at one point, or features and their Jacobian, count as one
evaluation. What a search has found so far is the point with the smallest loss; the truth only says
how far that is off, and when to stop counting.
"""

import contextlib
import json
import math
import statistics
from dataclasses import asdict, dataclass

import numpy as np
import torch
from joblib import delayed
from scipy.optimize import least_squares, minimize
from torch import nn

from ..features.mss import MSS
from ..parameters import coordinates
from ..search.jacobian import condition, features_and_slopes
from ..search.many import parallel
from ..synth import am_chirp
from . import record
from .recipe import root_jtfs
from .tasks import TASKS

RECORD = record.RECORDS / "convergence.jsonl"
PAIRS, SAMPLE, BUDGET = 16, 4, 100
OFF = (0.1, 0.25, 0.5)  # of the start, in each parameter
NEAR, NEARER = 0.05, 0.01


@dataclass(frozen=True)
class Convergence:
    """Evaluations from starts so far `off` until both parameters are within 5 and 1 percent.

    Attributes
    ----------
    loss, distance, solver : "MSS" or "root JTFS"; "squared" (Euclidean) or "L1"; of `SOLVERS`.
    near, nearer : by pair, evaluations to 5 and to 1 percent; None beyond the budget.
    """

    loss: str
    distance: str
    solver: str
    off: float
    near: tuple[int | None, ...]
    nearer: tuple[int | None, ...]

    @property
    def arrived(self) -> int:
        """How many searches get within 5 percent."""
        return sum(count is not None for count in self.near)

    @property
    def evaluations(self) -> float:
        """The median to 5 percent, in which a search that never arrives is endless."""
        return statistics.median_low(count or math.inf for count in self.near)


class Arrived(Exception):
    """There is nothing left to count."""


class Distance:
    """The distance to a target as a function of search coordinates, which counts evaluations."""

    def __init__(self, phi: nn.Module, truth: torch.Tensor, distance: str):
        self.to_z, self.from_z = coordinates(am_chirp)
        self.phi, self.truth, self.distance = phi, self.to_z(truth), distance
        with torch.no_grad():
            self.wanted = phi(am_chirp(truth))
        self.count, self.least = 0, math.inf
        self.reached = {NEAR: None, NEARER: None}

    def __call__(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient."""
        z = torch.tensor(z, dtype=torch.float32, requires_grad=True)
        residual = self.phi(am_chirp(self.from_z(z))) - self.wanted
        value = residual.square().sum() / 2 if self.distance == "squared" else residual.abs().sum()
        (gradient,) = torch.autograd.grad(value, z)
        self._note(z.detach(), value.item())
        return value.item(), gradient.numpy().astype(float)

    def residual_and_jacobian(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        z = torch.tensor(z, dtype=torch.float32)
        features, slopes = features_and_slopes(am_chirp, self.phi, self.from_z(z))
        residual = features - self.wanted
        self._note(z, residual.square().sum().item() / 2)
        return residual.numpy().astype(float), slopes.numpy().astype(float)

    def _note(self, z: torch.Tensor, value: float) -> None:
        self.count += 1
        if value < self.least:
            self.least = value
            error = (z - self.truth).exp().sub(1).abs().max()
            for limit, known in self.reached.items():
                if known is None and error <= limit:
                    self.reached[limit] = self.count
        if self.reached[NEARER] or self.count == BUDGET:
            raise Arrived


def bold_driver(f: Distance, z: np.ndarray) -> None:
    """Gradient descent whose rate grows by a tenth after a success and is halved after a failure.

    The first step is 0.05 long. Battiti, "Accelerated backpropagation learning", Complex Systems 3,
    1989.
    """
    value, gradient = f(z)
    rate = 0.05 / np.linalg.norm(gradient)
    while rate > 0:
        candidate = z - rate * gradient
        new_value, new_gradient = f(candidate)
        rate *= 1.1 if new_value < value else 0.5
        if new_value < value:
            z, value, gradient = candidate, new_value, new_gradient


def adam(f: Distance, z: np.ndarray) -> None:
    """Adam with a constant rate of 0.05."""
    z = torch.tensor(z, requires_grad=True)
    optimizer = torch.optim.Adam([z], lr=0.05, eps=1e-30)
    while True:
        z.grad = torch.tensor(f(z.detach().numpy())[1])
        optimizer.step()


def bfgs(f: Distance, z: np.ndarray) -> None:
    """SciPy's BFGS on the loss in parts of its first value."""
    first, _ = f(z)
    minimize(lambda z: tuple(each / first for each in f(z)), z, jac=True, method="BFGS")


def levenberg_marquardt(f: Distance, z: np.ndarray) -> None:
    """MINPACK's Levenberg-Marquardt; the Jacobian comes with the residual it belongs to."""
    known = {}

    def residual(z):
        known[z.tobytes()] = f.residual_and_jacobian(z)
        return known[z.tobytes()][0]

    least_squares(residual, z, lambda z: known[z.tobytes()][1], method="lm", x_scale="jac")


SOLVERS = {
    "gradient descent": bold_driver,
    "Adam": adam,
    "BFGS": bfgs,
    "Levenberg-Marquardt": levenberg_marquardt,
}
OPERATORS = {"MSS": MSS, "root JTFS": root_jtfs}
PLAN = [
    (loss, distance, solver, off)
    for loss in OPERATORS
    for distance in ("squared", "L1")
    for solver in SOLVERS
    for off in OFF
    if distance == "squared" or solver != "Levenberg-Marquardt"
]


def truth_and_start(pair: int, off: float) -> tuple[torch.Tensor, torch.Tensor]:
    """True parameters, and a start with both `off`, upwards or downwards."""
    truth = TASKS["delay"].truth(pair, SAMPLE)
    signs = torch.tensor([1.0, -1.0])[[pair % 2, pair // 2 % 2]]
    return truth, truth * (1 + off) ** signs


def measure(loss: str, distance: str, solver: str, off: float, pairs=range(PAIRS)) -> Convergence:
    """Count the evaluations of one solver on one loss."""
    phi, reached = OPERATORS[loss](), []
    for pair in pairs:
        truth, start = truth_and_start(pair, off)
        f = Distance(phi, truth, distance)
        with contextlib.suppress(Arrived):
            SOLVERS[solver](f, f.to_z(start).numpy().astype(float))
        reached.append((f.reached[NEAR], f.reached[NEARER]))
    return Convergence(loss, distance, solver, off, *map(tuple, zip(*reached, strict=True)))


def conditions(pairs=range(PAIRS)) -> dict[str, list[float]]:
    """Condition numbers of the squared distances at the truths of some pairs."""
    truths = [TASKS["delay"].truth(pair, SAMPLE) for pair in pairs]
    operators = {name: make() for name, make in OPERATORS.items()}
    return {
        name: [float(f"{condition(am_chirp, phi, truth):.4g}") for truth in truths]
        for name, phi in operators.items()
    }


def write(n_jobs: int = -1) -> None:
    """Measure all of `PLAN` and write the record."""
    rows = parallel(n_jobs, torch.device("cpu"))(delayed(measure)(*each) for each in PLAN)
    made = record.made_with() | {"conditions": conditions()}
    record.write(RECORD, made, [json.dumps(list(asdict(row).values())) for row in rows])


def read() -> tuple[dict, list[Convergence]]:
    """The committed record: what it was made with, condition numbers included, and its rows."""
    return record.read(RECORD, _from_line)


def _from_line(line: str) -> Convergence:
    *key, near, nearer = json.loads(line)
    return Convergence(*key, tuple(near), tuple(nearer))
