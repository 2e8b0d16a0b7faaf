"""L: the distance between two sounds in a feature space."""

import torch
from torch import Tensor, nn

from .. import checks


class SpectralLoss(nn.Module):
    r"""The p-norm of the difference of features, L(x, y) = ||Phi(x) - Phi(y)||_p.

    Parameters
    ----------
    phi : an operator from sounds (..., N) to features (..., D), such as `MSS` or `JTFS`.
    p : 1 or 2. The Euclidean norm is not squared; where it is zero, so is its gradient.

    Notes
    -----
    The features of a target need computing only once::

        features = loss.features(y)
        loss(x, features=features)
    """

    def __init__(self, phi: nn.Module, p: int):
        super().__init__()
        checks.function("phi", phi)
        self.phi = phi
        self.p = checks.one_of("p", p, (1, 2))

    def extra_repr(self) -> str:
        return f"p={self.p}"

    def features(self, y: Tensor) -> Tensor:
        """The features (..., D) of a target (..., N), without gradient."""
        with torch.no_grad():
            return self.phi(y)

    def forward(
        self, x: Tensor, y: Tensor | None = None, *, features: Tensor | None = None
    ) -> Tensor:
        """The distance (...,) of sounds `x` (..., N) to a target `y` or to its `features`.

        A gradient flows to `x`, and to `y` where that requires one. A single sound (N,) is
        compared with each of many; otherwise both have the same number of axes, which broadcast.

        Raises
        ------
        TypeError
            If neither or both of `y` and `features` are given.
        ValueError
            If the two sounds differ in length or device, or in number of features, cannot be
            paired, or are at a distance that is not finite.
        """
        if (y is None) == (features is None):
            given = f"y is a {type(y).__name__} and features a {type(features).__name__}"
            raise TypeError(f"{given}; expected either y, a sound, or features, those of a sound")
        checks.tensor("x", x)
        if y is not None and x.shape[-1] != checks.tensor("y", y).shape[-1]:
            raise ValueError(
                f"x has {x.shape[-1]} samples and y {y.shape[-1]}; expected the same length"
            )
        name, known = ("features", features) if y is None else ("y", y)
        checks.same_device("x", x, name, checks.tensor(name, known))
        _pair("x", x, name, known)
        target = self.phi(y) if features is None else features
        found = self.phi(x)
        if found.shape[-1] != target.shape[-1]:
            raise ValueError(
                f"features has {target.shape[-1]} values; expected {found.shape[-1]}, those of x"
            )
        return self._norm(found - target, x=x, **{name: known})

    def distance(self, found: Tensor, target: Tensor) -> Tensor:
        """The distance (...,) of features (..., D), paired as sounds are.

        Raises
        ------
        TypeError, ValueError
            If they cannot be, or are not finite.
        """
        checks.tensor("found", found)
        checks.together("found", found, "target", checks.tensor("target", target))
        _pair("found", found, "target", target)
        return self._norm(found - target, found=found, target=target)

    def _norm(self, difference: Tensor, **named: Tensor) -> Tensor:
        """The p-norm (...,); where it is not finite, say which of the named tensors is not."""
        value = torch.linalg.vector_norm(difference, ord=self.p, dim=-1)
        if not checks.all_true(value.isfinite()):  # one number a sound: features may be many
            for name, each in named.items():
                checks.floating(name, each)
            raise ValueError("phi has NaN or infinite features; expected finite ones")
        return value


def _pair(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Raise unless leading axes pair: (B, 1, N) and (B, N) would silently make (B, B) pairs."""
    checks.together(name, value[..., 0], other_name, other[..., 0])
    if value.ndim != other.ndim and 1 not in (value.ndim, other.ndim):
        raise ValueError(
            f"{name} has shape {tuple(value.shape)} and {other_name} {tuple(other.shape)}; "
            "expected the same number of axes, or one sound"
        )
