"""Filter banks against Kymatio's release, and the matrices along time and log-frequency."""

import numpy as np
import pytest
from kymatio.scattering1d.filter_bank import morlet_1d
from kymatio.scattering1d.frontend.numpy_frontend import ScatteringNumPy1D

from utils.features import wavelets


@pytest.mark.parametrize("J, Q", [(6, 8), (9, 1), (4, 16), (1, 1)])
@pytest.mark.filterwarnings("ignore:Signal support")
def test_bank_and_padding_are_kymatios(J, Q):
    released = ScatteringNumPy1D(J, 1500, (Q, 1))
    bank = wavelets.filter_bank(J, Q)
    for name in ("xi", "sigma", "j"):
        assert [psi[name] for psi in released.psi1_f] == list(getattr(bank, name))
    assert wavelets.padded_length(1500, 2**J) == released._N_padded


@pytest.mark.parametrize("xi, sigma", [(0.35, 0.018), (0.35, 0.14), (0.002, 0.001), (0.01, 0.004)])
def test_band_holds_the_wavelet(xi, sigma):
    N = 2048
    band = wavelets.morlet_band(N, xi, sigma)
    whole = np.zeros(N)
    whole[(band.start + np.arange(len(band.values))) % N] = band.values
    psi = morlet_1d(N, xi, sigma)
    assert abs(whole - psi).max() <= 1e-5 * psi.max()
    assert len(band.values) <= max(12 * sigma * N, 16) + 1  # and little else


@pytest.mark.parametrize("F", ["global", None])
def test_quefrency_matrices_are_a_circular_convolution(F):
    """Against the convolution by FFT of the zero-padded axis, with wavelets of both spins."""
    J, Q, J_fr, Q_fr, n1_max = 7, 8, 3, 2, 37
    Y = np.random.default_rng(0).standard_normal((2, n1_max)).T @ [1, 1j]
    bank = wavelets.filter_bank(J_fr, Q_fr)
    falling = zip(-bank.xi, bank.sigma, bank.j, strict=True)
    N = wavelets.padded_quefrency_length(J, Q, J_fr, 2**J_fr)
    expected = []
    for xi, sigma, j in [(0.0, 0.1 / 2**J_fr, J_fr), *zip(*bank, strict=True), *falling]:
        U = abs(np.fft.ifft(np.fft.fft(Y, N) * morlet_1d(N, xi, sigma)))
        sampled = U[: n1_max : 2**j]
        expected += list(sampled) if F is None else [U.mean() if xi else sampled.mean()]
    ours = wavelets.frequential(n1_max, J, Q, J_fr, Q_fr, F, (1, -1), samples_per_sigma=16)
    assert len(ours.outputs) == len(expected)
    np.testing.assert_allclose(ours.pool.T @ abs(ours.convolve @ Y), expected, rtol=2e-3)


@pytest.mark.parametrize("M, T, block", [(512, 100, 64), (448, 256, 512), (600, 1024, 100)])
def test_time_average_is_a_lowpass_filter(M, T, block):
    """Weights, put back at the frames they reach, against the filter applied by FFT."""
    N, first, frames = 1024, 2, min(9, 1024 // T)
    weights, starts = wavelets.time_average(M, N, T, first, frames, block)
    whole = np.zeros((M, frames))
    for m in range(M):
        start = starts[m // block]
        whole[m, start : start + weights.shape[1]] = weights[m]
    time = np.arange(M) / M
    signal = 1 + np.cos(2 * np.pi * 3 * time + 1) + np.sin(2 * np.pi * time)
    phi = wavelets.lowpass_band(N, T)
    frame = (first + np.arange(frames)) * 2 ** int(np.log2(T)) / N
    expected = 1 + phi[3] * np.cos(2 * np.pi * 3 * frame + 1) + phi[1] * np.sin(2 * np.pi * frame)
    np.testing.assert_allclose(signal @ whole, expected, atol=1e-4)
