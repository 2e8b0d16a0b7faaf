"""Print what JTFS costs beside what was published, and beside MSS.

All figures are medians, measured in turns within this run, and ratios hold for this machine alone.
Takes some minutes and ten gigabytes. On a machine with a GPU, also the setting of Mitcheltree et
al., "SCRAPL", ICLR 2026. Chapter 6 shows how costs grow, and that of a Jacobian; chapter 8 that of
a survey; tests hold the accuracy.
"""

import platform
import sys
from functools import partial
from pathlib import Path

import torch

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from utils.experiments import cost  # noqa: E402
from utils.experiments.cost import value_and_gradient  # noqa: E402
from utils.experiments.published import Published  # noqa: E402
from utils.features.jtfs import JTFS  # noqa: E402
from utils.features.mss import MSS  # noqa: E402
from utils.synth import am_chirp  # noqa: E402

N = 2**15


def row(label, *values):
    print(f"{label:<58}" + "".join(f"{value:>18}" for value in values), flush=True)


def against_the_published():
    """Time and memory of value and gradient."""
    operators = {
        "oversampling 1": JTFS(N),
        "oversampling 0.5": JTFS(N, oversampling=0.5),
        "MSS, both": MSS(magnitude="both"),
    }
    x = am_chirp(torch.tensor([8.0, 2.0]))
    ours = {name: partial(value_and_gradient, phi, x) for name, phi in operators.items()}
    with Published("JTFS", (1, N), torch.get_num_threads()) as published:
        seconds = cost.race({"published": published, **ours}, repeats=3, at_least=1)
    theirs, megabytes = seconds["published"], published.megabytes
    needed = [cost.peak_memory(step) for step in ours.values()]
    row("published: value and gradient", f"{theirs:.1f} s", f"{megabytes:.0f} MB")
    row("", *ours)
    row("value and gradient (ms)", *(f"{1000 * seconds[name]:.0f}" for name in ours))
    row("time ratio, published / ours", *(f"{theirs / seconds[name]:.0f}" for name in ours))
    row("peak memory (MB)", *(f"{each:.0f}" for each in needed))
    row("memory ratio, published / ours", *(f"{megabytes / each:.0f}" for each in needed))


def on_a_gpu():
    """Batch of four, J_fr = 3, T = 4096, F = 8: against the published operator and MSS."""
    settings = dict(J=12, J_fr=3, Q_fr=2, T=2**12, F=8)
    phi, x = JTFS(N, **settings), torch.randn(4, N, generator=torch.Generator().manual_seed(0))
    expected = value_and_gradient(phi, x)
    x = x.to("cuda")
    operators = {"JTFS": phi.to("cuda"), "MSS": MSS(magnitude="both")}
    steps = {name: partial(value_and_gradient, each, x) for name, each in operators.items()}
    error = (steps["JTFS"]().cpu() - expected).norm() / expected.norm()
    print(f"\n{torch.cuda.get_device_name()}, batch of 4, {settings}")
    row("gradient against the CPU's, relative", f"{error:.1e}")
    with Published("JTFS", (4, N), device="cuda", **settings) as published:
        seconds = cost.race({"published": published, **steps}, repeats=10, at_least=0.3)
    for name, step in steps.items():
        torch.cuda.reset_peak_memory_stats()
        step()
        megabytes = torch.cuda.max_memory_allocated() / 2**20
        row(name, f"{1000 * seconds[name]:.1f} ms", f"{megabytes:.0f} MB")
    row("time ratio, published / ours", f"{seconds['published'] / seconds['JTFS']:.0f}")


def main():
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.machine()}")
    against_the_published()
    if torch.cuda.is_available():
        on_a_gpu()


if __name__ == "__main__":
    main()
