"""What JTFS computes and keeps, and whether it waits, counted: no clock is asked.

A multiplication and an addition count as two operations. Matrix products are nearly all
of the work; Fourier transforms are not counted.
"""

from types import SimpleNamespace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from utils.features.jtfs import JTFS
from utils.features.mss import MSS


class Operators(TorchDispatchMode):
    """Counts operators that do work, views excluded, and lists what a captured graph forbids: to
    read a value on the host, to copy between devices, shapes that depend on values."""

    READS = ("_local_scalar_dense", "is_nonzero", "equal", "nonzero", "masked_select", "unique")

    def __init__(self):
        super().__init__()
        self.count, self.waits = 0, []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        name = function.overloadpacket.__name__
        tensors = [each for each in tree_leaves((args, out)) if isinstance(each, torch.Tensor)]
        self.count += not (function.is_view or name in ("_unsafe_view", "detach"))
        if name.startswith(self.READS) or len({each.device for each in tensors}) > 1:
            self.waits.append(name)
        return out


class Moduli(TorchDispatchMode):
    """Counts the second-order modulus values, each of which is one square root in place."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        if function.overloadpacket is torch.ops.aten.sqrt_:
            self.count += out.numel()
        return out


def work(length=2**15, **settings):
    """Operations of the features, of features and gradient; modulus values; bytes kept of a sound,
    filters not counted."""
    phi, kept = JTFS(length, **settings), {}
    filters = {buffer.untyped_storage().data_ptr() for buffer in phi.buffers()}
    x = torch.randn(length, generator=torch.Generator().manual_seed(0)).requires_grad_()

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in filters:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    with FlopCounterMode(display=False) as counter, Moduli() as moduli:
        with hooks:
            features = phi(x)
        forward, values = counter.get_total_flops(), moduli.count
        features.square().sum().backward()
    both, kept = counter.get_total_flops(), sum(kept.values())
    outputs = features.numel()
    return SimpleNamespace(forward=forward, both=both, moduli=values, bytes=kept, outputs=outputs)


@pytest.fixture(scope="module")
def book():
    """The work at the default setting, 2**15 samples."""
    return work()


def test_default_setting(book):
    """Upper bounds a few percent above what is counted."""
    assert book.forward < 2.6e9
    assert book.moduli < 14.5e6
    assert book.bytes < 20.5e6


def test_gradient_computes_each_product_twice_more_and_keeps_none_of_them(book):
    """Once again, since it was not kept, and once transposed."""
    assert book.both <= 3 * book.forward
    assert book.bytes < 4 * book.moduli  # one real number for each modulus would be as much


def test_length():
    """Twice the samples are at most twice the work and the memory; less where padding rules."""
    by_length = {k: work(length=2**k) for k in range(12, 17)}
    for k in range(12, 16):
        for name in ("forward", "both", "moduli", "bytes"):
            ratio = getattr(by_length[k + 1], name) / getattr(by_length[k], name)
            assert ratio <= 2, (name, k)
            assert k < 15 or ratio > 1.5, (name, k)


LOCAL = [(dict(T=T), 2e5, 80) for T in (2**8, 2**10, 2**12)]
LOCAL += [(dict(F=F), 1e6, 40) for F in (8, None)]  # which must read a modulus more densely


@pytest.mark.parametrize("settings, operations, kept", LOCAL)
def test_local_means_cost_in_proportion_to_what_they_put_out(settings, operations, kept, book):
    local = work(**settings)
    assert local.outputs > 5 * book.outputs
    assert local.forward - book.forward < operations * local.outputs
    assert local.bytes - book.bytes < kept * local.outputs


@pytest.mark.parametrize("count", [1, 2, 5])
def test_derivatives_along_tangents_share_one_modulus(count):
    phi = JTFS(2**13)
    x, tangents = torch.randn(2**13), torch.randn(count, 2**13)
    with FlopCounterMode(display=False) as once, Moduli() as alone, torch.no_grad():
        phi(x)
    with FlopCounterMode(display=False) as counter, Moduli() as moduli:
        phi.push_forward(x, tangents)
    assert moduli.count == alone.count
    assert counter.get_total_flops() <= (1 + count) * once.get_total_flops()


GRAPHS = {
    "default": dict(),
    "oversampling": dict(oversampling=0.5),
    "local T": dict(T=2**12),
    "local T and F": dict(J_fr=3, T=2**12, F=8),
    "no F": dict(F=None),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_as_a_graph(name):
    """Few operators, and none that waits for the device: on "meta", which holds no values, in
    blocks as on a GPU. The upper bound is a few percent above what is counted."""
    phi = JTFS(2**15, **GRAPHS[name]).to("meta")
    for shape in [(2**15,), (1, 2**15)]:
        x = torch.empty(shape, device="meta", requires_grad=True)
        with Operators() as operators:
            phi(x).sum().backward()
        assert operators.count <= 670
        assert not operators.waits
        with Operators() as operators:
            phi.push_forward(x.detach(), torch.empty(2, *shape, device="meta"))
        assert not operators.waits


@pytest.mark.parametrize("magnitude", ["linear", "log", "both"])
def test_mss_does_not_wait_either(magnitude):
    x = torch.empty(2, 2**15, device="meta", requires_grad=True)
    with Operators() as operators:
        MSS(magnitude=magnitude)(x).sum().backward()
    assert not operators.waits


@pytest.mark.skipif(not torch.cuda.is_available(), reason="asks a GPU")
@pytest.mark.parametrize("phi", [JTFS(2**13), MSS(magnitude="both")], ids=["JTFS", "MSS"])
def test_a_gpu_does_not_wait(phi):
    phi, x = phi.to("cuda"), torch.randn(2**13, device="cuda", requires_grad=True)
    phi(x).sum().backward()
    try:
        torch.cuda.set_sync_debug_mode("error")
        phi(x).sum().backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_wait_is_noticed():
    with Operators() as operators:
        torch.ones(2).to("meta")
        torch.ones(2).sum().item()
        torch.ones(2).nonzero()
    assert operators.waits == ["_to_copy", "_local_scalar_dense", "nonzero"]
