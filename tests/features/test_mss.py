"""The multiscale spectrogram, and the loss on its features."""

import auraloss
import pytest
import torch

from utils.features.loss import SpectralLoss
from utils.features.mss import MSS

KINDS = ("linear", "log", "both")


def noise(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("magnitude", KINDS)
def test_loss_agrees_with_auraloss(magnitude):
    x, y = noise(2, 1, 8192, dtype=torch.float32), noise(2, 1, 8192, seed=1, dtype=torch.float32)
    n_ffts = (1024, 256, 64)
    independent = auraloss.freq.MultiResolutionSTFTLoss(
        fft_sizes=list(n_ffts),
        hop_sizes=[n // 4 for n in n_ffts],
        win_lengths=list(n_ffts),
        w_sc=0.0,
        w_lin_mag=float(magnitude != "log"),
        w_log_mag=float(magnitude != "linear"),
        eps=1e-10,
    )
    ours = SpectralLoss(MSS(n_ffts, magnitude), p=1)(x[:, 0], y[:, 0]).mean()
    torch.testing.assert_close(ours, independent(x, y), rtol=1e-5, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_in_both_modes(kind):
    x = noise(128).requires_grad_()
    assert torch.autograd.gradcheck(MSS((64, 16), kind), x, check_forward_ad=True)


@pytest.mark.parametrize("p", [1, 2])
def test_loss_is_the_norm_of_the_difference(p):
    """The features of a target may be computed before, and carry no gradient."""
    phi = MSS((256,))
    x, y = noise(3, 1024), noise(1024, seed=1)
    loss = SpectralLoss(phi, p)
    expected = (phi(x) - phi(y)).abs().pow(p).sum(-1).pow(1 / p)
    torch.testing.assert_close(loss(x, y), expected)
    features = loss.features(y.requires_grad_())
    torch.testing.assert_close(loss(x, features=features), expected)
    assert not features.requires_grad


def test_one_sound_is_compared_with_many():
    loss, x, y = SpectralLoss(MSS((256,)), 1), noise(3, 2, 1024), noise(1024, seed=1)
    assert loss(x, y).shape == loss(y, x).shape == (3, 2)
    assert loss(x, noise(3, 1, 1024)).shape == (3, 2)


def test_what_cannot_be_paired_is_refused():
    """Sounds with and without an axis for the channel would broadcast to every pair."""
    loss = SpectralLoss(MSS((256,)), 1)
    with pytest.raises(ValueError, match=r"x has shape \(3, 1, 1024\) and y \(3, 1024\)"):
        loss(noise(3, 1, 1024), noise(3, 1024))
    with pytest.raises(ValueError, match=r"x has shape \(3, 1024\) and features \(3, 1, "):
        loss(noise(3, 1024), features=loss.features(noise(3, 1, 1024)))
