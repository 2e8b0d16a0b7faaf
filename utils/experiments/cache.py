"""Work that several chapters need, done once and kept in the folder of the build."""

import functools
import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path

import joblib
from torch import Tensor, nn

ROOT = Path(__file__).parents[2]  # of the repository


def once(work: Callable, *inputs, **options):
    """What `work(*inputs, **options)` returns, computed by the first chapter that asks for it.

    The result is kept under `_build/shared`. Its key is the source of `work`, the inputs, and this
    library but for what draws pages: a change in any of them computes anew.

    Parameters
    ----------
    work : a function of this library or of a notebook, whose result can be pickled.
    inputs, options : tensors, numbers, strings, functions (whose key is their source), modules
        (whose key is their `repr`, which must contain all their settings), and sequences or
        mappings of these.
    """
    key = joblib.hash([library(), plain([work, inputs, options])])
    return _kept(key, functools.partial(work, *inputs, **options))


@joblib.Memory(ROOT / "_build" / "shared", verbose=0).cache(ignore=["work"])
def _kept(key: str, work: Callable):
    return work()


def plain(value):
    """A value as plain data that hash alike in every process."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Tensor):
        return str(value.device), value.numpy(force=True)
    if isinstance(value, nn.Module):
        return type(value).__qualname__, plain(type(value).forward), repr(value)
    if isinstance(value, functools.partial):
        return plain([value.func, value.args, value.keywords])
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return [[name, plain(item)] for name, item in value.items()]
    if inspect.isfunction(value):
        return value.__module__, value.__qualname__, inspect.getsource(value)
    raise TypeError(f"inputs hold a {type(value).__name__}; expected tensors, numbers or functions")


@functools.cache
def library() -> str:
    """A digest of this library's files, without those of pages, on which no result rests."""
    home = Path(__file__).parents[1]
    files = sorted(set(home.rglob("*.py")) - set((home / "page").rglob("*.py")))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
