"""What mathematics promises of the operators, losses and solvers, on sounds drawn at random."""

import math
from functools import partial

import pytest
import torch
from frames import lipschitz_bound
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from utils.features import rivals as baselines
from utils.features.jtfs import JTFS
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.search.landscape import survey
from utils.search.match import gauss_newton
from utils.synth import SAMPLE_RATE, am_chirp, delay, parameters_of

N = 2**11
SMALL = dict(J=6, Q=(4, 1), J_fr=2, Q_fr=1)
SCATTERING = {
    "global": JTFS(N, **SMALL),
    "odd length": JTFS(1501, **SMALL),
    "local T": JTFS(N, **SMALL, T=2**8),
    "local T and F": JTFS(N, **SMALL, T=2**7, F=4),
    "no F": JTFS(N, **SMALL, F=None),
}
OPERATORS = {
    "MSS linear": MSS((256, 64)),
    "MSS log": MSS((256, 64), "log"),
    "JTFS": SCATTERING["global"],
    "JTFS, local": SCATTERING["local T and F"],
    "time scattering": baselines.TimeScattering(N, J=6, Q=(4, 1)),
    "waveform": baselines.Waveform(),
    "average spectrum": baselines.AverageSpectrum(256),
    "modulation spectrum": baselines.ModulationSpectrum(256),
    "quantiles": baselines.Quantiles(256, 8),
}
HOMOGENEOUS = set(OPERATORS) - {"MSS log", "quantiles"}
brief = partial(am_chirp, duration=N / SAMPLE_RATE)


def check(tries: int):
    """Decorate a property with how many draws it is tried on, the same ones each time."""
    return settings(
        max_examples=tries,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def sound(kind: str, seed: int, level: float, length: int = N) -> torch.Tensor:
    """A random sound (length,) in double precision, of a given peak."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(length, generator=generator, dtype=torch.float64)
    if kind == "tone":
        octaves, phase = torch.rand(2, generator=generator, dtype=torch.float64)
        hertz = 200 * 2 ** (4 * octaves)
        noise = torch.sin(2 * math.pi * (hertz * torch.arange(length) / SAMPLE_RATE + phase))
    if kind == "clicks":
        noise = torch.where(noise > 3, noise, 0.0)
        noise[seed % length] = 1.0
    return level * noise / noise.abs().max()


KINDS = st.sampled_from(["noise", "tone", "clicks"])
SEEDS = st.integers(0, 2**31)
LEVELS = st.floats(-6, 6).map(lambda exponent: 10**exponent)
SOUNDS = st.builds(sound, KINDS, SEEDS, LEVELS)
THETAS = st.tuples(*(st.floats(each.low, each.high) for each in parameters_of(am_chirp))).map(
    partial(torch.tensor, dtype=torch.float64)
)


@pytest.mark.parametrize("name", SCATTERING)
def test_lipschitz_bound(name):
    """Two sounds are no farther apart in JTFS than the bound of its filters allows."""
    op = SCATTERING[name]
    bound = lipschitz_bound(op)
    length = st.builds(sound, KINDS, SEEDS, LEVELS, st.just(op.length))

    @check(30)
    @given(length, length, st.floats(-9, 0))
    def hold(x, other, closeness):
        y = x + 10**closeness * (other - x)
        assert (op(x) - op(y)).norm() <= bound * (x - y).norm()

    hold()


@pytest.mark.parametrize("name", SCATTERING)
def test_lipschitz_bound_is_not_idle(name):
    """Tones come within a small factor of it, against silence: their modulus is its own mean."""
    op = SCATTERING[name]
    t = torch.arange(op.length, dtype=torch.float64)
    tones = [torch.sin(2 * math.pi * xi * t + 0.3) for xi in op.bank_1.xi]
    reached = max((op(tone).norm() / tone.norm()).item() for tone in tones)
    assert reached > lipschitz_bound(op) / 5


def early(kind: str, seed: int, length: int = 2**13) -> torch.Tensor:
    """A random sound in the first half, between silence, so that padding repeats it whole."""
    event = sound(kind, seed, 1.0, length // 4) * torch.hann_window(length // 4).double()
    return torch.nn.functional.pad(event, (length // 16, length - length // 16 - len(event)))


LONG = dict(J=8, Q=(4, 1), J_fr=2, Q_fr=1)
BY_WIDTH = {T: JTFS(2**13, **LONG, T=T) for T in (2**8, 2**10, 2**12, "global")}


def test_invariance_to_delay_as_T_promises():
    """A delay changes local features by at most half its share of T; global ones, next to nothing.

    A Gaussian low-pass filter of standard deviation 0.1 / T changes what comes in by at most
    2 pi 0.1 exp(-1/2) = 0.38 times the delay over T; measured here against what goes out.
    """

    @check(12)
    @given(st.sampled_from(["noise", "tone"]), SEEDS, st.integers(1, 2**8))
    def hold(kind, seed, samples):
        x = early(kind, seed)
        for T, op in BY_WIDTH.items():
            change = (op(delay(x, samples)) - op(x)).norm() / op(x).norm()
            assert change <= (1e-3 if T == "global" else 0.5 * samples / T)

    hold()


@pytest.mark.parametrize("T", [2**8, 2**9])
def test_a_chirp_and_its_reversal_swap_spins(T):
    op = JTFS(2**12, J=8, Q=(8, 1), J_fr=3, Q_fr=1, T=T)
    paths = op.paths
    up, down = ((paths["order"] == 2) & (paths["spin"] == spin) for spin in (1, -1))

    @check(20)
    @given(st.floats(6, 16), st.floats(300, 700), st.floats(4, 16), LEVELS)
    def hold(rate, carrier, tremolo, level):
        """Rates at which a chirp crosses octaves while a frame lasts; slower ones are tones."""
        theta = torch.tensor([tremolo, rate], dtype=torch.float64)
        x = level * am_chirp(theta, carrier=carrier, duration=0.5)
        forth, back = op(x), op(x.flip(-1))
        assert forth[up].norm() > 1.5 * forth[down].norm()
        assert back[down].norm() > 1.5 * back[up].norm()

    hold()


def test_transposition_moves_along_log_frequency():
    """By as many first-order wavelets as it has steps of an octave divided by Q."""
    Q = 8
    op = baselines.TimeScattering(2**12, J=8, Q=(Q, 1))
    first = torch.from_numpy(op.paths["order"] == 1)
    place = torch.arange(int(first.sum()), dtype=torch.float64)

    def centre(hertz: float, harmonics: int, level: float) -> float:
        t = torch.arange(2**12, dtype=torch.float64) / SAMPLE_RATE
        x = sum(torch.sin(2 * math.pi * k * hertz * t) / k for k in range(1, harmonics + 1))
        energy = op(level * x)[first].square()
        return ((energy * place).sum() / energy.sum()).item()

    @check(30)
    @given(st.floats(400, 800), st.integers(1, 2), st.integers(-4, 4), LEVELS)
    def hold(hertz, harmonics, steps, level):
        moved = centre(hertz, harmonics, level) - centre(hertz * 2 ** (steps / Q), harmonics, level)
        assert moved == pytest.approx(steps, abs=0.2)

    hold()


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("name", OPERATORS)
def test_a_loss_is_a_distance(name, p):
    """Zero on equal sounds, symmetric, and no way is shorter than the straight one."""
    loss = SpectralLoss(OPERATORS[name], p)

    @check(15)
    @given(SOUNDS, SOUNDS, SOUNDS)
    def hold(x, y, z):
        xy, yx, yz, xz = loss(x, y), loss(y, x), loss(y, z), loss(x, z)
        assert loss(x, x.clone()) == 0
        assert xy >= 0
        torch.testing.assert_close(xy, yx)
        assert xz <= (xy + yz) * (1 + 1e-9)

    hold()


@pytest.mark.parametrize("name", sorted(HOMOGENEOUS))
def test_homogeneity(name):
    """A sound so many times louder has features so many times larger, whatever its sign."""
    phi = OPERATORS[name]

    @check(20)
    @given(SOUNDS, LEVELS)
    def hold(x, factor):
        signed = -factor if name != "waveform" else factor
        torch.testing.assert_close(phi(signed * x), factor * phi(x), rtol=1e-6, atol=1e-12 * factor)

    hold()


@pytest.mark.parametrize("name", OPERATORS)
def test_order_and_size_of_a_batch_do_not_matter(name):
    phi = OPERATORS[name]

    @check(15)
    @given(st.lists(SOUNDS, min_size=1, max_size=4), st.randoms(use_true_random=False))
    def hold(sounds, random):
        x, order = torch.stack(sounds), list(range(len(sounds)))
        random.shuffle(order)
        features = phi(x)
        close = partial(torch.testing.assert_close, rtol=1e-7, atol=1e-14 * x.abs().max().item())
        close(phi(x[order]), features[order])
        for each, one in zip(sounds, features, strict=True):
            close(phi(each), one)
            close(phi(each[None])[0], one)

    hold()


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("name", ["MSS linear", "JTFS", "JTFS, local"])
def test_surveyed_gradients_are_those_of_autograd(name, p):
    phi = OPERATORS[name]

    @check(10)
    @given(THETAS, THETAS, LEVELS)
    def hold(theta, truth, level):
        assume(level != 1 or not theta.equal(truth))  # on equal sounds a norm has no gradient
        target = level * brief(truth)
        value, gradient = survey(brief, phi, theta[None]).surface(phi(target), p)
        theta = theta.clone().requires_grad_()
        expected = SpectralLoss(phi, p)(brief(theta), target)
        expected.backward()
        torch.testing.assert_close(value[0], expected.detach())
        torch.testing.assert_close(gradient[0], theta.grad, rtol=1e-6, atol=1e-9 * value.item())

    hold()


@pytest.mark.parametrize("name", ["MSS linear", "JTFS", "JTFS, local", "modulation spectrum"])
def test_an_accepted_step_never_goes_up(name):
    phi = OPERATORS[name]

    @check(8)
    @given(THETAS, THETAS, st.sampled_from([0, 64]))
    def hold(truth, start, samples):
        target = delay(brief(truth), samples)
        match = gauss_newton(brief, phi, target, start, steps=6)
        assert (match.losses.diff() < 0).all()
        again = (phi(brief(match.thetas)) - phi(target)).square().sum(-1)
        torch.testing.assert_close(match.losses, again, rtol=1e-5, atol=1e-20)

    hold()
