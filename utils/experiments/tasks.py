"""The tasks of the comparison: targets, true parameters and starts.

They depend on the task and on the number of the pair alone, so that all losses meet the same ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from ..parameters import draw, parameters_of
from ..synth import SAMPLE_RATE, am_chirp, delay, ripple, sequence, warp

LENGTH = 4 * SAMPLE_RATE
PAIRS = 32
ONSETS = (-1.2, -0.4, 0.4, 1.2)  # of a regular sequence, in seconds from the middle

regular = partial(sequence, am_chirp, onsets=ONSETS)
loud = partial(am_chirp, unit_energy=False)


@dataclass(frozen=True)
class Task:
    """A kind of target.

    Attributes
    ----------
    description : a few words, with {amount}.
    target_of : from parameters (P,), amount and generator to the target's sound (N,).
    synth : the synthesizer with which it is searched.
    amounts : those that the study tries.
    """

    description: str
    target_of: Callable
    synth: Callable = am_chirp
    amounts: tuple[float, ...] = (0.0,)

    def truth(self, pair: int) -> Float[Tensor, " P"]:
        """The parameters of the target of a pair; the first eight chirps are chapter 3's."""
        return draw(self.synth, PAIRS, seed=0)[pair]

    def start(self, pair: int) -> Float[Tensor, " P"]:
        """The start of a pair, drawn like the truth and independently of it."""
        return draw(self.synth, PAIRS, seed=1)[pair]

    def target(self, pair: int, amount: float) -> Float[Tensor, " N"]:
        """The sound to match."""
        return self.target_of(self.truth(pair), amount, torch.Generator().manual_seed(pair))


class Outside(Task):
    """Targets whose parameters all lie above the range from which starts are drawn."""

    def truth(self, pair: int) -> Float[Tensor, " P"]:
        inside = super().truth(pair)
        limits = torch.tensor([(one.low, one.high) for one in parameters_of(self.synth)])
        share = (inside / limits[:, 0]).log() / (limits[:, 1] / limits[:, 0]).log()
        return limits[:, 1] * self.amounts[0] ** share


def _delayed(theta, amount, generator, synth=am_chirp):
    return delay(synth(theta), int(amount))


def _jittered(theta, amount, generator):
    """A sequence of which each onset moves on its own, uniformly within `amount` seconds."""
    moves = torch.rand(len(ONSETS), generator=generator, device=generator.device) - 0.5
    onsets = [onset + amount * move for onset, move in zip(ONSETS, moves.tolist(), strict=True)]
    return sequence(am_chirp, theta, onsets)


def _warped(theta, amount, generator):
    """A sequence whose clock runs up to `amount` faster and slower, from a random phase on."""
    phase = torch.rand(1, generator=generator, device=generator.device).item()
    return warp(regular(theta), amount, phase)


def _plain(theta, amount, generator):
    return am_chirp(theta)


def _noisy(theta, amount, generator):
    """A chirp in white noise, `amount` decibels below it."""
    x = am_chirp(theta)
    noise = torch.randn(LENGTH, generator=generator, device=generator.device).to(x)
    return x + noise * x.norm() / noise.norm() * 10 ** (-amount / 20)


def _transposed(theta, amount, generator):
    """A chirp whose carrier lies `amount` octaves above that of the candidates."""
    return am_chirp(theta, carrier=512.0 * 2**amount)


TASKS = {
    "delay": Task(
        "one chirp, delayed by {amount:g} samples", _delayed, amounts=(0, 2**8, 2**10, 2**12)
    ),
    "jitter": Task(
        "a sequence, onsets jittered within {amount:g} s", _jittered, regular, (0.0, 0.15, 0.3, 0.6)
    ),
    "warp": Task("a sequence, tempo off by up to {amount:.0%}", _warped, regular, (0.05,)),
    "ripples": Task(
        "a ripple, delayed by {amount:g} samples", partial(_delayed, synth=ripple), ripple, (2**10,)
    ),
    "noise": Task("one chirp, noise {amount:g} dB below", _noisy, amounts=(20,)),
    "carrier": Task("one chirp, carrier {amount:g} octaves up", _transposed, amounts=(0.5,)),
    "outside": Outside(
        "one chirp, parameters up to {amount:g} times above the range", _plain, amounts=(1.5,)
    ),
    "level": Task(
        "one chirp, delayed by {amount:g} samples, its level as published",
        partial(_delayed, synth=loud),
        loud,
        (2**10,),
    ),
}
