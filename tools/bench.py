"""Print what JTFS costs beside what was published: a table, then growth.

All figures of a table are measured in turns within this run; they are medians, and ratios hold
for this machine alone. Takes about ten minutes and ten gigabytes. On a machine with a GPU, also the
setting of Mitcheltree et al., "SCRAPL", ICLR 2026.
"""

import platform
import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from reference import as_means, reference_outputs, relative, worst_path  # noqa: E402
from signals import signals  # noqa: E402

from utils.experiments import cost  # noqa: E402
from utils.experiments.cost import value_and_gradient  # noqa: E402
from utils.experiments.published import Published  # noqa: E402
from utils.features.jtfs import JTFS  # noqa: E402
from utils.features.mss import MSS  # noqa: E402
from utils.search.jacobian import features_and_jacobian  # noqa: E402
from utils.search.landscape import log_grid, survey  # noqa: E402
from utils.synth import am_chirp  # noqa: E402

N = 2**15
THETA = torch.tensor([8.0, 2.0])
SETTINGS = {"oversampling 1": JTFS(N), "oversampling 0.5": JTFS(N, oversampling=0.5)}


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def row(label, *values):
    print(f"{label:<58}" + "".join(f"{value:>18}" for value in values), flush=True)


def against_the_published():
    """Time and memory of value and gradient."""
    x = am_chirp(THETA)
    ours = {name: partial(value_and_gradient, phi, x) for name, phi in SETTINGS.items()}
    with Published("JTFS", (1, N), torch.get_num_threads()) as published:
        seconds = cost.race({"published": published, **ours}, repeats=3, at_least=1)
    megabytes = published.megabytes
    row("published: value and gradient", f"{seconds['published']:.1f} s", f"{megabytes:.0f} MB")
    row("value and gradient (ms)", *(f"{1000 * seconds[name]:.0f}" for name in ours))
    row(
        "time ratio, published / ours (must 80, aim 200)",
        *(f"{seconds['published'] / seconds[name]:.0f}" for name in ours),
    )
    needed = [cost.peak_memory(step) for step in ours.values()]
    row("peak memory (MB)", *(f"{each:.0f}" for each in needed))
    row(
        "memory ratio, published / ours (must 100, aim 300)",
        *(f"{megabytes / each:.0f}" for each in needed),
    )


def accuracy():
    """Errors against the published outputs, the worst of seven signals."""
    x = np.stack(list(signals(N).values())).astype(np.float32)
    settings = dict(length=N, J=12, Q=(8, 2), J_fr=5, Q_fr=2, T="global", F="global")
    [(paths, _)] = reference_outputs([(settings, x)])
    total, worst = [], []
    for phi in SETTINGS.values():
        theirs = as_means(phi, paths)
        pairs = list(zip(phi(torch.from_numpy(x)).numpy() - theirs, theirs, strict=True))
        total.append(max(relative(off, truth) for off, truth in pairs))
        worst.append(max(worst_path(off, truth) for off, truth in pairs))
    row("relative error of all outputs (must 5e-4, aim 1e-4)", *(f"{e:.1e}" for e in total))
    row("error of the worst path that matters (must 2e-2, aim 5e-3)", *(f"{e:.1e}" for e in worst))


def among_ourselves():
    """Jacobian, MSS and survey, over value and gradient."""
    x, points = am_chirp(THETA), log_grid(am_chirp, (4, 4))
    ratios = []
    for phi in SETTINGS.values():
        steps = {
            "gradient": partial(
                value_and_gradient, lambda theta, phi=phi: phi(am_chirp(theta)), THETA
            ),
            "jacobian": partial(features_and_jacobian, am_chirp, phi, THETA),
            "MSS": partial(value_and_gradient, MSS(magnitude="both"), x),
            "survey": partial(survey, am_chirp, phi, points, n_jobs=-1),
        }
        seconds = cost.race(steps, repeats=3, at_least=1)
        seconds["survey"] /= points[..., 0].numel()
        ratios.append(seconds)
    for label, over, under in (
        ("Jacobian of two parameters / gradient (must 1.5, aim 1)", "jacobian", "gradient"),
        ("gradient / gradient of MSS, both (must 30, aim 10)", "gradient", "MSS"),
        ("survey, a grid point / gradient (must 1.2, aim 0.7)", "survey", "gradient"),
    ):
        row(label, *(f"{each[over] / each[under]:.2f}" for each in ratios))


def growth():
    """Time and memory of value and gradient by length, by batch, and by what is averaged."""
    row("\nsamples", "time (ms)", "peak (MB)")
    lengths = [2**k for k in range(12, 20)]
    steps = {n: partial(value_and_gradient, JTFS(n), noise(n)) for n in lengths}
    show(steps, cost.race(steps, repeats=3, at_least=0.3))
    row("\nbatch, of 2**13 samples", "time (ms)", "peak (MB)")
    phi = JTFS(2**13)
    steps = {b: partial(value_and_gradient, phi, noise(b, 2**13)) for b in (1, 2, 4, 8, 16, 32)}
    show(steps, cost.race(steps, repeats=3, at_least=0.3))
    row("\naverage, 2**15 samples", "time (ms)", "peak (MB)")
    averages = [("global", "global"), (2**12, "global"), (2**8, "global"), ("global", 8)]
    averages += [("global", None), (2**8, 8)]
    operators = {(T, F): JTFS(N, T=T, F=F) for T, F in averages}
    steps = {
        f"T = {T}, F = {F}: {len(phi.paths)} features": partial(value_and_gradient, phi, noise(N))
        for (T, F), phi in operators.items()
    }
    show(steps, cost.race(steps, repeats=3, at_least=0.3))


def show(steps, seconds):
    for name, step in steps.items():
        row(str(name), f"{1000 * seconds[name]:.0f}", f"{cost.peak_memory(step):.0f}")


def on_a_gpu():
    """Batch of four, J_fr = 3, T = 4096, F = 8: against the published operator and MSS."""
    settings = dict(J=12, J_fr=3, Q_fr=2, T=2**12, F=8)
    phi, mss = JTFS(N, **settings), MSS(magnitude="both")
    x = noise(4, N)
    expected = value_and_gradient(phi, x)
    phi, x = phi.to("cuda"), x.to("cuda")
    found = value_and_gradient(phi, x).cpu()
    print(f"\n{torch.cuda.get_device_name()}, batch of 4, {settings}")
    row(
        "gradient against the CPU's, relative", f"{(found - expected).norm() / expected.norm():.1e}"
    )

    def timed(operator):
        value_and_gradient(operator, x)
        torch.cuda.synchronize()

    with Published("JTFS", (4, N), device="cuda", **settings) as published:
        steps = {"published": published, "JTFS": partial(timed, phi), "MSS": partial(timed, mss)}
        seconds = cost.race(steps, repeats=10, at_least=0.3)
    for name, operator in (("JTFS", phi), ("MSS", mss)):
        torch.cuda.reset_peak_memory_stats()
        timed(operator)
        peak = torch.cuda.max_memory_allocated() / 2**20
        row(name, f"{1000 * seconds[name]:.1f} ms", f"{peak:.0f} MB")
    row("time ratio, published / ours", f"{seconds['published'] / seconds['JTFS']:.0f}")


def main():
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.machine()}")
    row("", *SETTINGS)
    against_the_published()
    accuracy()
    among_ourselves()
    growth()
    if torch.cuda.is_available():
        on_a_gpu()


if __name__ == "__main__":
    main()
