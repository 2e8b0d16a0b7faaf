"""The ablation: which part of JTFS does the work. Is the truth where the loss is smallest?

This needs no descent. The features of a fine grid are computed once for each operator. For each
target, the point of the grid with the nearest features and one Gauss-Newton step from there say
where the minimum is; steepest descent from point to point of the grid says how wide its basin is.
"""

import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..features.compression import Logarithm, Root
from ..features.jtfs import JTFS
from ..features.rivals import SeparableScattering, TimeScattering
from ..parameters import coordinates
from ..search.batched import gauss_newton_all
from ..search.from_grid import distances
from ..search.jacobian import features_of
from ..search.landscape import Atlas, survey
from ..search.second_order import damped_step
from . import record
from .recipe import floor_of
from .statistics import holm, mcnemar
from .study import relative_errors
from .tasks import LENGTH, TASKS

RECORD, POLISH = record.RECORDS / "ablation.jsonl", record.RECORDS / "polish.jsonl"
PAIRS, SAMPLE, POINTS = 64, 1, 24
KINDS = {"time": TimeScattering, "separable": SeparableScattering, "joint": JTFS}
RAW = SimpleNamespace(compress=lambda S: S, slope=torch.ones_like)
COMPRESSIONS = {"root": Root, "logarithm": Logarithm}
WIDTHS = (None, 8, "global")  # of the average over log-frequency: none, an octave, all
DURATIONS = ("global", 2**12)  # of the average over time: all, half a second
AMOUNTS = {
    "delay": (0, 64, 2**7, 2**8, 2**9, 2**10, 2**12),
    "noise": (40, 30, 20, 10),
    "carrier": (0.5,),
    "noise and carrier": (0.5,),
    "jitter": (0.0, 2**-7, 2**-5, 0.15, 0.3, 0.6),
    "warp": (0.05,),
    "envelope warp": (0.05,),
    "direction": (0.3,),
    "ripples": (2**10,),
}
CELLS = [(task, amount) for task, amounts in AMOUNTS.items() for amount in amounts]


class Variant(NamedTuple):
    """An operator of the ablation."""

    kind: str = "joint"
    F: int | str | None = 8
    T: int | str = 2**12
    compression: str = "root"


RECIPE = Variant()
CHANGES = {
    "separable, not joint": RECIPE._replace(kind="separable"),
    "time scattering, not joint": RECIPE._replace(kind="time"),
    "no mean over log-frequency": RECIPE._replace(F=None),
    "mean over all log-frequency": RECIPE._replace(F="global"),
    "mean over all time": RECIPE._replace(T="global"),
    "no root": RECIPE._replace(compression="raw"),
    "a logarithm, not a root": RECIPE._replace(compression="logarithm"),
}
POLISHED, FEW = (RECIPE, *list(CHANGES.values())[:5]), 8  # operators, and pairs of each task
OPERATORS = [Variant(*each, "raw") for each in itertools.product(KINDS, WIDTHS, DURATIONS)]


@dataclass(frozen=True)
class Finding:
    """Where the minima of a loss lie, over all pairs of a task.

    Attributes
    ----------
    variant, task, amount : what was asked.
    errors : by pair, the larger relative error of the parameters, after one step from the grid.
    basin : the share of grid points from which descent ends next to the truth, the mean; at most
        one half in "direction", whose grid is in two halves; None if it was not asked.
    """

    variant: Variant
    task: str
    amount: float
    errors: tuple[float, ...]
    basin: float | None = None

    @property
    def key(self) -> tuple:
        return self.variant, self.task, self.amount

    def within(self, tolerance: float = 0.05) -> list[bool]:
        """For each pair, whether both parameters are within `tolerance` of the truth."""
        return [error <= tolerance for error in self.errors]


def operator(variant: Variant, device: torch.device) -> nn.Module:
    """The operator of a variant, for sounds of four seconds."""
    kind, F, T, compression = variant
    phi = KINDS[kind](LENGTH, F=F, T=T, oversampling=0.5).to(device)
    if compression == "raw":
        return phi
    return COMPRESSIONS[compression](phi, floor_of(phi)).to(device)


def findings(
    variant: Variant,
    device: torch.device,
    amounts: Mapping[str, Sequence[float]] = AMOUNTS,
    pairs: int = PAIRS,
) -> Iterator[Finding]:
    """What an operator, raw and compressed, finds on some tasks."""
    phi = operator(variant._replace(compression="raw"), device)
    floor = floor_of(phi)
    for synth, tasks in itertools.groupby(amounts, lambda task: TASKS[task].synth):
        cells = [(task, amount) for task in tasks for amount in amounts[task]]
        atlas = survey(synth, phi, TASKS[cells[0][0]].grid(POINTS).to(device))
        samples = [sample(*cell, range(pairs)) for cell in cells]
        truths = [each.to(device) for each, _ in samples]
        wanted = [features_of(phi, targets.to(device)) for _, targets in samples]
        for name, way in {"raw": None, **COMPRESSIONS}.items():
            compress = way(phi, floor).to(device) if way else RAW
            mapped = replace(
                atlas,
                features=compress.compress(atlas.features),
                jacobian=atlas.jacobian * compress.slope(atlas.features)[..., None],
            )
            for cell, truth, features in zip(cells, truths, wanted, strict=True):
                found = find(synth, mapped, compress.compress(features), truth)
                yield Finding(variant._replace(compression=name), *cell, *found)


def polish(
    variant: Variant, device: torch.device, cells=CELLS, pairs: Sequence[int] = range(FEW)
) -> Iterator[Finding]:
    """Findings by full descents, from the truth into the minimum beside it, to check one step."""
    phi = operator(variant, device)
    for task, amount in cells:
        truths, targets = (each.to(device) for each in sample(task, amount, pairs))
        matches = gauss_newton_all(TASKS[task].synth, phi, targets, truths)
        ends = torch.stack([match.thetas[-1] for match in matches])
        yield Finding(variant, task, amount, relative_errors(ends, truths))


def sample(task: str, amount: float, pairs: Sequence[int]) -> tuple[Tensor, Tensor]:
    """True parameters (K, P) and targets (K, N) of some pairs."""
    truths = [TASKS[task].truth(pair, SAMPLE) for pair in pairs]
    return torch.stack(truths), torch.stack([TASKS[task].target(k, amount, SAMPLE) for k in pairs])


def find(
    synth: Callable, atlas: Atlas, wanted: Float[Tensor, "K D"], truths: Float[Tensor, "K P"]
) -> tuple[tuple[float, ...], float]:
    """Errors of the minimum for each target, and the mean width of its basin: see `Finding`."""
    to_z, from_z = coordinates(synth)
    points = atlas.grid.flatten(0, -2)
    loss = distances(wanted, atlas.features)
    nearest = loss.argmin(-1)
    A = atlas.jacobian[nearest].double()
    residual = (atlas.features[nearest] - wanted).double()
    step = damped_step(A.mT @ A, (A.mT @ residual[..., None]).squeeze(-1), 0.0)
    ends = from_z(to_z(points[nearest]) + step.to(points))
    errors = relative_errors(ends, truths)
    ends = points[descend(loss.unflatten(-1, atlas.grid.shape[:-1]))]
    last, before = (atlas.grid[..., end, end, :].reshape(-1, 2)[0] for end in (-1, -2))
    cell = (last / before).log()
    ratio = ends / truths[:, None]
    beside = (ratio > 0) & (ratio.abs().log().abs() < 1.5 * cell)
    return errors, round(beside.all(-1).double().mean().item(), 4)


def descend(loss: Float[Tensor, "K *lead G H"]) -> Int[Tensor, "K points"]:
    """Where steepest descent ends that goes from a point to the lowest of its eight neighbours.

    It moves along the last two axes. Points are numbered as in `loss[k].flatten()`.
    """
    G, H = loss.shape[-2:]
    padded = nn.functional.pad(loss, (1, 1, 1, 1), value=math.inf)
    moves = list(itertools.product(range(3), repeat=2))
    around = torch.stack([padded[..., i : i + G, j : j + H] for i, j in moves])
    lowest = around.argmin(0).flatten(1)
    here = torch.arange(lowest.shape[-1], device=loss.device)
    to = here + (lowest // 3 - 1) * H + lowest % 3 - 1
    for _ in range(math.ceil(math.log2(len(here)))):  # twice as many steps each time
        to = to.gather(1, to)
    return to


def to_line(finding: Finding) -> str:
    """A finding as a line of JSON."""
    return json.dumps([*finding.variant, *list(asdict(finding).values())[1:]])


def from_line(line: str) -> Finding:
    """The finding that a line of JSON holds."""
    *variant, task, amount, errors, basin = json.loads(line)
    return Finding(Variant(*variant), task, amount, tuple(errors), basin)


def read(file: Path = RECORD) -> tuple[dict, list[Finding]]:
    """A committed record, `RECORD` or `POLISH`: what it was made with, and its findings."""
    return record.read(file, from_line)


def effects(findings: Sequence[Finding]) -> dict[tuple[str, str, float], float]:
    """The p-value of each effect, by change, task and amount: McNemar's test within 5 percent, with
    Holm's correction over all of them.
    """
    by_cell = {one.key: one.within() for one in findings}
    pairs = {
        (change, *cell): mcnemar(by_cell[RECIPE, *cell], by_cell[variant, *cell])
        for change, variant in CHANGES.items()
        for cell in CELLS
    }
    return dict(zip(pairs, holm(list(pairs.values())), strict=True))
