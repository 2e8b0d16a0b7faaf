"""The encoder, its criteria, its training, and that the record of chapter 7 repeats."""

import itertools
import random
from functools import partial

import pytest
import torch

from utils.experiments import training
from utils.experiments.encoder import (
    AlignedCriterion,
    Encoder,
    QuadraticCriterion,
    SoundCriterion,
    train,
)
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.parameters import Parameter, draw, parameters, parameters_of
from utils.search.jacobian import quadratic_forms
from utils.synth import am_chirp, delay

short = partial(am_chirp, duration=0.5)
THETAS = draw(am_chirp, 6, seed=3)
RANGES = torch.tensor([(one.low, one.high) for one in parameters_of(am_chirp)])


@pytest.fixture(scope="module")
def sounds():
    return short(THETAS)


def test_predictions_lie_in_range_whatever_the_sound(sounds):
    encoder = Encoder(am_chirp)
    for x in (sounds, torch.zeros(2, 4096), 1e6 * sounds, sounds.expand(2, 6, -1)):
        predicted = encoder(x)
        assert predicted.shape == (*x.shape[:-1], 2)
        assert (predicted > RANGES[:, 0]).all() and (predicted < RANGES[:, 1]).all()


def test_a_linear_parameter_may_have_either_sign(sounds):
    @parameters(Parameter("chirp rate", "\\gamma", "octaves/s", -4.0, 4.0, "linear"))
    def either(theta):
        return theta

    predicted = Encoder(either)(sounds)
    assert predicted.shape == (6, 1) and predicted.abs().max() < 4


def test_a_batch_is_its_sounds_one_by_one(sounds):
    encoder = Encoder(am_chirp)
    torch.testing.assert_close(encoder(sounds), torch.stack([encoder(x) for x in sounds]))


def test_level_changes_nothing(sounds):
    encoder = Encoder(am_chirp)
    torch.testing.assert_close(encoder(sounds), encoder(7 * sounds), rtol=1e-3, atol=0)


def test_silence_has_finite_gradients():
    encoder = Encoder(am_chirp)
    encoder(torch.zeros(1, 4096)).sum().backward()
    assert all(w.grad.isfinite().all() for w in encoder.parameters())


def test_weights_follow_the_seed_and_leave_other_draws_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = Encoder(am_chirp, 1), Encoder(am_chirp, 1), Encoder(am_chirp, 2)
    assert torch.equal(torch.rand(3), expected)
    weights = [next(encoder.parameters()) for encoder in (one, same, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def powers(theta):
    """Features whose Jacobian with respect to log-parameters is known."""
    return torch.stack([theta[..., 0], theta[..., 0] ** 2 * theta[..., 1]], dim=-1)


def test_the_quadratic_form_is_the_loss_near_the_truth():
    """Equation 1 of chapter 7: what is left is of third order."""
    thetas = torch.tensor([[2.0, 3.0]]).double()
    form = QuadraticCriterion(thetas, quadratic_forms(powers, lambda x: x, thetas))
    left = []
    for size in (1e-2, 1e-3):
        predicted = thetas * torch.tensor([[1.0, -0.5]]).double().mul(size).exp()
        true = (powers(predicted) - powers(thetas)).square().sum()
        left.append((true - form(predicted, torch.tensor([0]))).abs().item())
    assert left[1] < 2e-3 * left[0]


def test_a_criterion_of_sounds_compares_sounds(sounds):
    everything = torch.arange(len(THETAS))
    loss = SpectralLoss(MSS(), p=1)
    assert SoundCriterion(short, loss, sounds)(THETAS, everything) == pytest.approx(0, abs=1e-7)
    late = torch.stack([delay(x, 2**k) for k, x in enumerate(sounds)])
    missed = SoundCriterion(short, loss, late)(THETAS, everything)
    assert missed > 0
    assert AlignedCriterion(short, loss, late)(THETAS, everything) < 0.01 * missed


def trained(sounds, criterion=None, **options):
    criterion = criterion or QuadraticCriterion(THETAS, torch.eye(2).expand(len(THETAS), 2, 2))
    encoder = Encoder(am_chirp)
    adam = torch.optim.Adam(encoder.parameters(), lr=2e-3)
    return train(encoder, adam, criterion, sounds, (THETAS, sounds), **options)


def test_training_learns_a_few_sounds_by_heart(sounds):
    done = trained(sounds, steps=100, every=50)
    assert done.steps == [0, 1, 50, 100]
    assert done.errors[-1] < 0.3 * done.errors[0]
    assert (done.predicted / THETAS - 1).abs().amax(-1).median() == pytest.approx(done.errors[-1])


def test_a_criterion_that_is_not_finite_is_refused(sounds):
    with pytest.raises(ValueError, match="criterion is nan; expected a finite number"):
        trained(sounds, lambda *_: torch.tensor(torch.nan), steps=1, every=1)


@pytest.mark.parametrize("name", training.CRITERIA)
def test_the_record_repeats(name):
    """A training drawn at random begins as the record says, to what rounding leaves."""
    _, rows = training.read()
    kept = random.Random(name).choice(training.finished(rows, name, "unaligned"))
    done = training.train_encoder(name, kept.task, kept.seed, kept.step_size, steps=1)
    assert done.steps == kept.steps[:2]
    assert done.errors == pytest.approx(kept.errors[:2], rel=5e-3)


def test_every_criterion_has_the_same_seeds_and_the_step_size_of_its_trials():
    made, rows = training.read()
    seeds = [one.seed for one in training.finished(rows, "JTFS", "aligned")]
    assert seeds and seeds == list(range(len(seeds)))
    assert made["longer"].keys() == training.LONGER.keys()
    longer = {len(ends[task]) for ends in made["longer"].values() for task in ends}
    assert len(longer) == 1 and 3 <= min(longer) <= len(seeds)
    for name, task in itertools.product(training.CRITERIA, training.MAX_DELAY):
        done = training.finished(rows, name, task)
        assert [one.seed for one in done] == seeds
        assert {one.step_size for one in done} == {training.step_size(rows, name, task)}
        assert not training.trials(rows, name, task)
