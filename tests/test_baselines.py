"""The rivals of the comparison."""

import numpy as np
import pytest
import torch

from utils.baselines import Aligned, TimeScattering
from utils.loss import SpectralLoss
from utils.mss import MSS
from utils.synth import am_chirp, delay
from utils.wavelets import filter_bank, morlet_1d

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


def test_time_scattering_is_its_equation_at_full_rate():
    """Against |x * psi_1| and ||x * psi_1| * psi_2| at every sample, in double precision."""

    def moduli(rows, bank):
        bands = [morlet_1d(len(X), *each) for each in zip(bank.xi, bank.sigma, strict=True)]
        return [abs(np.fft.ifft(np.fft.fft(rows) * band)) for band in bands]

    first, second = filter_bank(12, 8), filter_bank(12, 2)
    U = np.stack(moduli(X.double().numpy(), first))
    expected = [U.mean(-1)]
    for n2, response in enumerate(moduli(U, second)):
        if second.xi[n2] + 4 * second.sigma[n2] < 1 / 16:
            expected.append(response.mean(-1)[first.j < second.j[n2]])
    expected = np.concatenate(expected)
    difference = SCATTERING(X).numpy() - expected
    assert np.linalg.norm(difference) < 1e-3 * np.linalg.norm(expected)


def test_time_scattering_sees_neither_delay_nor_direction_but_the_rest():
    here = SCATTERING(X)
    for same in (X.roll(3000), X.flip(-1)):
        torch.testing.assert_close(SCATTERING(same), here, rtol=1e-4, atol=1e-5 * here.max().item())
    other = SCATTERING(am_chirp(torch.tensor([8.0, 3.0])))
    assert (other - here).norm() > 0.1 * here.norm()


def test_time_scattering_of_a_batch_and_of_silence():
    batch = torch.stack([X, torch.zeros_like(X)]).requires_grad_()
    features = SCATTERING(batch)
    torch.testing.assert_close(features[0], SCATTERING(X))
    assert (features[1] == 0).all()
    features.square().sum().backward()
    assert batch.grad.isfinite().all()
    assert batch.grad[0].norm() > 0


def test_time_scattering_refuses_another_length():
    with pytest.raises(ValueError, match="x has shape"):
        SCATTERING(X[:-1])
    with pytest.raises(ValueError, match="length is 2048"):
        TimeScattering(2048)
