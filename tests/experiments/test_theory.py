"""The theory of chapters 3 and 4, against what is measured."""

import pytest
import torch

from utils.experiments import theory
from utils.experiments.recipe import root_jtfs
from utils.features.jtfs import JTFS
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.parameters import draw
from utils.search.batched import gauss_newton_all
from utils.search.jacobian import condition
from utils.synth import am_chirp, delay


def test_three_bumps_predict_the_condition_number():
    """Within a factor of 2.2 for each chirp, and within a quarter in the median."""
    phi = JTFS(2**15, oversampling=0.5)
    ratios = torch.tensor(
        [
            theory.condition(am_chirp, theta, phi) / condition(am_chirp, phi, theta)
            for theta in draw(am_chirp, 12, seed=50)
        ]
    )
    assert 0.75 < ratios.median() < 1.33 and ratios.min() > 1 / 2.2 and ratios.max() < 2.2


@pytest.mark.parametrize("samples", [32, 256, 1024])
def test_beads_predict_the_loss_under_a_delay(samples):
    loss = SpectralLoss(MSS((64,)), 1)
    for theta in draw(am_chirp, 4, seed=51):
        x = am_chirp(theta)
        measured = loss(x, delay(x, samples)) / (2 * loss(x, torch.zeros_like(x)))
        predicted = theory.mss_under_delay(theta, samples / 8192, 64)
        assert predicted == pytest.approx(measured.item(), abs=0.04)


def test_means_add_in_noise():
    """Thirty decibels below, noise moves the minimum of raw JTFS as predicted; of its root, hardly.

    (Were energies to add, the prediction would be a fifth of that.)
    """
    raw, generator = JTFS(2**15, oversampling=0.5), torch.Generator().manual_seed(5)
    theta = torch.tensor([8.0, 1.4])
    x, noise = am_chirp(theta), torch.randn(2**15, generator=generator)
    noise *= 10 ** (-30 / 20) / noise.norm()
    [match] = gauss_newton_all(am_chirp, raw, (x + noise)[None], theta[None])
    moved = (match.thetas[-1] / theta).log()[1].item()
    assert moved < -0.03
    assert theory.bias(theta, noise, raw)[1].item() == pytest.approx(moved, rel=0.35)
    assert abs(theory.bias(theta, noise, root_jtfs())[1].item()) < 0.2 * abs(moved)


@pytest.mark.parametrize("samples", [256, 1024])
def test_why_the_truth_loses_under_a_delay(samples):
    """As chapter 3 says: a slower chirp shares more with a late target, a faster one adds up to
    less.
    """
    one = torch.tensor([6.0, 2.0])
    target, right = MSS()(delay(am_chirp(one), samples)), MSS()(am_chirp(one))
    slower, faster = (MSS()(am_chirp(factor * one)) for factor in (0.85, 1.2))
    assert slower.minimum(target).sum() > right.minimum(target).sum()
    assert faster.sum() < right.sum()
