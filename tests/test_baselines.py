"""The rivals of the comparison."""

import pytest
import torch

from utils.baselines import Aligned
from utils.loss import SpectralLoss
from utils.mss import MSS
from utils.synth import am_chirp, delay

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
