"""Features compressed one by one: what is loud no longer outweighs the rest of the distance."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .jtfs import Described


class Compressed(Described):
    """Features of `phi`, each put through a function of a subclass, whose slope is known.

    `floor` is positive: a number, or one for each feature (D,). Well below it the function is
    nearly linear. Choose it relative to the features of sounds at the level of yours, such as a
    third of their mean.
    """

    def __init__(self, phi: nn.Module, floor: float | Float[Tensor, " d"]):
        super().__init__()
        floor = torch.as_tensor(floor).detach().clone()
        if not (floor > 0).all():
            raise ValueError(f"floor is {floor.tolist()}; expected above 0")
        self.phi, self.floor = phi, nn.Buffer(floor, persistent=False)

    def forward(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch d"]:
        return self.compress(self.phi(x))

    @property
    def push_forward(self) -> Callable:
        """If `phi` has it: features of x (..., N), and derivatives along `tangents` (K, ..., N)."""
        inner = self.phi.push_forward

        def push(x: Tensor, tangents: Tensor) -> tuple[Tensor, Tensor]:
            S, slopes = inner(x, tangents)
            return self.compress(S), slopes * self.slope(S)

        return push


class Root(Compressed):
    """The square root of features, sqrt(S + floor).

    Up to the floor, the Euclidean distance between roots of features is that of Hellinger. It
    divides a small change by the root of what was there, and so hears the faint beside the loud.
    """

    def compress(self, S: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        return (S + self.floor.to(S)).sqrt()

    def slope(self, S: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        return 0.5 * (S + self.floor.to(S)).rsqrt()


class Logarithm(Compressed):
    """The logarithm of features, log(1 + S / floor).

    Lostanlen et al., "Time-frequency scattering accurately models auditory similarities", EURASIP
    JASMP 2021(3); there the floor is a thousandth of each path's median over many sounds.
    """

    def compress(self, S: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        return torch.log1p(S / self.floor.to(S))

    def slope(self, S: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        return 1 / (self.floor.to(S) + S)
