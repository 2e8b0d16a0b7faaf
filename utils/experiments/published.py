"""The published scattering operators, to compare costs with, in processes of their own.

The package `scrapl-loss` (Mitcheltree et al., ICLR 2026) carries the development version of
Kymatio, which holds the published JTFS, and SCRAPL, its single-path approximation. It cannot live
beside the released Kymatio in one process, so this file is both the caller (`Published`) and the
script that the caller starts.
"""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import torch

from .cache import ROOT
from .cost import peak

SETTING = {"J": 12, "J_fr": 5, "Q_fr": 2, "T": "global", "F": "global"}  # and Q = (8, 2)


class Published(contextlib.AbstractContextManager):
    """Value and gradient of a published operator, one step at a call; use it in a `with` block.

    Parameters
    ----------
    kind : "JTFS", the squared norm of all features; or "SCRAPL", the distance of one random path
        to that of a second sound, whose path it computes as well.
    shape : (batch, samples) of the noise that it is given.
    threads : of torch in its process.
    settings : of the operator, instead of those of the book. What the operator refuses ends its
        process, and the first step raises a RuntimeError.
    """

    def __init__(self, kind: str, shape: tuple[int, int], threads=1, device="cpu", **settings):
        job = json.dumps([kind, shape, threads, device, SETTING | settings])
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", f"{__package__}.published", job],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": search_path(), "LOGLEVEL": "ERROR"},
        )

    def __exit__(self, *_):
        self._process.communicate("")

    def __call__(self) -> float:
        """One step: its seconds. `megabytes` is then how far the process has grown at its peak."""
        print("step", file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the published operator stopped: {self._process.wait()}")
        seconds, self.megabytes = json.loads(answer)
        return seconds


def search_path() -> str:
    """The folders in which a process of its own finds Kymatio's development version and SCRAPL."""
    package = Path(importlib.util.find_spec("scrapl").origin).parent
    return os.pathsep.join(map(str, (package / "kymatio", package.parent)))


def _jtfs(x, settings):
    from kymatio.torch import TimeFrequencyScattering

    operator = TimeFrequencyScattering(
        shape=x.shape[-1], Q=(8, 2), **settings, format="time", out_type="dict"
    ).to(x.device)
    return lambda: sum(S.square().sum() for S in operator(x).values()).backward()


def _scrapl(x, settings):
    from scrapl import SCRAPLLoss

    loss = SCRAPLLoss(x.shape[-1], Q1=8, Q2=2, **settings).to(x.device)
    other = torch.randn_like(x)
    return lambda: loss(x[:, None], other[:, None]).backward()


# From a sound and settings to a function that computes value and gradient once.
KINDS = {"JTFS": _jtfs, "SCRAPL": _scrapl}


def _main(kind, shape, threads, device, settings):
    import scipy.special

    answers, sys.stdout = sys.stdout, sys.stderr  # the operators print
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    # Gone from scipy 1.17, imported by Kymatio's development version, called in 3-D alone.
    vars(scipy.special).setdefault("sph_harm", None)
    step = KINDS[kind](torch.randn(*shape, device=device).requires_grad_(), settings)
    before = peak()
    for _ in sys.stdin:
        began = time.perf_counter()
        step()
        if device != "cpu":
            torch.cuda.synchronize()
        seconds = time.perf_counter() - began
        print(json.dumps([seconds, peak() - before]), file=answers, flush=True)


if __name__ == "__main__":
    _main(*json.loads(sys.argv[1]))
