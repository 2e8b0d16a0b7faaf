"""What mathematics promises of operators, losses and solvers, on sounds drawn at random; and what
a training loop needs of every operator."""

import math
from functools import partial

import pytest
import torch
from frames import lipschitz_bound
from hypothesis import given, settings
from hypothesis import strategies as st
from operators import operators as all_operators

from utils.experiments.encoder import QuadraticCriterion
from utils.features.jtfs import JTFS
from utils.features.loss import SpectralLoss
from utils.features.rivals import TimeScattering
from utils.parameters import parameters_of
from utils.search.jacobian import features_and_jacobian
from utils.search.second_order import gauss_newton
from utils.synth import SAMPLE_RATE, am_chirp, delay, ripple

N = 2**11
SMALL = dict(J=6, Q=(4, 1), J_fr=2, Q_fr=1)
SCATTERING = {
    "global": JTFS(N, **SMALL),
    "odd length": JTFS(1501, **SMALL),
    "local T": JTFS(N, **SMALL, T=2**8),
    "local T and F": JTFS(N, **SMALL, T=2**7, F=4),
    "no F": JTFS(N, **SMALL, F=None),
}
OPERATORS = all_operators(N, J=6)
LEVELLED = {"MSS log", "MSS both", "log-mel", "JTFS, log", "JTFS, root", "transport"}
HOMOGENEOUS = set(OPERATORS) - LEVELLED
brief = partial(am_chirp, duration=N / SAMPLE_RATE)
operators = pytest.mark.parametrize("name", OPERATORS)


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
    """Two sounds are no farther apart in JTFS than the bound of its filters allows.

    It is not idle: tones, whose modulus is its own mean, come within a small factor of it.
    """
    op = SCATTERING[name]
    bound = lipschitz_bound(op)
    t = torch.arange(op.length, dtype=torch.float64)
    tones = [torch.sin(2 * math.pi * xi * t + 0.3) for xi in op.bank_1.xi]
    assert max(op(tone).norm() / tone.norm() for tone in tones) > bound / 5
    length = st.builds(sound, KINDS, SEEDS, LEVELS, st.just(op.length))

    @settings(max_examples=30)
    @given(length, length, st.floats(-9, 0))
    def hold(x, other, closeness):
        y = x + 10**closeness * (other - x)
        assert (op(x) - op(y)).norm() <= bound * (x - y).norm()

    hold()


BY_WIDTH = {
    T: JTFS(2**13, J=8, Q=(4, 1), J_fr=2, Q_fr=1, T=T) for T in (2**8, 2**10, 2**12, "global")
}


@settings(max_examples=12)
@given(st.sampled_from(["noise", "tone"]), SEEDS, st.integers(1, 2**8))
def test_invariance_to_delay_as_T_promises(kind, seed, samples):
    """A delay changes local features by at most half its share of T; global ones, next to nothing.

    A Gaussian low-pass filter of standard deviation 0.1 / T changes what comes in by at most
    2 pi 0.1 exp(-1/2) = 0.38 times the delay over T; measured here against what goes out. The
    event stands in the first half, between silence, so that padding repeats it whole.
    """
    event = sound(kind, seed, 1.0, 2**11) * torch.hann_window(2**11).double()
    x = torch.nn.functional.pad(event, (2**9, 2**13 - 2**11 - 2**9))
    for T, op in BY_WIDTH.items():
        change = (op(delay(x, samples)) - op(x)).norm() / op(x).norm()
        assert change <= (1e-3 if T == "global" else 0.5 * samples / T)


LOCAL = {T: JTFS(2**12, J=8, Q=(8, 1), J_fr=3, Q_fr=1, T=T) for T in (2**8, 2**9)}


@pytest.mark.parametrize("T", LOCAL)
@settings(max_examples=20)
@given(rate=st.floats(6, 16), carrier=st.floats(300, 700), tremolo=st.floats(4, 16), level=LEVELS)
def test_a_chirp_and_its_reversal_swap_spins(T, rate, carrier, tremolo, level):
    """Rates at which a chirp crosses octaves while a frame lasts; slower ones are tones."""
    op, paths = LOCAL[T], LOCAL[T].paths
    up, down = ((paths["order"] == 2) & (paths["spin"] == spin) for spin in (1, -1))
    theta = torch.tensor([tremolo, rate], dtype=torch.float64)
    x = level * am_chirp(theta, carrier=carrier, duration=0.5)
    forth, back = op(x), op(x.flip(-1))
    assert forth[up].norm() > 1.5 * forth[down].norm()
    assert back[down].norm() > 1.5 * back[up].norm()


SCALOGRAM = TimeScattering(2**12, J=8, Q=(8, 1))


def centre(hertz: float, harmonics: int, level: float) -> float:
    """The mean first-order wavelet that a harmonic sound meets, by its number."""
    t = torch.arange(2**12, dtype=torch.float64) / SAMPLE_RATE
    x = sum(torch.sin(2 * math.pi * k * hertz * t) / k for k in range(1, harmonics + 1))
    energy = SCALOGRAM(level * x)[SCALOGRAM.paths["order"] == 1].square()
    return ((energy * torch.arange(len(energy))).sum() / energy.sum()).item()


@settings(max_examples=30)
@given(st.floats(400, 800), st.integers(1, 2), st.integers(-4, 4), LEVELS)
def test_transposition_moves_along_log_frequency(hertz, harmonics, steps, level):
    """By as many first-order wavelets as it has steps of an octave divided by Q."""
    moved = centre(hertz, harmonics, level) - centre(hertz * 2 ** (steps / 8), harmonics, level)
    assert moved == pytest.approx(steps, abs=0.2)


@pytest.mark.parametrize("p", [1, 2])
@operators
@settings(max_examples=15)
@given(x=SOUNDS, y=SOUNDS, z=SOUNDS)
def test_a_loss_is_a_distance(name, p, x, y, z):
    """Zero on equal sounds, as its gradient; symmetric; no way is shorter than the straight one."""
    loss = SpectralLoss(OPERATORS[name], p)
    xy, yx, yz, xz = loss(x, y), loss(y, x), loss(y, z), loss(x, z)
    leaf = x.clone().requires_grad_()
    nothing = loss(leaf, x)
    assert nothing == 0 and not torch.autograd.grad(nothing, leaf)[0].any()
    assert xy >= 0
    torch.testing.assert_close(xy, yx)
    assert xz <= (xy + yz) * (1 + 1e-9)


@pytest.mark.parametrize("name", sorted(HOMOGENEOUS))
@settings(max_examples=20)
@given(x=SOUNDS, factor=LEVELS)
def test_homogeneity(name, x, factor):
    """A sound so many times louder has features so many times larger, whatever its sign."""
    phi, signed = OPERATORS[name], -factor if name != "waveform" else factor
    torch.testing.assert_close(phi(signed * x), factor * phi(x), rtol=1e-6, atol=1e-12 * factor)


@operators
@settings(max_examples=15)
@given(sounds=st.lists(SOUNDS, min_size=1, max_size=4), random=st.randoms(use_true_random=False))
def test_order_and_size_of_a_batch_do_not_matter(name, sounds, random):
    phi, x, order = OPERATORS[name], torch.stack(sounds), list(range(len(sounds)))
    random.shuffle(order)
    features = phi(x)
    close = partial(torch.testing.assert_close, rtol=1e-7, atol=1e-14 * x.abs().max().item())
    close(phi(x[order]), features[order])
    for each, one in zip(sounds, features, strict=True):
        close(phi(each), one)
        close(phi(each[None])[0], one)


@pytest.mark.parametrize("name", ["MSS", "JTFS", "JTFS, local", "modulation spectrum"])
@settings(max_examples=8)
@given(truth=THETAS, start=THETAS, samples=st.sampled_from([0, 64]))
def test_an_accepted_step_never_goes_up(name, truth, start, samples):
    phi, target = OPERATORS[name], delay(brief(truth), samples)
    match = gauss_newton(brief, phi, target, start, steps=6)
    assert (match.losses.diff() < 0).all()
    again = (phi(brief(match.thetas)) - phi(target)).square().sum(-1)
    torch.testing.assert_close(match.losses, again, rtol=1e-5, atol=1e-20)


@operators
def test_both_modes_of_differentiation_agree(name):
    phi, theta = OPERATORS[name], torch.tensor([8.0, 2.0], dtype=torch.float64)
    features, jacobian = features_and_jacobian(brief, phi, theta)
    candidate = theta.clone().requires_grad_()
    weights = torch.randn(len(features), generator=torch.Generator().manual_seed(0)).double()
    (phi(brief(candidate)) @ weights).backward()
    torch.testing.assert_close(features, phi(brief(theta)))
    torch.testing.assert_close(weights @ jacobian, candidate.grad, rtol=1e-5, atol=0)


NOISE = torch.randn(3, N, generator=torch.Generator().manual_seed(0))
THETA, FORMS = torch.tensor([[4.0, 0.7], [6.0, 1.0]]), torch.ones(2, 2, 2)


FADE = torch.linspace(-20, 20, N)
VANISHING = {
    "silence": torch.zeros(N),
    "subnormal": torch.full((N,), 1e-41),
    "constant": torch.ones(N),
    "click": torch.eye(N)[N // 2],
    "a tail that fades": torch.exp(-(FADE**2)) * torch.cos(700 * FADE),  # torch.abs gave NaN
}


@pytest.mark.parametrize("kind", VANISHING)
@operators
def test_finite_where_a_modulus_vanishes(name, kind):
    """In both modes of differentiation; and zero where all is silent."""
    op, x = OPERATORS[name], VANISHING[kind].clone().requires_grad_()
    features, ones = op(x), torch.ones(1, N)
    found = [features, *torch.autograd.grad(features.sum(), x)]
    found += torch.func.jvp(op, (x.detach(),), (ones[0],))
    if hasattr(op, "push_forward"):
        found += op.push_forward(x.detach(), ones)
    assert all(each.isfinite().all() for each in found)
    if kind in ("silence", "subnormal") and name in HOMOGENEOUS - {"waveform"}:
        assert not any(each.any() for each in found)


@pytest.mark.filterwarnings("ignore:.*performance")  # of `vmap` over torch's own operations
@operators
def test_a_nan_is_passed_on(name):
    """Also where no value can be looked at, inside `vmap`."""
    op, lost = OPERATORS[name], torch.full((2, N), math.nan)
    assert op(lost).isnan().all()
    assert torch.func.vmap(op)(lost).isnan().all()
    one = NOISE.clone()
    one[0, 100] = math.nan
    assert op(one)[0].isnan().any()
    torch.testing.assert_close(op(one)[1:], op(NOISE[1:]))


FUNCTIONS = {name: (op, NOISE) for name, op in OPERATORS.items()} | {
    "am_chirp": (brief, THETA),
    "ripple": (partial(ripple, duration=0.6), THETA),
    "quadratic criterion": (
        partial(QuadraticCriterion(THETA, FORMS), indices=torch.arange(2)),
        THETA.flip(0),
    ),
}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_autocast_changes_no_value_and_no_gradient(name, dtype):
    """Around the forward pass, the backward pass, or both."""
    op, inputs = FUNCTIONS[name]

    def value_and_gradient(forward, backward):
        leaf = inputs.clone().requires_grad_()
        with torch.autocast("cpu", dtype=dtype, enabled=forward):
            value = op(leaf)
            total = (value * torch.linspace(0, 1, value.numel()).view_as(value)).sum()
        with torch.autocast("cpu", dtype=dtype, enabled=backward):
            total.backward()
        return value.detach(), leaf.grad

    wanted = value_and_gradient(False, False)
    for where in ((True, False), (False, True), (True, True)):
        torch.testing.assert_close(value_and_gradient(*where), wanted, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["JTFS", "JTFS, local", "JTFS, log", "time scattering"])
def test_autocast_changes_no_push_forward(name):
    op, tangents = OPERATORS[name], NOISE.flip(0)[None]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        pushed = op.push_forward(NOISE, tangents)
    torch.testing.assert_close(pushed, op.push_forward(NOISE, tangents), rtol=0, atol=0)
