import math

import auraloss
import pytest
import torch

from utils.features.loss import SpectralLoss
from utils.features.mss import MSS

KINDS = ("linear", "log", "both")


def noise(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_both_is_the_sum_of_linear_and_log():
    x, y = noise(4096), noise(4096, seed=1)
    linear, log, both = (SpectralLoss(MSS(magnitude=kind), p=1)(x, y) for kind in KINDS)
    torch.testing.assert_close(linear + log, both)


@pytest.mark.parametrize("magnitude", ["linear", "log"])
def test_loss_agrees_with_auraloss(magnitude):
    x, y = noise(2, 1, 8192, dtype=torch.float32), noise(2, 1, 8192, seed=1, dtype=torch.float32)
    n_ffts = (1024, 256, 64)
    independent = auraloss.freq.MultiResolutionSTFTLoss(
        fft_sizes=list(n_ffts),
        hop_sizes=[n // 4 for n in n_ffts],
        win_lengths=list(n_ffts),
        w_sc=0.0,
        w_lin_mag=float(magnitude == "linear"),
        w_log_mag=float(magnitude == "log"),
        eps=1e-10,
    )
    ours = SpectralLoss(MSS(n_ffts, magnitude), p=1)(x[:, 0], y[:, 0]).mean()
    torch.testing.assert_close(ours, independent(x, y), rtol=1e-5, atol=0)


def test_a_click_by_hand():
    """A click in a frame has a flat spectrum of the window's value there."""
    x = torch.zeros(64, dtype=torch.float64)
    x[32] = 1.0
    features = MSS((16,))(x).reshape(9, 17)  # 9 bins; frames centred on 0, 4, ..., 64
    hann = [math.sin(math.pi * (8 + 4 * offset) / 16) ** 2 for offset in (-1, 0, 1)]
    expected = torch.zeros(9, 17, dtype=torch.float64)
    expected[:, 7:10] = torch.tensor(hann, dtype=torch.float64)
    torch.testing.assert_close(features, expected / (9 * 17))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_in_both_modes(kind):
    x = noise(128).requires_grad_()
    assert torch.autograd.gradcheck(MSS((64, 16), kind), x, check_forward_ad=True)


TIME = torch.linspace(-20, 20, 32768)
QUIET = {
    "silence": torch.zeros(4096),
    "quiet": torch.full((4096,), 1e-20),
    "subnormal": torch.full((4096,), 1e-41),
    "a tail that fades": torch.exp(-(TIME**2)) * torch.cos(700 * TIME),  # torch.abs gave NaN
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", QUIET)
def test_silence_and_subnormal_samples_have_finite_derivatives(kind, name):
    x, phi = QUIET[name].clone().requires_grad_(), MSS(magnitude=kind)
    for p in (1, 2):
        loss = SpectralLoss(phi, p)(x, torch.zeros_like(x))
        (gradient,) = torch.autograd.grad(loss, x)
        assert loss.isfinite() and gradient.isfinite().all()
        assert name != "silence" or not gradient.any()
    _, tangent = torch.func.jvp(phi, (QUIET[name],), (torch.ones_like(TIME[: len(x)]),))
    assert tangent.isfinite().all()
