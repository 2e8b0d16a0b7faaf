"""L: the distance between two sounds in a feature space."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .. import checks
from .jtfs import Described


class SpectralLoss(Described):
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
        self.phi, self.p = phi, checks.one_of("p", p, (1, 2))

    def features(self, y: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch d"]:
        """The features of a target, without gradient."""
        with torch.no_grad():
            return self.phi(y)

    def forward(
        self,
        x: Float[Tensor, "*batch n"],
        y: Float[Tensor, "*other n"] | None = None,
        *,
        features: Float[Tensor, "*other d"] | None = None,
    ) -> Float[Tensor, "*pairs"]:
        """The distance of sounds to a target `y` or to its `features`.

        A gradient flows to `x`, and to `y` where that requires one. A single sound (N,) is
        compared with each of many; otherwise both have the same number of axes, which broadcast.
        """
        _check_pair(x, y, features)
        target = self.phi(y) if features is None else features
        return self.distance(self.phi(x), target)

    def distance(
        self, features: Float[Tensor, "*batch d"], target: Float[Tensor, "*other d"]
    ) -> Float[Tensor, "*pairs"]:
        """The distance of features, whose leading axes broadcast. It must be finite."""
        value = torch.linalg.vector_norm(features - target, ord=self.p, dim=-1)
        checks.floating("loss", value[..., None])  # one number a sound, of many features
        return value


def _check_pair(x: Tensor, y: Tensor | None, features: Tensor | None) -> None:
    """Raise unless `x` comes with one other, and their leading axes pair.

    Sounds (B, 1, N) and (B, N) are refused, of which broadcasting would make B * B pairs.
    """
    if (y is None) == (features is None):
        raise TypeError("loss has neither or both of y and features; expected one of them")
    checks.tensor("x", x)
    name, other, length = ("features", features, None) if y is None else ("y", y, x.shape[-1])
    checks.tensor(name, other, last=length)
    checks.together("x", x, name, other)
    sizes = zip(x.shape[:-1], other.shape[:-1], strict=False)
    alike = x.ndim == other.ndim and all(a == b or 1 in (a, b) for a, b in sizes)
    if not alike and 1 not in (x.ndim, other.ndim):
        raise ValueError(
            f"x has shape {tuple(x.shape)} and {name} {tuple(other.shape)}; "
            "expected one sound, or as many axes, which broadcast"
        )
