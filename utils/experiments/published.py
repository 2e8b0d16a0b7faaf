"""The published scattering operators, to compare costs with, in processes of their own.

The package `scrapl-loss` (Mitcheltree et al., ICLR 2026) carries the development version of
Kymatio, which holds the published JTFS, and SCRAPL, its single-path approximation. It cannot live
beside the released Kymatio in one process.
"""

import functools
import importlib.util
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from jaxtyping import Float, Int
from joblib.externals.loky import ProcessPoolExecutor
from torch import Tensor

from .cost import peak

SETTING = {"J": 12, "J_fr": 5, "Q_fr": 2, "T": "global", "F": "global"}  # and Q = (8, 2)


class Published(ProcessPoolExecutor):
    """Value and gradient of a published operator, one step at a call; use it in a `with` block.

    Parameters
    ----------
    kind : "JTFS", the squared norm of all features; or "SCRAPL", the distance of one random path
        to that of a second sound, whose path it computes as well.
    shape : (batch, samples) of the noise that it is given.
    threads : of torch in its process.
    settings : of the operator, instead of those of the book.
    """

    def __init__(self, kind: str, shape: tuple[int, int], threads=1, device="cpu", **settings):
        super().__init__(max_workers=1, env={"LOGLEVEL": "ERROR"})
        self._job = kind, shape, threads, device, tuple((SETTING | settings).items())

    def __call__(self) -> float:
        """One step: its seconds. `megabytes` is then how far the process has grown at its peak."""
        seconds, self.megabytes = self.submit(_run, *self._job).result()
        return seconds


def search_path() -> str:
    """The folders in which a process of its own finds Kymatio's development version and SCRAPL."""
    package = Path(importlib.util.find_spec("scrapl").origin).parent
    return os.pathsep.join(map(str, (package / "kymatio", package.parent)))


class ScraplCriterion:
    """SCRAPL as published: the mean distance of sounds along one random path.

    The optimizers of its authors, P-Adam and P-SAGA, change the gradients of `weights`, which plain
    gradient descent then follows. Filters and averages are those of its defaults, with J as in
    `recipe.settings`.
    """

    def __init__(self, synth: Callable, sounds: Float[Tensor, "K n"], weights: Iterable[Tensor]):
        length = sounds.shape[-1]
        self.synth, self.sounds = synth, sounds
        self.loss = _scrapl_loss()(length, J=11, Q1=8, Q2=2, J_fr=3, Q_fr=2)
        self.loss.attach_params(weights)

    def __call__(
        self, predicted: Float[Tensor, "B P"], indices: Int[Tensor, " B"]
    ) -> Float[Tensor, ""]:
        return self.loss(self.synth(predicted)[:, None], self.sounds[indices][:, None])


def _scrapl_loss() -> type:
    """Its class, imported with the Kymatio that it needs; this library keeps its own."""
    import scipy.special

    if "scrapl" not in sys.modules:
        for name in [name for name in sys.modules if name.partition(".")[0] == "kymatio"]:
            del sys.modules[name]
        before = list(sys.path)
        sys.path[:0] = search_path().split(os.pathsep)
        # Gone from scipy 1.17, imported by Kymatio's development version, called in 3-D alone.
        vars(scipy.special).setdefault("sph_harm", None)
        os.environ["LOGLEVEL"] = "ERROR"
        import scrapl  # noqa: F401

        sys.path[:] = before  # or processes that this one starts would find that Kymatio, too
    from scrapl import SCRAPLLoss

    return SCRAPLLoss


def _run(kind, shape, threads, device, settings) -> tuple[float, float]:
    step, before = _prepared(kind, shape, threads, device, settings)
    began = time.perf_counter()
    step()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - began, peak() - before


@functools.cache
def _prepared(kind, shape, threads, device, settings):
    import scipy.special

    sys.stdout = sys.stderr  # the operators print
    warnings.simplefilter("ignore")
    sys.path[:0] = search_path().split(os.pathsep)
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    # Gone from scipy 1.17, imported by Kymatio's development version, called in 3-D alone.
    vars(scipy.special).setdefault("sph_harm", None)
    step = KINDS[kind](torch.randn(*shape, device=device).requires_grad_(), dict(settings))
    return step, peak()


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
