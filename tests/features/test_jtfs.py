"""JTFS against the reference, against itself oversampled, and in every mode of differentiation."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from kymatio.scattering1d.frontend.numpy_frontend import ScatteringNumPy1D
from reference import as_means, reference_outputs, relative, worst_path
from signals import signals

from utils.features import jtfs as module
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
NAMES = list(signals(2048))
SMALL = dict(J=6, Q=(4, 1), J_fr=2, Q_fr=1)


def stack(length):
    return torch.from_numpy(np.stack(list(signals(length).values()))).float()


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


@pytest.mark.parametrize("average", [dict(), dict(T=100, F=4), dict(T=32, F=None)])
def test_modes_of_differentiation_agree(average):
    op = JTFS(300, **{**SMALL, "J": 4}, **average)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 300, dtype=torch.float64, generator=generator)
    v = torch.randn(3, 300, dtype=torch.float64, generator=generator)

    def along(x, v):
        return torch.func.jvp(op, (x,), (v,))[1]

    y, tangent = torch.func.jvp(op, (x[0],), (v[0],))
    torch.testing.assert_close(y, op(x)[0])
    w = torch.randn(y.shape, dtype=torch.float64, generator=generator)
    gradient = torch.func.vjp(op, x[0])[1](w)[0]
    torch.testing.assert_close((gradient * v[0]).sum(), (tangent * w).sum())
    leaf = x.clone().requires_grad_()
    (op(leaf) * w).sum().backward()
    torch.testing.assert_close(leaf.grad[0], gradient)
    per_signal = torch.func.vmap(torch.func.grad(lambda x: (op(x) * w).sum()))(x)
    torch.testing.assert_close(per_signal, leaf.grad)

    one_by_one = torch.stack([torch.stack([along(p, t) for t in v]) for p in x])
    tangents = torch.func.vmap(torch.func.vmap(along, (None, 0)), (0, None))(x, v)
    torch.testing.assert_close(tangents, one_by_one)
    points = torch.func.vmap(torch.func.vmap(along, (0, None)), (None, 0))(x, v)
    torch.testing.assert_close(points, one_by_one.transpose(0, 1))
    torch.testing.assert_close(torch.func.vmap(op)(x), op(x))


@pytest.mark.parametrize("average", [dict(), dict(T=100, F=4), dict(T=32, F=None)])
@pytest.mark.parametrize("batch", [(), (3,), (2, 1)])
@pytest.mark.parametrize("K", [1, 2])
def test_push_forward_is_the_derivative(average, batch, K):
    op = JTFS(300, **{**SMALL, "J": 4}, **average)
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(*batch, 300, dtype=torch.float64, generator=generator)
    tangents = torch.randn(K, *x.shape, dtype=torch.float64, generator=generator)
    value, derivatives = op.push_forward(x, tangents)
    torch.testing.assert_close(value, op(x))
    assert derivatives.shape == (K, *value.shape)
    for tangent, found in zip(tangents, derivatives, strict=True):
        torch.testing.assert_close(found, torch.func.jvp(op, (x,), (tangent,))[1])


@pytest.mark.parametrize("average", [dict(), dict(T=16, F=2), dict(T=8, F=None)])
def test_gradcheck(average):
    op = JTFS(24, J=3, Q=(2, 1), J_fr=1, Q_fr=1, **average)
    x = torch.randn(
        2, 24, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True
    )
    assert torch.autograd.gradcheck(op, (x,), check_forward_ad=True)


def test_second_derivatives_are_refused_not_wrong():
    op = JTFS(1000, **SMALL)
    x = torch.ones(1000, requires_grad=True)
    (gradient,) = torch.autograd.grad(op(x).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="first derivatives only"):
        gradient.sum().backward()
    for pushed in op.push_forward(x, torch.ones(1, 1000)):
        with pytest.raises(RuntimeError, match="first derivatives only"):
            pushed[..., -1].sum().backward(retain_graph=True)


@pytest.mark.parametrize("kind", ["silence", "constant", "impulse", "subnormal"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_finite_where_the_modulus_vanishes(kind, dtype):
    op = JTFS(1000, **SMALL, T=64, F=4)
    x = torch.full((1000,), float(kind == "constant"), dtype=dtype)
    x[500] = {"silence": 0.0, "subnormal": 1e-41}.get(kind, 1.0)
    y, tangent = torch.func.jvp(op, (x,), (torch.ones_like(x),))
    (gradient,) = torch.func.vjp(op, x)[1](torch.ones_like(y))
    value, pushed = op.push_forward(x, torch.ones(1, 1000, dtype=dtype))
    found = (y, tangent, gradient, value, pushed)
    assert all(t.isfinite().all() for t in found)
    if kind in ("silence", "subnormal"):
        assert not any(t.any() for t in found)


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


SCRIPT = """
import torch
from jtfs import JTFS

N, rate, truth = 11025, 44100, torch.tensor([30.0, 60.0])
op = JTFS(N, J=9, Q=(8, 1), J_fr=3, Q_fr=1)
t = torch.arange(N) / rate
def sound(tremolo):
    return torch.sin(2 * torch.pi * 2000 * t) * torch.sin(2 * torch.pi * tremolo[:, None] * t)
target = op(sound(truth))
guess = torch.tensor([36.0, 50.0]).log().requires_grad_()
optimizer = torch.optim.Adam([guess], lr=0.02)
for step in range(25):
    optimizer.zero_grad()
    loss = (op(sound(guess.exp())) - target).square().sum() / target.square().sum()
    loss.backward()
    optimizer.step()
assert abs(guess.exp() / truth - 1).max() < 0.05, guess.exp()
assert len(op.table(rate)) == target.shape[-1]
"""


def test_two_files_in_an_empty_project_train_under_adam(tmp_path):
    for name in ("jtfs.py", "wavelets.py"):
        shutil.copy(Path(module.__file__).parent / name, tmp_path)
    (tmp_path / "train.py").write_text(SCRIPT)
    command = [sys.executable, "-W", "error", "train.py"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
