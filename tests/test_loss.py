import pytest
import torch

from utils.loss import SpectralLoss
from utils.mss import MSS


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


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: SpectralLoss(MSS(), 3), ValueError, "p is 3"),
        (lambda: SpectralLoss("mss", 1), TypeError, "phi is 'mss'"),
        (lambda: SpectralLoss(MSS((64,)), 1)(noise(99)), TypeError, "either y"),
        (
            lambda: SpectralLoss(MSS((64,)), 1)(noise(99), noise(9)),
            ValueError,
            "99 samples and y 9",
        ),
        (
            lambda: SpectralLoss(MSS((64,)), 1)(noise(99), features=noise(7)),
            ValueError,
            "features has 7 values",
        ),
    ],
)
def test_bad_input_is_named(call, error, says):
    with pytest.raises(error, match=says):
        call()
