"""How success and cost grow with the number of parameters, for chapter 8."""

import functools
import itertools
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from joblib import Parallel, delayed

from ..parameters import candidates, coordinates, deviations, draw, ends_of, parameters
from ..search.from_grid import search_from_grid
from ..synth import delay
from . import record
from .recordings import CANDIDATES, ECHO, RATE, STARTS, TONE, echoed_tone, operator

RECORD = record.RECORDS / "dimensions.jsonl"
COUNTS = (2, 3, 4, 6)
TARGETS, PART = 32, 8  # PART targets are searched for together
MAX_DELAY = RATE // 8  # samples


@dataclass(frozen=True)
class Searches:
    """Searches for the parameters of some targets: the worst error of each, and evaluations."""

    parameters: int
    part: int
    errors: list[float]
    evaluations: list[int]


@functools.cache
def tone(count: int) -> Callable:
    """`echoed_tone` with its first `count` parameters; the others are in the middle."""
    middle = coordinates(echoed_tone)[1](ends_of(echoed_tone).mean(0))

    @parameters(*(TONE + ECHO)[:count])
    def synth(theta):
        rest = middle[count:].to(theta).expand(*theta.shape[:-1], -1)
        return echoed_tone(torch.cat([theta, rest], -1))

    return synth


def search(count: int, part: int) -> Searches:
    """The recipe of chapter 8 for some targets, each with a delay that it is not told."""
    synth, chosen = tone(count), slice(part * PART, (part + 1) * PART)
    truths = draw(synth, TARGETS, seed=90)[chosen]
    late = torch.randint(MAX_DELAY, (TARGETS,), generator=torch.Generator().manual_seed(91))[chosen]
    sounds = zip(synth(truths), late.tolist(), strict=True)
    targets = torch.stack([delay(x, n) for x, n in sounds])
    points, phi = candidates(synth, CANDIDATES), operator("root JTFS", synth)
    matches = search_from_grid(synth, phi, targets, points, STARTS, within=True)
    ends = torch.stack([match.thetas[-1] for match in matches])
    errors = deviations(synth.parameters, ends, truths).amax(-1).tolist()
    worst = [float(f"{error:.3g}") for error in errors]
    return Searches(count, part, worst, [match.evaluations for match in matches])


def write() -> None:
    """Search for all targets, and write the record."""
    jobs = itertools.product(COUNTS, range(TARGETS // PART))
    lines = Parallel(n_jobs=-1)(delayed(search)(*job) for job in jobs)
    record.write(RECORD, record.made_with(), [json.dumps(asdict(one)) for one in lines])


def read() -> tuple[dict, list[Searches]]:
    """What the record was made with, and the searches."""
    return record.read(RECORD, lambda line: Searches(**json.loads(line)))
