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


@dataclass(frozen=True)
class Task:
    """A kind of target, the amounts that the study tries, and the synthesizer that searches it.

    The description has an {amount} to fill in. `target_of` takes the synthesizer, parameters (P,),
    an amount and a generator, and returns the sound (N,).
    """

    description: str
    target_of: Callable
    amounts: tuple[float, ...]
    synth: Callable = am_chirp

    def truth(self, pair: int) -> Float[Tensor, " P"]:
        """The parameters of the target of a pair; the first eight chirps are chapter 3's."""
        return draw(self.synth, PAIRS, seed=0)[pair]

    def start(self, pair: int) -> Float[Tensor, " P"]:
        """The start of a pair, drawn like the truth and independently of it."""
        return draw(self.synth, PAIRS, seed=1)[pair]

    def target(self, pair: int, amount: float) -> Float[Tensor, " N"]:
        """The sound to match."""
        generator = torch.Generator().manual_seed(pair)
        return self.target_of(self.synth, self.truth(pair), amount, generator)


class Outside(Task):
    """Targets whose parameters all lie above the range from which starts are drawn."""

    def truth(self, pair: int) -> Float[Tensor, " P"]:
        inside = super().truth(pair)
        limits = torch.tensor([(one.low, one.high) for one in parameters_of(self.synth)])
        share = (inside / limits[:, 0]).log() / (limits[:, 1] / limits[:, 0]).log()
        return limits[:, 1] * self.amounts[0] ** share


def _delayed(synth, theta, amount, generator):
    return delay(synth(theta), int(amount))


def _jittered(synth, theta, amount, generator):
    """A sequence of which each onset moves on its own, uniformly within `amount` seconds."""
    moves = torch.rand(len(ONSETS), generator=generator, device=generator.device) - 0.5
    onsets = [onset + amount * move for onset, move in zip(ONSETS, moves.tolist(), strict=True)]
    return sequence(am_chirp, theta, onsets)


def _warped(synth, theta, amount, generator):
    """A sequence whose clock runs up to `amount` faster and slower, from a random phase on."""
    phase = torch.rand(1, generator=generator, device=generator.device).item()
    return warp(synth(theta), amount, phase)


def _noisy(synth, theta, amount, generator):
    """A chirp in white noise, `amount` decibels below it."""
    x = synth(theta)
    noise = torch.randn(LENGTH, generator=generator, device=generator.device).to(x)
    return x + noise * x.norm() / noise.norm() * 10 ** (-amount / 20)


def _transposed(synth, theta, amount, generator):
    """A chirp whose carrier lies `amount` octaves above that of the candidates."""
    return synth(theta, carrier=512.0 * 2**amount)


TASKS = {
    "delay": Task("one chirp, delayed by {amount:g} samples", _delayed, (0, 2**8, 2**10, 2**12)),
    "jitter": Task(
        "a sequence, onsets jittered within {amount:g} s", _jittered, (0.0, 0.15, 0.3, 0.6), regular
    ),
    "warp": Task("a sequence, tempo off by up to {amount:.0%}", _warped, (0.05,), regular),
    "ripples": Task("a ripple, delayed by {amount:g} samples", _delayed, (2**10,), ripple),
    "noise": Task("one chirp, noise {amount:g} dB below", _noisy, (20,)),
    "carrier": Task("one chirp, carrier {amount:g} octaves up", _transposed, (0.5,)),
    "outside": Outside(
        "one chirp, parameters up to {amount:g} times above the range",
        lambda synth, theta, *_: synth(theta),
        (1.5,),
    ),
    "level": Task(
        "one chirp, delayed by {amount:g} samples, its level as published",
        _delayed,
        (2**10,),
        partial(am_chirp, unit_energy=False),
    ),
}
