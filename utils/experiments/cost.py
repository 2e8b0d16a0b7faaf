"""What a computation costs: seconds, measured side by side, and memory."""

import re
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import torch
from jaxtyping import Float
from joblib.externals.loky import ProcessPoolExecutor
from torch import Tensor


def race(steps: Mapping, repeats: int = 5, at_least: float = 0.0) -> dict:
    """Median seconds of each step, measured in turns, so that other load slows all alike.

    Parameters
    ----------
    steps : by name, functions without arguments. Each is called once before, unmeasured.
    repeats : turns.
    at_least : seconds. In each turn a step runs again until so many have passed, and counts with
        their mean: a short step is slow right after another's.
    """
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
    return {name: median(values) for name, values in seconds.items()}


def value_and_gradient(phi: Callable, x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """The gradient of the squared norm of the features of a sound: the step to measure."""
    x = x.detach().clone().requires_grad_()
    phi(x).square().sum().backward()
    return x.grad


def peak_memory(step: Callable) -> float:
    """Megabytes that a step needs at its peak, beyond what its process needed before.

    The step runs once in a fresh process, on one thread, since several such processes may run side
    by side; it must be picklable.
    """
    with ProcessPoolExecutor(max_workers=1, env={"OMP_NUM_THREADS": "1"}) as pool:
        return pool.submit(_growth, step).result()


def _growth(step: Callable) -> float:
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
