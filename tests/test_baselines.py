"""The rivals of the comparison."""

import numpy as np
import pytest
import torch

from utils.baselines import Aligned, TimeScattering
from utils.jacobian import features_and_jacobian
from utils.loss import SpectralLoss
from utils.mss import MSS
from utils.synth import am_chirp, delay
from utils.wavelets import filter_bank, lowpass_band, morlet_1d

LOSS = SpectralLoss(MSS(), p=1)
X = am_chirp(torch.tensor([8.0, 2.0]))


@pytest.mark.parametrize("samples", [-4000, -256, 0, 1, 1024, 4096])
def test_alignment_undoes_a_delay(samples):
    aligned = Aligned(LOSS)
    late = delay(X, samples)
    assert aligned.lag(X, late) == samples
    assert aligned(X, late) < 1e-6 * LOSS(X, torch.zeros_like(X))


def test_gradient_is_that_of_the_shifted_candidate():
    theta = torch.tensor([7.0, 1.8], requires_grad=True)
    late = delay(X, 500)
    aligned = Aligned(LOSS)
    found = torch.autograd.grad(aligned(am_chirp(theta), late), theta)[0]
    lag = aligned.lag(am_chirp(theta), late)
    expected = torch.autograd.grad(LOSS(delay(am_chirp(theta), lag), late), theta)[0]
    torch.testing.assert_close(found, expected)
    assert found.norm() > 0


def test_silence_is_legal():
    silence = torch.zeros_like(X)
    assert torch.isfinite(Aligned(LOSS)(X, silence))
    assert Aligned(LOSS)(silence, silence) == 0


SCATTERING = TimeScattering(len(X))


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
    local = TimeScattering(len(X), T=2**12)
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
        TimeScattering(2048)
