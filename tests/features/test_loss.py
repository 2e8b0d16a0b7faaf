import pytest
import torch

from utils.features.loss import SpectralLoss
from utils.features.mss import MSS


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("p", [1, 2])
def test_is_the_norm_of_the_difference(p):
    phi = MSS((256,))
    x, y = noise(3, 1024), noise(1024, seed=1)
    loss = SpectralLoss(phi, p)
    expected = (phi(x) - phi(y)).abs().pow(p).sum(-1).pow(1 / p)
    torch.testing.assert_close(loss(x, y), expected)
    torch.testing.assert_close(loss(x, features=loss.features(y)), expected)


@pytest.mark.parametrize("p", [1, 2])
def test_is_zero_with_zero_gradient_on_equal_sounds(p):
    x = noise(1024).requires_grad_()
    value = SpectralLoss(MSS((256,)), p)(x, x.detach().clone())
    (gradient,) = torch.autograd.grad(value, x)
    assert value == 0
    assert gradient.abs().max() == 0


def test_features_of_a_target_carry_no_gradient():
    assert not SpectralLoss(MSS((256,)), 1).features(noise(1024).requires_grad_()).requires_grad


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


@pytest.mark.parametrize("name", ["x", "y"])
def test_a_nan_is_refused_where_the_distance_is_read(name):
    sounds = {"x": noise(2, 1024), "y": noise(2, 1024)}
    sounds[name][1, 100] = torch.nan
    with pytest.raises(ValueError, match="loss holds NaN"):
        SpectralLoss(MSS((256,)), 1)(**sounds)
