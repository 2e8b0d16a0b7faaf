"""A second device, in software: its tensors say that they live elsewhere, and compute on the CPU.

It stands in for an accelerator where there is none. Operations that mix it with the CPU raise, as
do numpy on its tensors and generators of the CPU. It rests on functions that torch calls
experimental; the version of torch is pinned.
"""

import functools
import warnings

import torch
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "elsewhere"
# Copies may cross, and an index may be on the CPU; what reads brings a number back.
CROSS = {"aten::_to_copy", "aten::copy_", "aten::_copy_from", "aten::index"}
# Below autograd, torch heeds neither a conjugation nor a sign that is only noted.
AT_ONCE = {"aten::_conj": torch.conj_physical, "aten::_neg_view": torch.neg}
READ = {"aten::_local_scalar_dense", "aten::is_nonzero", "aten::equal"}
aten = torch.ops.aten
# What all others make a tensor with, and those that work out its shape.
FACTORIES = (aten.empty.memory_format, aten.empty_strided.default, aten.eye.default)
FACTORIES += (aten.linspace.default, aten.arange.default, aten.arange.start, aten.arange.start_step)


class Elsewhere(torch.Tensor):
    """A tensor of the CPU, `held`, behind a claim to be on the other device."""

    @staticmethod
    def __new__(cls, held):
        return torch.Tensor._make_wrapper_subclass(
            cls, held.size(), strides=held.stride(), dtype=held.dtype, device=f"{NAME}:0"
        )

    def __init__(self, held):
        self.held = held

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return perform(operation, args, kwargs or {})

    def numpy(self, *, force=False):
        if not force:
            raise TypeError(f"a tensor on {NAME} must come to the CPU before numpy")
        return self.held.numpy(force=True)


def perform(operation, args, kwargs):
    """What an operation gives on the CPU, behind the same claim."""
    name, leaves = operation._schema.name, tree_leaves((args, kwargs))
    tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
    there = [each for each in tensors if isinstance(each, Elsewhere)]
    here = [each for each in tensors if not isinstance(each, Elsewhere) and each.ndim]
    if any(each.is_meta for each in here):  # torch works out shapes
        return operation(*tree_map(_shape, args), **tree_map(_shape, kwargs))
    if here and there and name not in CROSS:
        raise RuntimeError(f"{name} of tensors on the CPU and on {NAME}")
    if there and kwargs.get("generator") is not None:
        raise RuntimeError(f"a generator of the CPU draws for {NAME}")
    if torch.Tag.inplace_view in operation.tags:  # what a wrapper says of itself changes as well
        with torch._C._DisableTorchDispatch():
            operation(*args, **kwargs)
    wanted = kwargs.get("device")
    comes_back = name in READ or (wanted is not None and torch.device(wanted).type == "cpu")
    if wanted is not None:
        kwargs = kwargs | {"device": torch.device("cpu")}
    operation = AT_ONCE.get(name, operation)
    found = operation(*tree_map(_held, args), **tree_map(_held, kwargs))
    if comes_back:
        return found
    known = {id(each.held): each for each in there}  # what changed in place keeps its wrapper
    return tree_map(lambda leaf: known.get(id(leaf), _elsewhere(leaf)), found)


def _held(leaf):
    return leaf.held if isinstance(leaf, Elsewhere) else leaf


def _elsewhere(leaf):
    return Elsewhere(leaf) if isinstance(leaf, torch.Tensor) else leaf


def _shape(leaf):
    return leaf.held.to("meta") if isinstance(leaf, Elsewhere) else leaf


@functools.cache
def register():
    """Make the device known to torch; returns what must be kept as long as it is used."""
    _setup_privateuseone_for_python_backend(NAME)
    library = torch.library.Library("aten", "IMPL")
    for operation in FACTORIES:
        library.impl(operation, functools.partial(_make, operation), "PrivateUse1")
    library.impl("_copy_from", _copy_from, "PrivateUse1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says that it overrides
        zeros = functools.partial(_make, torch.zeros)
        library.impl("_efficientzerotensor", zeros, "PrivateUse1", allow_override=True)
    return library


def _make(operation, *args, **kwargs):
    return Elsewhere(operation(*args, **kwargs | {"device": torch.device("cpu")}))


def _copy_from(source, target, non_blocking=False):
    _held(target).copy_(_held(source))
    return target
