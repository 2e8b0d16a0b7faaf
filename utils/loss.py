"""L: the distance between two sounds in a feature space."""

import torch
from torch import Tensor, nn


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
        if not callable(phi):
            raise TypeError(f"phi is {phi!r}; expected an operator from sounds to features")
        if p not in (1, 2):
            raise ValueError(f"p is {p!r}; expected 1 or 2")
        self.phi = phi
        self.p = p

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

        A gradient flows to `x`, and to `y` where that requires one. Leading axes broadcast.

        Raises
        ------
        TypeError
            If neither or both of `y` and `features` are given.
        ValueError
            If the two sounds differ in length, or in number of features.
        """
        if (y is None) == (features is None):
            raise TypeError("expected either y, a sound, or features, those of a sound; not both")
        if y is not None and x.shape[-1] != y.shape[-1]:
            raise ValueError(
                f"x has {x.shape[-1]} samples and y {y.shape[-1]}; expected the same length"
            )
        target = self.phi(y) if features is None else features
        found = self.phi(x)
        if found.shape[-1] != target.shape[-1]:
            raise ValueError(
                f"features has {target.shape[-1]} values; expected {found.shape[-1]}, those of x"
            )
        return self.distance(found, target)

    def distance(self, found: Tensor, target: Tensor) -> Tensor:
        """The distance (...,) of features (..., D), which broadcast."""
        return torch.linalg.vector_norm(found - target, ord=self.p, dim=-1)
