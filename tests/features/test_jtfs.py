"""JTFS against the reference, against itself oversampled, and in every mode of differentiation."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from kymatio.scattering1d.frontend.numpy_frontend import ScatteringNumPy1D
from reference import as_means, reference_outputs

from utils.features import jtfs as module
from utils.features import wavelets
from utils.features.jtfs import JTFS
from utils.features.rivals import TimeScattering

SETTINGS = {
    "global": dict(length=2048, J=7, Q=(8, 2), J_fr=3, Q_fr=2, T="global", F="global"),
    "odd length": dict(length=1501, J=7, Q=(8, 1), J_fr=4, Q_fr=1, T="global", F="global"),
    "no F": dict(length=1024, J=6, Q=(12, 1), J_fr=4, Q_fr=2, T="global", F=None),
    "local F": dict(length=1024, J=6, Q=(8, 1), J_fr=3, Q_fr=1, T="global", F=8),
    "local T": dict(length=2500, J=7, Q=(8, 2), J_fr=3, Q_fr=1, T=128, F="global"),
    "local T and F": dict(length=2048, J=7, Q=(6, 1), J_fr=4, Q_fr=2, T=256, F=8),
    "local T, no F": dict(length=2048, J=6, Q=(8, 2), J_fr=3, Q_fr=2, T=150, F=None),
    "long scales": dict(length=4096, J=9, Q=(4, 2), J_fr=2, Q_fr=1, T="global", F="global"),
    "one wavelet per octave": dict(length=3000, J=7, Q=(1, 1), J_fr=2, Q_fr=1, T="global", F=4),
}
SMALL = dict(J=6, Q=(4, 1), J_fr=2, Q_fr=1)
NAMES = ("noise", "chirp", "click", "harmonic", "beating", "decaying", "lone note")


def stack(N):
    """Signals of these names: (7, N)"""
    n = np.arange(N)
    t = n / N
    tones = [
        np.sin(2 * np.pi * 0.005 * N * (2 ** (6 * t) - 1) / (6 * np.log(2))),
        n == N // 3,
        sum(np.sin(2 * np.pi * k * 0.01 * n) / k for k in range(1, 25)),
        np.sin(2 * np.pi * 0.1 * n) + np.sin(2 * np.pi * 0.102 * n),
        np.sin(2 * np.pi * 0.03 * n) * np.exp(-12 * (t % 0.5)),
        np.where((t > 0.6) & (t < 0.7), np.sin(2 * np.pi * 0.05 * n), 0.0),
    ]
    return torch.from_numpy(np.stack([np.random.default_rng(0).standard_normal(N), *tones])).float()


def relative(error, truth):
    return float(np.linalg.norm(error) / np.linalg.norm(truth))


def worst_path(error, truth):
    """Largest relative error among the outputs above 1 % of the largest."""
    matters = truth > 0.01 * truth.max()
    return float((abs(error[matters]) / truth[matters]).max())


@pytest.fixture(scope="session")
def reference():
    jobs = [(settings, stack(settings["length"]).numpy()) for settings in SETTINGS.values()]
    return dict(zip(SETTINGS, reference_outputs(jobs), strict=True))


@pytest.mark.parametrize("name", SETTINGS)
def test_agrees_with_the_reference(name, reference):
    op = JTFS(**SETTINGS[name])
    ours = op(stack(op.length)).numpy()
    theirs = as_means(op, reference[name][0])
    known = ~np.isnan(theirs[0])
    assert known.mean() > 0.9
    for signal, y, r in zip(NAMES, ours[:, known], theirs[:, known], strict=True):
        assert relative(y - r, r) < 4e-4, signal
        assert worst_path(y - r, r) < 0.01, signal
        for order in (1, 2):
            rows = op.paths["order"][known] == order
            assert relative((y - r)[rows], r[rows]) < 1e-3, (signal, order)


@pytest.mark.parametrize("name", SETTINGS)
def test_paths_are_the_references_in_its_order(name, reference):
    op = JTFS(**SETTINGS[name])
    paths, (bank_1, bank_2, bank_fr) = reference[name]
    theirs = list(dict.fromkeys(key[1:] for key in paths))
    rows = op.paths
    ours = [(p["n_fr"],) if p["order"] == 1 else (p["n2"], p["n_fr"]) for p in rows]
    assert list(dict.fromkeys(ours)) == theirs
    assert len(rows) == op(torch.ones(op.length)).numel()
    for index, axis, bank in (("n1", "1", bank_1), ("n2", "2", bank_2), ("n_fr", "fr", bank_fr)):
        named = rows[rows[index] >= 0]
        for i, field in enumerate(("xi", "sigma")):
            np.testing.assert_allclose(named[f"{field}_{axis}"], np.array(bank[i])[named[index]])
    assert set(rows["spin"][rows["order"] == 1]) == {0, 1}
    assert (np.sign(rows["xi_fr"]) == rows["spin"]).all()


def test_converges_as_sampling_grows():
    """The error against eight times the samples falls, and is small from the start."""
    x = stack(2048)
    truth, plain, fine = (JTFS(**SETTINGS["global"], oversampling=o)(x).numpy() for o in (8, 1, 2))
    order = JTFS(**SETTINGS["global"]).paths["order"]
    for signal, t, y, f in zip(NAMES, truth, plain, fine, strict=True):
        assert relative(f - t, t) < max(relative(y - t, t), 1e-5), signal
        assert worst_path(y - t, t) < 0.005 and worst_path(f - t, t) < 0.002, signal
        for n, bound in ((1, 1e-4), (2, 5e-4)):
            assert relative((y - t)[order == n], t[order == n]) < bound, (signal, n)


@pytest.mark.filterwarnings("ignore:Signal support")
def test_time_scattering_is_the_released_kymatios():
    """Kymatio 0.3.0 averages where it subsamples a filter: its first order is 2**j1 too small, by
    its low-pass filter, its second 2**j2 and 2**j1 more."""
    op = TimeScattering(4096, J=7, Q=(8, 1), T=128)
    x = stack(4096)
    released = ScatteringNumPy1D(7, 4096, (8, 1), T=128, max_order=2, out_type="list")(x.numpy())
    theirs = {p["n"]: p["coef"] * 2 ** sum(p["j"]) for p in released}
    paths = op.paths[:: op.frames]
    keys = [(p["n1"],) if p["order"] == 1 else (p["n1"], p["n2"]) for p in paths]
    ours = op(x).numpy().reshape(len(x), len(keys), -1)
    for order, bound in ((1, 1e-4), (2, 1e-3)):
        y = ours[:, paths["order"] == order]
        r = np.stack([theirs[key] for key in keys if len(key) == order], axis=1)
        assert relative(y - r, r) < bound, order


AVERAGES = [dict(), dict(T=16, F=2), dict(T=8, F=None)]


def tiny(average):
    """An operator, two sounds, and three tangents of each."""
    generator = torch.Generator().manual_seed(1)
    x, *tangents = torch.randn(4, 2, 24, dtype=torch.float64, generator=generator)
    return JTFS(24, J=3, Q=(2, 1), J_fr=1, Q_fr=1, **average), x, torch.stack(tangents)


@pytest.mark.parametrize("average", AVERAGES)
def test_gradcheck(average):
    op, x, _ = tiny(average)
    assert torch.autograd.gradcheck(op, (x.requires_grad_(),), check_forward_ad=True)


@pytest.mark.parametrize("average", AVERAGES)
def test_vmap_over_sounds_and_directions(average):
    op, x, tangents = tiny(average)
    leaf = x.clone().requires_grad_()
    op(leaf).sum().backward()
    torch.testing.assert_close(torch.func.vmap(op)(x), op(x))
    per_sound = torch.func.vmap(torch.func.grad(lambda x: op(x).sum()))
    torch.testing.assert_close(per_sound(x), leaf.grad)

    def along(x, tangent):
        return torch.func.jvp(op, (x,), (tangent,))[1]

    expected = torch.stack([along(x, tangent) for tangent in tangents])
    for inner in (along, torch.func.vmap(along)):
        found = torch.func.vmap(inner, (None, 0))(x, tangents)
        torch.testing.assert_close(found, expected)
    _, pull = torch.func.vjp(op, x)
    weights = torch.stack([torch.ones_like(op(x)), op(x)])
    pulled = torch.func.vmap(pull)(weights)[0]
    torch.testing.assert_close(pulled, torch.stack([pull(one)[0] for one in weights]))


@pytest.mark.parametrize("average", AVERAGES)
def test_push_forward_is_the_derivative(average):
    op, x, v = tiny(average)
    for point, tangents in ((x, v), (x[0], v[:1, 0]), (x[:, None], v[:, :, None])):
        value, derivatives = op.push_forward(point, tangents)
        torch.testing.assert_close(value, op(point))
        expected = [torch.func.jvp(op, (point,), (tangent,))[1] for tangent in tangents]
        torch.testing.assert_close(derivatives, torch.stack(expected))


def test_second_derivatives_are_refused_not_wrong():
    op = JTFS(1000, **SMALL)
    x = torch.ones(1000, requires_grad=True)
    (gradient,) = torch.autograd.grad(op(x).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="first derivatives only"):
        gradient.sum().backward()
    for pushed in op.push_forward(x, torch.ones(1, 1000)):
        with pytest.raises(RuntimeError, match="first derivatives only"):
            pushed[..., -1].sum().backward(retain_graph=True)


@pytest.mark.parametrize("average", [dict(), dict(T=4, F=4)])
def test_shapes_dtypes_and_devices(average):
    op = JTFS(1000, **SMALL, **average)
    x = torch.randn(2, 3, 1000, generator=torch.Generator().manual_seed(2))
    y, double = op(x), op(x.double())
    assert y.shape == (2, 3, len(op.paths))
    assert y.dtype == torch.float32 and double.dtype == torch.float64
    torch.testing.assert_close(op(x[1, 2]), y[1, 2])
    torch.testing.assert_close(double.float(), y, rtol=1e-4, atol=1e-6)
    assert op.to(torch.float64)(x).dtype == torch.float32
    assert op.to("meta")(x.to("meta")).device.type == "meta"
    assert not op.state_dict()  # filters are settings, not learnt


def test_table_in_hz_and_cycles_per_octave():
    op = JTFS(4096, J=7, Q=(8, 1), J_fr=3, Q_fr=1, T=256, F=None)
    plain, table = op.paths, op.table(sample_rate=8192)
    np.testing.assert_allclose(table["xi_1"], plain["xi_1"] * 8192)
    np.testing.assert_allclose(table["sigma_2"], plain["sigma_2"] * 8192)
    np.testing.assert_allclose(table["xi_fr"], plain["xi_fr"] * 8)
    np.testing.assert_allclose(table["time"] * 8192, plain["time"])
    assert 0 <= plain["time"].min() < 256 and plain["time"].max() < 4096
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(4096) / 8192)
    rows = (table["order"] == 1) & (table["spin"] == 0)
    loudest = table[rows][op(tone).numpy()[rows].argmax()]
    assert abs(np.log2(loudest["xi_1"] / 1000)) < 0.75


@pytest.mark.parametrize(
    "length, J, Q, J_fr",
    [(2, 1, (1, 1), 1), (8, 3, (1, 1), 1), (40, 5, (8, 4), 4), (150, 7, (3, 3), 2)],
)
@pytest.mark.parametrize("T", ["global", 1, 2])
@pytest.mark.parametrize("F", ["global", None, 1, 2])
def test_small_and_odd_settings(length, J, Q, J_fr, T, F):
    op = JTFS(length, J=J, Q=Q, J_fr=J_fr, Q_fr=1, T=T, F=F)
    y = op(torch.randn(2, length, generator=torch.Generator().manual_seed(3)))
    assert y.shape == (2, len(op.paths)) and y.isfinite().all() and (y > -1e-6).all()


@pytest.mark.parametrize("M, T, block", [(512, 100, 64), (448, 256, 512), (600, 1024, 100)])
def test_time_average_is_a_lowpass_filter(M, T, block):
    """Weights, put back at the frames they reach, against the filter applied by FFT."""
    N, first, frames = 1024, 2, min(9, 1024 // T)
    weights, starts = wavelets.time_average(M, N, T, first, frames, block)
    whole = np.zeros((M, frames))
    for m in range(M):
        start = starts[m // block]
        whole[m, start : start + weights.shape[1]] = weights[m]
    time = np.arange(M) / M
    signal = 1 + np.cos(2 * np.pi * 3 * time + 1) + np.sin(2 * np.pi * time)
    phi = wavelets.lowpass_band(N, T)
    frame = (first + np.arange(frames)) * 2 ** int(np.log2(T)) / N
    expected = 1 + phi[3] * np.cos(2 * np.pi * 3 * frame + 1) + phi[1] * np.sin(2 * np.pi * frame)
    np.testing.assert_allclose(signal @ whole, expected, atol=1e-4)


SCRIPT = """
import torch
from jtfs import JTFS

op = JTFS(11025, J=9, Q=(8, 1), J_fr=3, Q_fr=1)
sound = torch.sin(0.3 * torch.arange(11025)).requires_grad_()
op(sound).sum().backward()
assert sound.grad.any() and len(op.table(44100)) == op(sound).numel()
"""


def test_two_files_work_in_an_empty_project(tmp_path):
    for name in ("jtfs.py", "wavelets.py"):
        shutil.copy(Path(module.__file__).parent / name, tmp_path)
    command = [sys.executable, "-W", "error", "-c", SCRIPT]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
