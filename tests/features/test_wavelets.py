"""Filter banks against Kymatio's release, and the matrices along time and log-frequency."""

import math

import numpy as np
import pytest
from kymatio.scattering1d.filter_bank import gauss_1d, morlet_1d
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


@pytest.mark.parametrize("samples_per_sigma", [8, 16])
def test_quefrency_matrices_are_a_circular_convolution(samples_per_sigma):
    """Against the convolution by FFT of the zero-padded axis: both spins, three averages.

    A global mean is held to that over every bin; at the sampling that JTFS uses by default, which
    reads every other one of some rows, to that over those.
    """
    J, Q, J_fr, Q_fr, n1_max = 7, 8, 3, 2, 37
    rng = np.random.default_rng(0)
    Y = rng.standard_normal(n1_max) + 1j * rng.standard_normal(n1_max)
    bank = wavelets.filter_bank(J_fr, Q_fr)
    for F in ("global", None, 6):
        N = wavelets.padded_quefrency_length(J, Q, J_fr, 8 if F != 6 else 6)
        Y_hat = np.fft.fft(Y, N)
        phi = gauss_1d(N, 0.1 / 6)
        expected = []
        for xi, sigma, j in [
            (0.0, 0.1 / 8, 3),
            *zip(*bank, strict=True),
            *zip(-bank.xi, bank.sigma, bank.j, strict=True),
        ]:
            U = abs(np.fft.ifft(Y_hat * morlet_1d(N, xi, sigma)))
            step = 2**j if F != 6 else 2 ** min(j, 2)
            if F == "global":
                dense = 1
                if samples_per_sigma == 8:
                    dense = 2 ** min(max(int(math.log2(1 / (8 * sigma))), 0), J_fr)
                expected += [U[:n1_max:step].mean() if xi == 0 else U[::dense].mean()]
            elif F is None or xi == 0:
                expected += list(U[:n1_max:step])
            else:
                taps = np.fft.ifft(phi).real * step
                sampled = np.where(np.arange(N) % step == 0, U, 0)
                expected += list(
                    np.fft.ifft(np.fft.fft(sampled) * np.fft.fft(taps)).real[:n1_max:4]
                )
        ours = wavelets.frequential(n1_max, J, Q, J_fr, Q_fr, F, (1, -1), samples_per_sigma)
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
