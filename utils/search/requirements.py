"""Whether a synthesizer meets what solvers, landscapes and figures assume."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd import gradcheck

from .. import checks
from ..parameters import coordinates, draw, parameters_of
from .jacobian import ONE_AT_A_TIME, value_and_jacobian


def check_synthesizer(synth: Callable[[Tensor], Tensor], seed: int = 0) -> None:
    """Raise, in a sentence that says why, unless a synthesizer meets what the solvers assume.

    At random parameters and at the ends of their ranges: a batch (B, P) becomes finite sounds
    (B, N) of its own dtype, each the same as from its row alone; and derivatives of both modes
    agree with differences.
    """
    ranges = torch.tensor([(one.low, one.high) for one in parameters_of(synth)])
    thetas = torch.cat([draw(synth, 3, seed), ranges.T]).double()
    x = checks.floating("synth(theta)", synth(thetas), ndim=2)
    for batch in (thetas.float(), thetas):
        if (kind := synth(batch).dtype) != batch.dtype:
            raise ValueError(f"synth(theta) is {kind} for theta of {batch.dtype}; expected it too")
    rows = torch.stack([synth(theta) for theta in thetas])
    if rows.shape != x.shape or not torch.allclose(rows, x, atol=1e-9):
        raise ValueError("synth(theta) of a batch is not that of its rows; expected the same")
    to_z, from_z = coordinates(synth)
    z = to_z(thetas).requires_grad_()

    def play(z: Tensor) -> Tensor:
        return synth(from_z(z))

    if not play(z).requires_grad:
        raise ValueError("synth(theta) does not depend on theta by operations of torch alone")
    _, slopes = value_and_jacobian(play, z.detach())
    for parameter, slope in zip(parameters_of(synth), slopes.unbind(-1), strict=True):
        if not slope.any():
            raise ValueError(f"synth(theta) does not change with its {parameter.name}")
    # Steps short enough for a high partial, whose phase grows with its pitch.
    options = dict(eps=1e-7, rtol=1e-3, atol=1e-7, check_forward_ad=True, fast_mode=True)
    with ONE_AT_A_TIME:
        agree = gradcheck(play, z, raise_exception=False, **options)
    if not agree:
        raise ValueError("derivatives of synth(theta) differ from differences; expected them equal")
