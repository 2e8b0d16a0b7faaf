"""What a computation costs: seconds, measured side by side, and memory."""

import re
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import torch
from joblib.externals.loky import ProcessPoolExecutor
from torch import Tensor

from .. import checks


def race(
    steps: Mapping[str, Callable[[], object]], repeats: int = 5, at_least: float = 0.0
) -> dict[str, float]:
    """Median seconds of each step, measured in turns, so that a busy machine is busy for all.

    Each step runs once before, unmeasured. In each turn a step runs again until `at_least` so many
    seconds have passed, and counts with their mean: a short step is slow right after another's.

    Raises
    ------
    TypeError, ValueError
        If a step cannot be called, or a number is none or would take for ever.
    """
    checks.integer("repeats", repeats, least=1)
    checks.real("at_least", at_least, below=3600)
    for name, step in checks.instance("steps", steps, Mapping).items():
        checks.function(f"steps[{name!r}]", step)
    seconds = {name: [] for name in steps}
    for turn in range(repeats + 1):
        for name, step in steps.items():
            began, runs, passed = time.perf_counter(), 0, 0.0
            while runs == 0 or passed < at_least:
                step()
                if torch.cuda.is_available():  # it may still be at work
                    torch.cuda.synchronize()
                runs, passed = runs + 1, time.perf_counter() - began
            if turn:
                seconds[name].append(passed / runs)
    return {name: median(each) for name, each in seconds.items()}


def value_and_gradient(phi: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The gradient of the squared norm of the features of a sound: the step to measure."""
    checks.function("phi", phi)
    x = checks.floating("x", x).detach().clone().requires_grad_()
    phi(x).square().sum().backward()
    return x.grad


def peak_memory(step: Callable[[], object]) -> float:
    """Megabytes that a step needs at its peak, beyond what its process needed before.

    The step runs once in a fresh process, on one thread, since several such processes may run side
    by side; it must be picklable.

    Raises
    ------
    TypeError
        If the step cannot be called.
    """
    checks.function("step", step)
    with ProcessPoolExecutor(max_workers=1, env={"OMP_NUM_THREADS": "1"}) as pool:
        return pool.submit(_growth, step).result()


def _growth(step: Callable[[], object]) -> float:
    before = peak()
    step()
    return peak() - before


def peak() -> float:
    """The most memory that this process has had, in megabytes."""
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    # Not `ru_maxrss`, in which Linux counts the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 2**10
