"""The rivals of the comparison."""

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from utils.features import rivals
from utils.features.compression import Logarithm, Root
from utils.features.jtfs import JTFS
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS, spectrogram
from utils.search.jacobian import features_and_jacobian, value_and_jacobian
from utils.synth import am_chirp, delay

LOSS = SpectralLoss(MSS(), p=1)
X = am_chirp(torch.tensor([8.0, 2.0]))
THETA = torch.tensor([8.0, 2.0])
OTHER = am_chirp(torch.tensor([12.0, 1.0]))


@pytest.mark.parametrize("samples", [-4000, -256, 0, 1, 1024, 4096])
def test_alignment_undoes_a_delay(samples):
    aligned = rivals.Aligned(LOSS)
    late = delay(X, samples)
    assert rivals.lag(X, late) == samples
    assert aligned(X, late) < 1e-6 * LOSS(X, torch.zeros_like(X))


def test_gradient_is_that_of_the_shifted_candidate():
    theta = torch.tensor([7.0, 1.8], requires_grad=True)
    late = delay(X, 500)
    aligned = rivals.Aligned(LOSS)
    found = torch.autograd.grad(aligned(am_chirp(theta), late), theta)[0]
    lag = rivals.lag(am_chirp(theta).detach(), late).item()
    expected = torch.autograd.grad(LOSS(delay(am_chirp(theta), lag), late), theta)[0]
    torch.testing.assert_close(found, expected)
    assert found.norm() > 0


def test_silence_is_legal():
    silence = torch.zeros_like(X)
    assert torch.isfinite(rivals.Aligned(LOSS)(X, silence))
    assert rivals.Aligned(LOSS)(silence, silence) == 0


@pytest.mark.parametrize("phi", [rivals.AverageSpectrum(), rivals.ModulationSpectrum()])
def test_average_and_modulus_hardly_see_a_delay(phi):
    """Next to nothing if it is a number of hops."""
    loss = SpectralLoss(phi, p=1)
    other = loss(OTHER, X)
    assert loss(delay(X, 1024), X) < 1e-3 * other
    assert loss(delay(X, 1000), X) < 0.1 * other


def test_quantiles_are_optimal_transport():
    """Against scipy's Wasserstein distance between the two spectra of a frame of steady tones."""
    n_fft, levels = 1024, 4000
    time = torch.arange(8192) / 8192
    one, other = (torch.sin(2 * torch.pi * f * time) for f in (800.0, 1000.0))
    phi = rivals.Quantiles(n_fft, levels)
    found = (phi(one) - phi(other)).abs().reshape(-1, levels).mean(-1)
    middle = len(found) // 2
    spectra = [spectrogram(x, n_fft, 256) for x in (one, other)]
    masses = [(X[:, middle] + 1e-3 * X.mean()).numpy() for X in spectra]
    bins = np.arange(n_fft // 2 + 1) / (n_fft // 2 + 1)
    assert found[middle] == pytest.approx(wasserstein_distance(bins, bins, *masses), rel=0.01)
    assert found[middle] == pytest.approx(200 / 4096, rel=0.1)  # most mass moves by 200 Hz


def test_modulation_spectrum_is_the_fourier_modulus_on_log_frequency():
    """A tone of tremolo at 4 Hz, well below what the window resolves: its rate stands out."""
    time = torch.arange(2**15) / 8192
    tone = torch.sin(2 * torch.pi * 1000 * time) * (1 + 0.5 * torch.sin(2 * torch.pi * 4 * time))
    phi = rivals.ModulationSpectrum()
    rates = phi(tone).reshape(len(phi.warp), -1).sum(0)
    hop = phi.n_fft // 8
    hertz = torch.arange(len(rates)) * (8192 / hop) / (2**15 // hop + 1)
    assert hertz[3:][rates[3:].argmax()] == pytest.approx(4, abs=0.3)
    octave = torch.arange(len(phi.warp)) / rivals.BINS  # down from the Nyquist frequency
    bins = torch.arange(phi.n_fft // 2 + 1.0)
    torch.testing.assert_close(phi.warp @ bins, phi.n_fft // 2 * 2.0**-octave)


def test_dynamic_time_warping_forgives_a_delay():
    x, other = am_chirp(torch.tensor([[8.0, 2.0], [4.0, 2.0]]))
    loss = rivals.DynamicTimeWarping()
    assert loss(delay(x, 512), x) < 0.01 * loss(other, x)


def test_transport_along_time_grows_with_a_delay():
    x, phi = am_chirp(torch.tensor([8.0, 2.0])), rivals.Quantiles(along="time")
    near, far = ((phi(delay(x, d)) - phi(x)).norm() for d in (512, 1024))
    assert far / near == pytest.approx(2, rel=0.1)


def test_logarithms_of_mel_bands():
    """Of a tone, the loudest band is the tone's; silence stays at the floor."""
    phi = rivals.LogMel(8192, floor=1e-3)
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(8192) / 8192)
    bands = phi.bands_1024
    mel = (bands @ spectrogram(tone, 1024, 256)).mean(-1)
    assert abs(bands[mel.argmax()].argmax() * 8 - 1000) < 30
    assert phi(torch.zeros(8192)).unique().numel() <= len(phi.n_ffts)


@pytest.mark.parametrize("way", [Root, Logarithm])
def test_compressions_are_those_of_their_features(way):
    phi, floor = JTFS(len(X), oversampling=0.5), torch.linspace(1e-7, 1e-6, 495)
    plain = phi(X)
    expected = {Root: (plain + floor).sqrt(), Logarithm: torch.log(1 + plain / floor)}[way]
    torch.testing.assert_close(way(phi, floor)(X), expected)
    op = way(phi, floor)
    _, slopes = features_and_jacobian(am_chirp, op, THETA)
    _, automatic = value_and_jacobian(lambda theta: op(am_chirp(theta)), THETA)
    torch.testing.assert_close(slopes, automatic, rtol=1e-3, atol=1e-5)


def test_a_compression_differentiates_what_cannot_push():
    spectrum = rivals.AverageSpectrum()
    root = Root(spectrum, floor=1e-4)
    assert not hasattr(root, "push_forward")
    S, slopes = features_and_jacobian(am_chirp, spectrum, THETA)
    _, found = features_and_jacobian(am_chirp, root, THETA)
    torch.testing.assert_close(found, slopes * root.slope(S)[:, None], rtol=1e-3, atol=1e-6)


def test_squared_distances_of_concatenated_features_add():
    phis = rivals.AverageSpectrum(), Root(JTFS(len(X), oversampling=0.5), 1e-6)
    op = rivals.Concatenated(phis, (2.0, 3.0))
    one, other = (SpectralLoss(phi, p=2)(X, OTHER) for phi in phis)
    expected = ((one / 2) ** 2 + (other / 3) ** 2).sqrt()
    torch.testing.assert_close(SpectralLoss(op, p=2)(X, OTHER), expected)


def test_a_pooled_row_is_a_mean_of_rows():
    """Over all rows; over an octave, the mean of a constant is that constant."""
    each, pooled = (rivals.TimeScattering(len(X), F=F, oversampling=0.5) for F in (None, "global"))
    first = each.paths["order"] == 1
    torch.testing.assert_close(pooled(X)[0], each(X)[first].mean())
    inner = rivals._Rows(160, F=8).average(torch.ones(1, 160))[6:-6]
    torch.testing.assert_close(inner, torch.ones(8), rtol=0.01, atol=0)


def test_separable_scattering_filters_what_time_scattering_averaged():
    """Its zero quefrency is a low-pass filter along the rows of time scattering, its other paths
    find no direction in a sound that is played backwards."""
    phi = rivals.SeparableScattering(len(X), oversampling=0.5)
    joint = JTFS(len(X), T=2**12, oversampling=0.5)
    backwards = X.flip(-1)
    torch.testing.assert_close(phi(X), phi(backwards), rtol=1e-3, atol=1e-9)
    local = rivals.SeparableScattering(len(X), T=2**12, oversampling=0.5)
    apart = [(op(X) - op(backwards)).norm() / op(X).norm() for op in (local, joint)]
    assert apart[1] > 2 * apart[0]
