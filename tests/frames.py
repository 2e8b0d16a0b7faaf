"""The Lipschitz constant of a JTFS, bounded by the frame constants of its own filters."""

import math

import torch

from utils.features.jtfs import JTFS


def lipschitz_bound(op: JTFS) -> float:
    r"""A number L with ||S x - S y|| <= L ||x - y|| for all sounds x and y.

    Let N be the padded length, and write ||u||^2 for sums of squares and <u^2> for their means.

    Padding by reflection repeats each sample at most R times: <(P x)^2> <= R ||x||^2 / N.

    First order. Each row is the padded signal times a wavelet in the Fourier domain, sampled at
    least at the rate of its band. By Parseval, means of squares summed over rows are at most B_1
    times that of a real signal, where B_1 is the largest value of the Littlewood-Paley sum of
    squared wavelets, halved with its mirror image. Moduli bring two numbers no farther apart.

    After it. A half spectrum of a row, of the real signal U_1, is multiplied by the low-pass filter
    (order 1), and by each wavelet of the second order, where a band wider than its sampling rate
    is folded: by Cauchy and Schwarz, a bin of gain p folded with others then counts as
    p * sum(p of these). A sampled row meets the matrix C along log-frequency; its modulus is
    averaged over time and log-frequency by weights. By Cauchy and Schwarz again, the square of an
    average of weights w is at most sum(w) times that average of squares. So all of an operator
    along log-frequency multiplies sums of squares by at most B_fr, the squared norm of C with rows
    weighted so, and averages over time turn means of squares into sums over frames at a factor K,
    which is 1 for a global mean. B_2 is the largest value of the Littlewood-Paley sum over second
    order and low-pass filter, each times its K B_fr. Then L^2 = R B_1 B_2 / N.
    """
    N, half = op.padded, op.padded // 2
    place = torch.arange(op.length, dtype=torch.float64)[None]
    pad = (op.pad_left, N - op.length - op.pad_left)
    repeated = torch.nn.functional.pad(place, pad, mode="reflect")[0].long().bincount().max()

    first = torch.zeros(N, dtype=torch.float64)
    for band in op.scalogram:
        first += _energy(band, N)

    frames = 1 if op.T == "global" else N >> op.log2_stride
    second = torch.zeros(N, dtype=torch.float64)
    lowpass = op.lowpass.double().square() * frames * _along_frequency(op.order_1)
    second[: half + 1] += lowpass
    second[half + 1 :] += lowpass[1:half].flip(0)
    for joint in op.order_2:
        constant = _over_time(joint) * _along_frequency(joint.quefrency) if joint.n2 else 0.0
        for band in joint.bands:
            second += constant * _energy(band, N)
    return math.sqrt(repeated * _largest(first) * _largest(second) / N)


def _largest(paley: torch.Tensor) -> float:
    """Of a Littlewood-Paley sum over the bins (N,), as real signals meet it."""
    return (0.5 * (paley + paley.roll(-1).flip(0))).max().item()


def _energy(band, N: int) -> torch.Tensor:
    """Gains of wavelets along time, squared and summed, at the bins (N,); folded as they are."""
    gain = band.values[:, ::2].double().abs()  # each stands twice in a row
    folded = torch.nn.functional.pad(gain, (0, -band.bins % band.size))
    together = folded.unflatten(-1, (-1, band.size)).sum(-2)
    bins = torch.arange(band.bins)
    energy = (gain * together[:, bins % band.size]).sum(0)
    return torch.zeros(N, dtype=torch.float64).index_add_(0, (bins - band.below) % N, energy)


def _along_frequency(quefrency) -> float:
    """B_fr."""
    C = quefrency.convolve.double()
    real, imag = C[::2].chunk(2, dim=1)  # the other rows hold the same numbers
    pool = quefrency.pool.double().abs()
    weight = (pool * pool.sum(0)).sum(1)
    C = torch.complex(real, imag) * weight.sqrt()
    return torch.linalg.matrix_norm(C, ord=2).item() ** 2


def _over_time(joint) -> float:
    """K: weights, banded as `jtfs` reads them, from sampled moduli to frames; worst wavelet."""
    weights = torch.zeros(len(joint.weights), len(joint.n2), joint.frames, dtype=torch.float64)
    for span, frame in joint.spans:
        reach = joint.weights[span, : frame.stop - frame.start].double().abs()
        weights.flatten(1)[span, frame] = reach
    samples = [band.size for band in joint.bands for _ in band.values]
    parts = zip(samples, weights.split(samples), strict=True)
    return max(M * (part * part.sum(0)).sum((1, 2)).max().item() for M, part in parts)
