"""The rivals of the comparison."""

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from utils.features import rivals as baselines
from utils.features.jtfs import JTFS
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.features.wavelets import filter_bank, lowpass_band, morlet_1d
from utils.search.jacobian import features_and_jacobian
from utils.synth import am_chirp, delay

LOSS = SpectralLoss(MSS(), p=1)
X = am_chirp(torch.tensor([8.0, 2.0]))


@pytest.mark.parametrize("by", ["envelopes", "waveforms"])
@pytest.mark.parametrize("samples", [-4000, -256, 0, 1, 1024, 4096])
def test_alignment_undoes_a_delay(samples, by):
    aligned = baselines.Aligned(LOSS, by=by)
    late = delay(X, samples)
    assert aligned.lag(X, late) == samples
    assert aligned(X, late) < 1e-6 * LOSS(X, torch.zeros_like(X))


def test_gradient_is_that_of_the_shifted_candidate():
    theta = torch.tensor([7.0, 1.8], requires_grad=True)
    late = delay(X, 500)
    aligned = baselines.Aligned(LOSS)
    found = torch.autograd.grad(aligned(am_chirp(theta), late), theta)[0]
    lag = aligned.lag(am_chirp(theta), late)
    expected = torch.autograd.grad(LOSS(delay(am_chirp(theta), lag), late), theta)[0]
    torch.testing.assert_close(found, expected)
    assert found.norm() > 0


@pytest.mark.parametrize("loss", [LOSS, lambda x, y: (x - y).norm()], ids=["with", "without"])
def test_alignment_takes_what_it_needs_of_a_target_once(loss):
    aligned, late = baselines.Aligned(loss), delay(X, 500)
    assert aligned(1.1 * X, features=aligned.features(late)) == aligned(1.1 * X, late) > 0


def test_silence_is_legal():
    silence = torch.zeros_like(X)
    assert torch.isfinite(baselines.Aligned(LOSS)(X, silence))
    assert baselines.Aligned(LOSS)(silence, silence) == 0


SCATTERING = baselines.TimeScattering(len(X))


def full_rate(x):
    """|x * psi_1| and ||x * psi_1| * psi_2| at every sample, in double precision, for each rate."""
    first, second = filter_bank(12, 8), filter_bank(12, 2)
    padded = SCATTERING.padded
    left = (padded - len(x)) // 2
    x = np.pad(x.double().numpy(), (left, padded - len(x) - left), mode="reflect")

    def moduli(rows, bank):
        bands = [morlet_1d(padded, *each) for each in zip(bank.xi, bank.sigma, strict=True)]
        return (abs(np.fft.ifft(np.fft.fft(rows) * band)) for band in bands)

    U = np.stack(list(moduli(x, first)))
    yield U
    for n2, response in enumerate(moduli(U, second)):
        yield response[first.j < second.j[n2]]


def test_time_scattering_is_its_equations():
    expected = np.concatenate([U.mean(-1) for U in full_rate(X)])
    difference = SCATTERING(X).numpy() - expected
    assert np.linalg.norm(difference) < 1e-3 * np.linalg.norm(expected)


def test_time_scattering_of_local_average():
    local = baselines.TimeScattering(len(X), T=2**12)
    lowpass = np.concatenate([half := lowpass_band(local.padded, 2**12), half[-2:0:-1]])
    at = (local.first_frame + np.arange(local.frames)) * 2**12
    expected = np.concatenate(
        [np.fft.ifft(np.fft.fft(U) * lowpass).real[:, at].ravel() for U in full_rate(X)]
    )
    difference = local(X).numpy() - expected
    assert np.linalg.norm(difference) < 1e-3 * np.linalg.norm(expected)


def test_time_scattering_sees_little_of_a_delay_nothing_of_direction_but_the_rest():
    here = SCATTERING(X)
    apart = (SCATTERING(am_chirp(torch.tensor([8.0, 3.0]))) - here).norm()
    assert (SCATTERING(X.flip(-1)) - here).norm() < 0.001 * apart
    assert (SCATTERING(delay(X, 1024)) - here).norm() < 0.1 * apart


def test_time_scattering_of_a_batch_and_of_silence():
    batch = torch.stack([X, torch.zeros_like(X)]).requires_grad_()
    features = SCATTERING(batch)
    torch.testing.assert_close(features[0], SCATTERING(X))
    assert (features[1] == 0).all()
    features.square().sum().backward()
    assert batch.grad.isfinite().all()
    assert batch.grad[0].norm() > 0


def test_time_scattering_names_its_paths():
    table = SCATTERING.table(8192)
    assert len(table) == len(SCATTERING(X))
    first, second = (table[table["order"] == order] for order in (1, 2))
    assert list(first["n1"]) == list(range(len(first)))
    assert (SCATTERING.bank_1.j[second["n1"]] < SCATTERING.bank_2.j[second["n2"]]).all()
    loudest = first[SCATTERING(X)[: len(first)].argmax()]
    assert 300 < loudest["xi_1"] < 900  # the chirp crosses 512 Hz


def test_time_scattering_in_forward_mode():
    theta = torch.tensor([8.0, 2.0])
    features, jacobian = features_and_jacobian(am_chirp, SCATTERING, theta)
    torch.testing.assert_close(features, SCATTERING(X))
    reverse = torch.func.vjp(lambda q: SCATTERING(am_chirp(q)), theta)[1](features)[0]
    torch.testing.assert_close(jacobian.T @ features, reverse, rtol=1e-3, atol=1e-6)


def test_time_scattering_refuses_another_length():
    with pytest.raises(ValueError, match="x must be of shape"):
        SCATTERING(X[:-1])
    with pytest.raises(ValueError, match="J must"):
        baselines.TimeScattering(2048)


OPERATORS = {
    "waveform": baselines.Waveform(),
    "average": baselines.AverageSpectrum(),
    "transport": baselines.Quantiles(),
    "modulation": baselines.ModulationSpectrum(),
    "logarithm": baselines.Logarithm(JTFS(len(X), oversampling=0.5), torch.full((495,), 1e-6)),
}


@pytest.mark.parametrize("phi", OPERATORS.values(), ids=OPERATORS)
def test_operator_is_differentiable_both_ways(phi):
    theta = torch.tensor([8.0, 2.0], dtype=torch.float64)
    features, jacobian = features_and_jacobian(am_chirp, phi, theta)
    candidate = theta.clone().requires_grad_()
    weights = torch.randn(len(features), generator=torch.Generator().manual_seed(0)).double()
    (phi(am_chirp(candidate)) @ weights).backward()
    torch.testing.assert_close(features, phi(am_chirp(theta)))
    torch.testing.assert_close(weights @ jacobian, candidate.grad, rtol=1e-5, atol=0)


@pytest.mark.parametrize("phi", OPERATORS.values(), ids=OPERATORS)
def test_operator_on_a_batch_and_on_silence(phi):
    batch = torch.stack([torch.zeros_like(X), X]).requires_grad_()
    features = phi(batch)
    torch.testing.assert_close(features[1], phi(X), rtol=1e-4, atol=1e-6)
    features.sum().backward()
    assert features.isfinite().all() and batch.grad.isfinite().all()


@pytest.mark.parametrize("name", ["average", "modulation"])
def test_average_and_modulus_hardly_see_a_delay(name):
    """Next to nothing if it is a number of hops."""
    loss = SpectralLoss(OPERATORS[name], p=1)
    other = loss(am_chirp(torch.tensor([12.0, 1.0])), X)
    assert loss(delay(X, 1024), X) < 1e-3 * other
    assert loss(delay(X, 1000), X) < 0.1 * other


def test_average_spectrum_is_its_mean():
    window = torch.hann_window(1024)
    expected = torch.stft(X, 1024, 256, window=window, return_complex=True).abs().mean(-1)
    torch.testing.assert_close(baselines.AverageSpectrum()(X), expected)


def test_quantiles_are_optimal_transport():
    """Against scipy's Wasserstein distance between the two spectra of a frame of steady tones."""
    n_fft, levels = 1024, 4000
    time = torch.arange(8192) / 8192
    one, other = (torch.sin(2 * torch.pi * f * time) for f in (800.0, 1000.0))
    phi = baselines.Quantiles(n_fft, levels)
    found = (phi(one) - phi(other)).abs().reshape(-1, levels).mean(-1)
    middle = len(found) // 2
    window = torch.hann_window(n_fft)
    masses = [
        torch.stft(x, n_fft, 256, window=window, return_complex=True).abs()[:, middle].numpy()
        + 1e-3 * torch.stft(x, n_fft, 256, window=window, return_complex=True).abs().mean().item()
        for x in (one, other)
    ]
    bins = np.arange(n_fft // 2 + 1) / (n_fft // 2 + 1)
    assert found[middle] == pytest.approx(wasserstein_distance(bins, bins, *masses), rel=0.01)
    assert found[middle] == pytest.approx(200 / 4096, rel=0.1)  # most mass moves by 200 Hz


def test_modulation_spectrum_is_the_fourier_modulus_on_log_frequency():
    """A tone of tremolo at 4 Hz, well below what the window resolves: its rate stands out."""
    time = torch.arange(2**15) / 8192
    tone = torch.sin(2 * torch.pi * 1000 * time) * (1 + 0.5 * torch.sin(2 * torch.pi * 4 * time))
    phi = baselines.ModulationSpectrum()
    rates = phi(tone).reshape(phi.octaves * phi.bins, -1).sum(0)
    hop = phi.n_fft // 8
    hertz = torch.arange(len(rates)) * (8192 / hop) / (2**15 // hop + 1)
    assert hertz[3:][rates[3:].argmax()] == pytest.approx(4, abs=0.3)
    octave = torch.arange(phi.octaves * phi.bins) / phi.bins  # down from the Nyquist frequency
    bins = torch.arange(phi.n_fft // 2 + 1.0)
    torch.testing.assert_close(phi.warp @ bins, phi.n_fft // 2 * 2.0**-octave)


def test_random_windows_are_drawn_anew_and_repeat_by_seed():
    other = am_chirp(torch.tensor([10.0, 1.0]))
    loss = baselines.RandomWindows(seed=3)
    first, second = loss(X, other), loss(X, other)
    assert first != second
    assert baselines.RandomWindows(seed=3)(X, other) == first
    assert loss(X, X) == 0
    fixed = SpectralLoss(MSS(), p=1)(X, other)
    assert 0.5 < first / fixed < 2


def test_logarithm_is_that_of_its_features():
    phi = JTFS(len(X), oversampling=0.5)
    scale = torch.linspace(1e-7, 1e-6, 495)
    torch.testing.assert_close(baselines.Logarithm(phi, scale)(X), torch.log(1 + phi(X) / scale))
    theta = torch.tensor([8.0, 2.0])
    found = features_and_jacobian(am_chirp, baselines.Logarithm(phi, scale), theta)[1]
    plain, slopes = features_and_jacobian(am_chirp, phi, theta)
    torch.testing.assert_close(found, slopes / (scale + plain)[:, None])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: baselines.Aligned(LOSS, by="ear"), "by is 'ear'"),
        (lambda: baselines.Aligned(LOSS, smoothing=0), "smoothing is 0"),
        (lambda: baselines.RandomWindows(longest=32), "longest is 32"),
        (lambda: baselines.AverageSpectrum(0), "n_fft is 0"),
        (lambda: baselines.Quantiles(levels=0), "levels is 0"),
        (lambda: baselines.ModulationSpectrum(octaves=0), "octaves is 0"),
        (lambda: baselines.Quantiles()(X[:100]), "x has 100 samples"),
        (lambda: baselines.Logarithm(baselines.Waveform(), torch.zeros(3)), "scale is 0"),
        (lambda: baselines.Waveform()(torch.tensor([torch.inf])), "x holds NaN"),
    ],
)
def test_bad_input(call, says):
    with pytest.raises(ValueError, match=says):
        call()
