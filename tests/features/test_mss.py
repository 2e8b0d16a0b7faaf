import math

import auraloss
import pytest
import torch

from utils.features.loss import SpectralLoss
from utils.features.mss import MSS, spectrogram

KINDS = ("linear", "log", "both")


def noise(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def published(x, y, n_ffts, magnitude):
    """The definition, spelled out: the mean over scales of mean absolute differences."""
    total = 0.0
    for n in n_ffts:
        window = torch.hann_window(n, dtype=x.dtype)
        spectra = [
            torch.stft(z, n, n // 4, window=window, return_complex=True).abs() for z in (x, y)
        ]
        if magnitude == "log":
            spectra = [s.clamp(min=1e-5).log() for s in spectra]
        total += (spectra[0] - spectra[1]).abs().mean() / len(n_ffts)
    return total


@pytest.mark.parametrize("magnitude", ["linear", "log"])
def test_loss_is_the_published_definition(magnitude):
    x, y = noise(4096), noise(4096, seed=1)
    loss = SpectralLoss(MSS((256, 64), magnitude), p=1)(x, y)
    torch.testing.assert_close(loss, published(x, y, (256, 64), magnitude))


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


def test_shapes_and_batches():
    phi = MSS((256, 64), "both")
    x = noise(2, 3, 1024)
    features = phi(x)
    assert features.shape[:2] == (2, 3)
    torch.testing.assert_close(features[1, 2], phi(x[1, 2]))
    assert phi(x.float()).dtype == torch.float32


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_in_both_modes(kind):
    x = noise(128).requires_grad_()
    assert torch.autograd.gradcheck(MSS((64, 16), kind), x, check_forward_ad=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [0.0, 1e-20, 1e-41])
def test_silence_and_subnormal_sounds_have_finite_gradients(kind, level):
    x = (level * torch.ones(4096)).requires_grad_()
    for p in (1, 2):
        loss = SpectralLoss(MSS(magnitude=kind), p)(x, torch.zeros(4096))
        (gradient,) = torch.autograd.grad(loss, x)
        assert loss.isfinite()
        assert gradient.isfinite().all()
        assert level > 0 or gradient.abs().max() == 0


def test_fading_tails_have_finite_gradients():
    """Where a Gaussian fades through the subnormal numbers, torch.abs once gave NaN."""
    t = torch.linspace(-20, 20, 32768)
    x = (torch.exp(-(t**2)) * torch.cos(700 * t)).requires_grad_()
    (gradient,) = torch.autograd.grad(SpectralLoss(MSS(), 1)(x, torch.zeros_like(x)), x)
    assert gradient.isfinite().all()


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: MSS(()), ValueError, "n_ffts is"),
        (lambda: MSS((30,)), ValueError, "multiples of 4"),
        (lambda: MSS((64.0,)), TypeError, "n_ffts is 64.0"),
        (lambda: MSS(magnitude="power"), ValueError, "magnitude is 'power'"),
        (lambda: MSS()(torch.zeros(1024)), ValueError, "1024 samples"),
        (lambda: MSS()(torch.zeros(4096, dtype=torch.int16)), TypeError, "int16"),
        (lambda: MSS()(torch.full((4096,), torch.inf)), ValueError, "x holds NaN or infinite"),
        (lambda: MSS()([0.0] * 4096), TypeError, "x is a list"),
    ],
)
def test_bad_input_is_named(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_spectrogram_takes_silence_and_what_is_nearly_silent():
    """Forward and backward, at samples among the subnormal numbers too."""
    x = torch.zeros(2, 4096)
    x[1, 2000] = 1e-42
    x.requires_grad_()
    spectrogram(x, 512, 128).sum().backward()
    assert not x.grad.any()
    _, tangent = torch.func.jvp(lambda s: spectrogram(s, 512, 128), (x.detach(),), (x.detach(),))
    assert tangent.isfinite().all()
    with pytest.raises(ValueError, match="x has 256 samples; expected more than 256"):
        spectrogram(torch.ones(256), 512, 128)
