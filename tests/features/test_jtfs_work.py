"""What JTFS computes and keeps, counted: no clock is asked.

A multiplication and an addition count as two operations. Matrix products are nearly all
of the work; Fourier transforms are not counted.
"""

from types import SimpleNamespace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from utils.features.jtfs import JTFS


class Moduli(TorchDispatchMode):
    """Counts the second-order modulus values, each of which is one square root in place."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        if function.overloadpacket is torch.ops.aten.sqrt_:
            self.count += out.numel()
        return out


def work(batch=1, length=2**15, **settings):
    """Operations of the features, of features and gradient; modulus values; bytes kept of a sound,
    filters not counted."""
    phi, kept = JTFS(length, **settings), {}
    filters = {buffer.untyped_storage().data_ptr() for buffer in phi.buffers()}
    x = torch.randn(batch, length, generator=torch.Generator().manual_seed(0)).requires_grad_()

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


def test_batch_is_linear():
    one, many = work(length=2**13), work(length=2**13, batch=8)
    assert many.both == 8 * one.both
    assert many.moduli == 8 * one.moduli
    assert many.bytes <= 8 * one.bytes


@pytest.mark.parametrize("T", [2**8, 2**10, 2**12])
def test_local_T_costs_in_proportion_to_what_it_puts_out(T, book):
    local = work(T=T)
    assert local.outputs == 8 * book.outputs * 2**12 // T
    assert local.forward - book.forward < 2e5 * local.outputs
    assert local.bytes - book.bytes < 80 * local.outputs


@pytest.mark.parametrize("F", [8, None])
def test_local_F_costs_in_proportion_to_what_it_puts_out(F, book):
    """A mean over F bins must read a modulus more densely than a global one."""
    local = work(F=F)
    assert local.outputs > 5 * book.outputs
    assert local.forward - book.forward < 1e6 * local.outputs
    assert local.bytes - book.bytes < 40 * local.outputs


def test_oversampling_buys_accuracy_with_work(book):
    """Below one, sampling rates sink along time alone; above, along log-frequency as well."""
    half, double = work(oversampling=0.5), work(oversampling=2)
    assert 2 * half.moduli <= 1.01 * book.moduli
    assert 3 * book.moduli < double.moduli <= 4 * book.moduli
    assert half.both < 0.6 * book.both < 0.3 * double.both


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
