"""The tasks of the comparison: targets, true parameters and starts.

They depend on the task, the sample and the number of the pair alone, so that all losses meet the
same ones, and are independent from task to task.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from zlib import crc32

import torch
from jaxtyping import Float
from torch import Tensor

from ..parameters import draw, grid, parameters, parameters_of
from ..synth import SAMPLE_RATE, am_chirp, delay, ripple, sequence, warp

LENGTH = 4 * SAMPLE_RATE
PAIRS, SAMPLE = 32, 2  # of the comparison; the ablation and the choice of solvers have others
ONSETS = (-1.2, -0.4, 0.4, 1.2)  # of a regular sequence, in seconds from the middle

regular = partial(sequence, am_chirp, onsets=ONSETS)


@parameters(
    am_chirp.parameters[0], am_chirp.parameters[1]._replace(low=-4.0, high=4.0, scale="linear")
)
def up_or_down(theta: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch n"]:
    """A regular sequence of chirps of either sign."""
    return regular(theta)


@dataclass(frozen=True)
class Task:
    """A kind of target, and the synthesizer to search with.

    The description has an {amount} to fill in. `target_of` takes the synthesizer, parameters (P,),
    an amount and a generator, and returns the sound (N,).
    """

    description: str
    target_of: Callable
    synth: Callable = am_chirp

    def truth(self, pair: int, sample: int = SAMPLE) -> Float[Tensor, " P"]:
        """The parameters of the target of a pair."""
        return self._drawn(pair, self._seed(sample, "truth", 0))

    def start(self, pair: int, sample: int = SAMPLE) -> Float[Tensor, " P"]:
        """The start of a pair, drawn like the truth and independently of it."""
        return self._drawn(pair, self._seed(sample, "start", 1))

    def target(self, pair: int, amount: float, sample: int = SAMPLE) -> Float[Tensor, " N"]:
        """The sound to match."""
        generator = torch.Generator().manual_seed(self._seed(sample, "target", pair))
        return self.target_of(self.synth, self.truth(pair, sample), amount, generator)

    def grid(self, count: int) -> Float[Tensor, "*grid P"]:
        """Candidates over the ranges of truths, `count` values of each parameter."""
        return grid(self.synth, (count,) * len(parameters_of(self.synth)))

    def _drawn(self, pair: int, seed: int) -> Float[Tensor, " P"]:
        return draw(self.synth, pair + 1, seed)[pair]

    def _seed(self, sample: int, use: str, number: int) -> int:
        return crc32(f"{self.description} {sample} {use} {number}".encode())


class Outside(Task):
    """Targets whose parameters all lie above the range of starts, up to half as much again."""

    def truth(self, pair: int, sample: int = SAMPLE) -> Float[Tensor, " P"]:
        inside = super().truth(pair, sample)
        limits = torch.tensor([(one.low, one.high) for one in parameters_of(self.synth)])
        share = (inside / limits[:, 0]).log() / (limits[:, 1] / limits[:, 0]).log()
        return limits[:, 1] * 1.5**share


class EitherWay(Task):
    """Chirps that rise or fall, and candidates that do both."""

    def grid(self, count: int) -> Float[Tensor, "2 *grid P"]:
        rising = grid(regular, (count, count))
        return torch.stack([rising, rising * rising.new_tensor([1, -1])])

    def start(self, pair: int, sample: int = SAMPLE) -> Float[Tensor, " P"]:
        """As of any task, rising and falling in turns: as the truth does, or the other way."""
        rising = super().start(pair, sample).abs()
        return rising * rising.new_tensor([1, (-1) ** pair])

    def _drawn(self, pair: int, seed: int) -> Float[Tensor, " P"]:
        rising = draw(regular, pair + 1, seed)[pair]
        falls = crc32(f"{seed} {pair}".encode()) & 1
        return rising * rising.new_tensor([1, -1 if falls else 1])


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


def _envelope_warped(synth, theta, amount, generator):
    """A sequence whose envelopes, but not their pitch, follow a clock as in `_warped`."""
    phase = torch.rand(1, generator=generator, device=generator.device).item()
    events = []
    for onset in ONSETS:
        clock = 1 + amount * math.cos(2 * math.pi * (onset * SAMPLE_RATE / LENGTH + phase))
        event = am_chirp(theta * theta.new_tensor([clock, 1]), bandwidth=2 / clock)
        events.append(delay(event, round(onset * SAMPLE_RATE)))
    return sum(events) / sum(events).norm()


def _noisy(synth, theta, amount, generator):
    """A chirp in white noise, `amount` decibels below it."""
    x = synth(theta)
    noise = torch.randn(LENGTH, generator=generator, device=generator.device).to(x)
    return x + noise * x.norm() / noise.norm() * 10 ** (-amount / 20)


def _transposed(synth, theta, amount, generator):
    """A chirp whose carrier lies `amount` octaves above that of the candidates."""
    return synth(theta, carrier=512.0 * 2**amount)


def _noisy_transposed(synth, theta, amount, generator):
    """A chirp in white noise, 20 decibels below it, its carrier `amount` octaves up."""
    return _noisy(partial(synth, carrier=512.0 * 2**amount), theta, 20, generator)


TASKS = {
    "delay": Task("one chirp, delayed by {amount:g} samples", _delayed),
    "jitter": Task("a sequence, onsets jittered within {amount:g} s", _jittered, regular),
    "warp": Task("a sequence, tempo off by up to {amount:.0%}", _warped, regular),
    "envelope warp": Task(
        "a sequence, tempo of its envelopes off by up to {amount:.0%}", _envelope_warped, regular
    ),
    "direction": EitherWay(
        "a sequence that rises or falls, onsets jittered within {amount:g} s",
        _jittered,
        up_or_down,
    ),
    "ripples": Task("a ripple, delayed by {amount:g} samples", _delayed, ripple),
    "noise": Task("one chirp, noise {amount:g} dB below", _noisy),
    "carrier": Task("one chirp, carrier {amount:g} octaves up", _transposed),
    "noise and carrier": Task(
        "one chirp, noise 20 dB below, carrier {amount:g} octaves up", _noisy_transposed
    ),
    "outside": Outside(
        "one chirp, parameters up to {amount:g} times above the range",
        lambda synth, theta, *_: synth(theta),
    ),
    "level": Task(
        "one chirp, delayed by {amount:g} samples, its level as published",
        _delayed,
        partial(am_chirp, unit_energy=False),
    ),
}


def describe(task: str, amount: float) -> str:
    """A task and its amount in words."""
    return TASKS[task].description.format(amount=amount)
