"""Print what JTFS costs beside the published operators, MSS and auraloss.

Value and gradient of noise of 2^15 samples: medians, measured in turns within this run, so that
ratios hold for this machine alone. On a CPU ten minutes, and ten gigabytes for the published JTFS.
On a GPU batches up to 64, run as they are and as CUDA graphs, and the error that TF32 makes.
"""

import platform
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import auraloss
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from utils.experiments import recipe
from utils.experiments.cost import race, value_and_gradient
from utils.experiments.published import Published
from utils.features.jtfs import JTFS
from utils.features.mss import MSS
from utils.synth import SAMPLE_RATE

N, GPU, THREADS = 2**15, torch.cuda.is_available(), torch.get_num_threads()
DEVICE = "cuda" if GPU else "cpu"
BATCHES = (1, 4, 16, 64) if GPU else (1, 4, 16)
SETTINGS = {
    "the book's": {},
    "the recipe's": {**recipe.settings(SAMPLE_RATE), "oversampling": 0.5},
    "SCRAPL's paper": {"J": 12, "J_fr": 3, "Q_fr": 2, "T": 2**12, "F": 8},
}
# Batches and settings at which the published operators run: as memory and patience allow.
PUBLISHED = ((4, 16), ("the book's", "SCRAPL's paper")) if GPU else ((1,), ("the book's",))


def noise(batch, seed=0):
    return torch.randn(batch, N, generator=torch.Generator().manual_seed(seed)).to(DEVICE)


def operators():
    compared, other = auraloss.freq.MultiResolutionSTFTLoss().to(DEVICE), noise(max(BATCHES), 1)
    ours = {f"JTFS, {name}": JTFS(N, **settings).to(DEVICE) for name, settings in SETTINGS.items()}
    return ours | {
        "MSS, both": MSS(magnitude="both"),
        "auraloss": lambda x: compared(x[:, None], other[: len(x), None]),
    }


def as_graph(step):
    """The same step, recorded once as a CUDA graph."""
    aside = torch.cuda.Stream()
    with torch.cuda.stream(aside):
        step()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def compare(phis, batch):
    """A table of all operators at one size of the batch."""
    steps = {name: partial(value_and_gradient, phi, noise(batch)) for name, phi in phis.items()}
    if GPU:  # auraloss waits for the processor, and cannot be recorded
        names = [name for name in phis if name != "auraloss"]
        steps |= {f"{name}, as a graph": as_graph(steps[name]) for name in names}
    with ExitStack() as stack:
        for kind in ("SCRAPL", "JTFS") if batch in PUBLISHED[0] else ():
            for name in PUBLISHED[1]:
                job = Published(kind, (batch, N), THREADS, DEVICE, **SETTINGS[name])
                steps[f"published {kind}, {name}"] = stack.enter_context(job)
        seconds = race(steps, repeats=3, at_least=0.2)
    print(f"\n{f'batch of {batch}':<36}{'ms':>10}{'over MSS':>12}")
    for name, each in seconds.items():
        print(f"{name:<36}{1000 * each:>10.1f}{each / seconds['MSS, both']:>12.2f}", flush=True)


def tensor_float_32(phi):
    """Errors of a gradient against double precision, without and with TF32."""
    truth = value_and_gradient(phi, noise(4).double())
    for allowed in (False, True):
        torch.backends.cuda.matmul.allow_tf32 = allowed
        error = (value_and_gradient(phi, noise(4)) - truth).norm() / truth.norm()
        print(f"error of a gradient, {'with' if allowed else 'without'} TF32: {error.item():.1e}")


def main():
    device = torch.cuda.get_device_name() if GPU else platform.machine()
    print(f"{device}, torch {torch.__version__}, {THREADS} threads")
    phis = operators()
    for batch in BATCHES:
        compare(phis, batch)
    if GPU:
        tensor_float_32(JTFS(N).to(DEVICE))


if __name__ == "__main__":
    main()
