"""Wavelet filter banks in the Fourier domain, for joint time-frequency scattering.

The parameters of every wavelet (centre frequency xi, bandwidth sigma, dyadic scale j) and
the Morlet wavelet itself come from Kymatio (Andreux et al., "Kymatio: Scattering
Transforms in Python", JMLR 21, 2020). Added here is what its release lacks: wavelets cut
to the few Fourier bins in which they are not negligible, and wavelets along log-frequency.

Frequencies are normalized: xi and sigma are in cycles per sample, or in cycles per
log-frequency bin for wavelets along log-frequency.
"""

import functools
import math
import warnings
from itertools import chain
from typing import NamedTuple

import numpy as np
from kymatio.scattering1d.filter_bank import (
    compute_params_filterbank,
    compute_temporal_support,
    gauss_1d,
    morlet_1d,
)
from scipy.linalg import block_diag

# Kymatio's constants: bandwidth of a low-pass filter of unit width, overlap of adjacent
# wavelets, and the number of bandwidths that a subsampled wavelet must leave room for.
SIGMA_0 = 0.1
R_PSI = math.sqrt(0.5)
ALPHA = 5.0

# A filter is cut where it falls below this fraction of its peak.
CUT = 1e-5

# A position along log-frequency at which the wavelet has fallen below this fraction of its peak
# for every input counts as zero. Cutting at 1e-5 costs a fifth more and changes nothing.
REACH = 1e-3


class FilterBank(NamedTuple):
    """Parameters of a Morlet filter bank, by decreasing centre frequency; arrays of shape (n,)."""

    xi: np.ndarray  # centre frequency, cycles per sample
    sigma: np.ndarray  # bandwidth: standard deviation of the Gaussian, cycles per sample
    j: np.ndarray  # Kymatio samples the wavelet's output every 2**j samples


class Band(NamedTuple):
    """A filter cut to its band: `values[i]` is its Fourier transform at bin `start + i`."""

    start: int  # first bin, negative where the filter reaches below zero frequency
    values: np.ndarray

    @property
    def stop(self):
        return self.start + len(self.values)


def filter_bank(J, Q):
    """Parameters of a Morlet filter bank of maximal scale 2**J with Q wavelets per octave.

    Bandwidth is proportional to frequency down to 0.1 / 2**J; the wavelets below have that
    bandwidth, and frequencies a constant step apart (Andén and Mallat, "Deep scattering
    spectrum", IEEE TSP 62(16), 2014). Returns a `FilterBank`.
    """
    xi, sigma, j = compute_params_filterbank(SIGMA_0 / 2**J, Q, ALPHA, R_PSI)
    return FilterBank(np.array(xi), np.array(sigma), np.array(j, dtype=int))


def padded_length(length, T):
    """Length, a power of two, to which Kymatio pads a signal to average it over T samples.

    It grows with T, but stays below three times `length`, as reflection allows no more.
    """
    # Kymatio warns of border effects where the cap below takes over.
    with warnings.catch_warnings(action="ignore"):
        support = compute_temporal_support(gauss_1d(length, SIGMA_0 / T)[None, :])
    wanted = math.ceil(math.log2(length + 6 * support))
    return 2 ** min(wanted, math.floor(math.log2(3 * length - 2)))


def padded_quefrency_length(J, Q, J_fr, F):
    """Length of the zero-padded log-frequency axis: a multiple of every stride along it."""
    stride = 2 ** max(J_fr, int(math.log2(F)))
    return ((J + 1) * Q + 8 * min(F, 2**J_fr)) // stride * stride


@functools.lru_cache(maxsize=1024)  # every scale of the second order asks for the same ones
def morlet_band(N, xi, sigma):
    """A Morlet wavelet over N samples, of unit L1 norm, cut to its `Band`."""
    psi = morlet_1d(N, xi, sigma)
    # Unroll the Fourier axis from the bin opposite to the centre, so that the band is one piece.
    first = round(xi * N) - N // 2
    psi = np.roll(psi, -first)
    inside = np.flatnonzero(np.abs(psi) > CUT * psi.max())
    lo, hi = inside[0], inside[-1] + 1
    return Band(int(first + lo), psi[lo:hi])


def lowpass_band(N, T):
    """The Gaussian low-pass filter of width T over N samples, of unit sum: bins 0 to N // 2."""
    return gauss_1d(N, SIGMA_0 / T)[: N // 2 + 1]


def frequential(n1_max, J, Q, J_fr, Q_fr, F, spins, samples_per_sigma):
    """Scattering along log-frequency of n1_max wavelets of a first order of scale J and quality Q.

    Returns two matrices around a modulus, `convolve`, complex (rows, n1_max), one row per wavelet
    and sampled position, and `pool` (rows, outputs), the average along log-frequency:
    `pool.T @ abs(convolve @ Y)` maps Y, of shape (n1_max, time), to the outputs; and a list of
    what each output is, (n_fr, xi, sigma, spin, n1), where n1 = -1 if F is global.

    Low-pass filter of width 2**J_fr first (n_fr = 0, not averaged further, hence its mean over
    the n1_max bins if F is global), then wavelets by spin and decreasing quefrency. F is
    "global", None, or a width in bins; spins is (1,) or (1, -1). A global mean reads a modulus
    `samples_per_sigma` times in one over its bandwidth; for spin +1 and -1 it runs over the
    zero-padded axis.
    Andén, Lostanlen and Mallat, "Joint time-frequency scattering", IEEE TSP 67(14), 2019, III.
    """
    width = 2**J_fr if F in ("global", None) else F
    N = padded_quefrency_length(J, Q, J_fr, width)
    bank = filter_bank(J_fr, Q_fr)
    wavelets = [(0.0, SIGMA_0 / 2**J_fr, J_fr, 0)]
    wavelets += [(xi, sigma, j, spin) for spin in spins for xi, sigma, j in zip(*bank, strict=True)]
    blocks = []
    for n_fr, (xi, sigma, j, spin) in enumerate(wavelets):
        if F == "global" and spin:
            # Bandwidth decides how densely a modulus must be read for its mean, not frequency.
            stride = 2 ** max(0, min(J_fr, math.floor(-math.log2(samples_per_sigma * sigma))))
        else:
            stride = 2**j if F in ("global", None) else 2 ** min(j, int(math.log2(F)))
        position = np.arange(0, N, stride)
        taps = np.fft.ifft(morlet_1d(N, xi, sigma))
        if spin < 0:  # the wavelet at -xi is the conjugate of the one at xi
            taps = taps.conj()
        convolve = taps[(position[:, None] - np.arange(n1_max)) % N]
        pool, n1 = pooling(position, n1_max, N, F, spin)
        used = abs(convolve).max(axis=1) > REACH * abs(taps).max()
        used &= abs(pool).max(axis=1) > REACH * pool.max()
        outputs = [(n_fr, xi * spin, sigma, spin, n) for n in n1]
        blocks.append((convolve[used], pool[used], outputs))
    convolve, pool, outputs = zip(*blocks, strict=True)
    return np.concatenate(convolve), block_diag(*pool), [*chain(*outputs)]


def pooling(position, n1_max, N, F, spin):
    """Matrix (positions, outputs): the average along log-frequency; and the bin of each output."""
    inside = np.flatnonzero(position < n1_max)
    if F == "global":
        # Zero quefrency is averaged over the bins that exist, other paths over the padded axis.
        counted = inside if spin == 0 else np.arange(len(position))
        pool = np.zeros((len(position), 1))
        pool[counted] = 1 / len(counted)
        return pool, [-1]
    if F is None or spin == 0:
        return np.eye(len(position))[:, inside], list(position[inside])
    n1 = np.arange(0, n1_max, 2 ** int(math.log2(F)))
    phi = np.fft.ifft(gauss_1d(N, SIGMA_0 / F)).real
    stride = position[1] - position[0]
    return stride * phi[(n1 - position[:, None]) % N], list(n1)


def time_average(M, N, T, first, frames, block):
    """Average over T of M samples of a signal of period N, read at times (first + i) 2**log2(T).

    A signal's block of samples reaches only the frames near it. Returns the weights, of shape
    (M, reach), and for each block of samples the first frame that it reaches: sample m adds
    `weights[m, i]` of itself to frame `starts[m // block] + i`.
    """
    sample = np.arange(M) * (N / M)
    frame = (first + np.arange(frames)) * 2 ** int(math.log2(T))
    deviation = T / (2 * math.pi * SIGMA_0)
    radius = deviation * math.sqrt(-2 * math.log(CUT))

    def distance(times, origins):  # on the circle of period N
        return (times - origins + N / 2) % N - N / 2

    spans = []
    for m in range(0, M, block):
        half = (sample[min(m + block, M) - 1] - sample[m]) / 2
        near = np.flatnonzero(abs(distance(frame, sample[m] + half)) <= half + radius)
        spans.append((near[0], near[-1] + 1) if len(near) else (0, 0))
    reach = max(stop - start for start, stop in spans)
    starts = [int(min(start, frames - reach)) for start, _ in spans]
    index = np.repeat(starts, block)[:M, None] + np.arange(reach)
    offset = distance(frame[index], sample[:, None])
    wraps = np.arange(-math.ceil(radius / N), math.ceil(radius / N) + 1) * N
    weights = sum(np.exp(-0.5 * ((offset + wrap) / deviation) ** 2) for wrap in wraps)
    return weights * (N / M / deviation / math.sqrt(2 * math.pi)), starts
