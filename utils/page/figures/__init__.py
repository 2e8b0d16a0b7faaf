"""Figures, in one style. Each function returns a Matplotlib figure for `show.figure`."""

# ruff: noqa: F401
from pathlib import Path

from .results import bars, curves, errors, forest, rates, spread, trainings
from .sound import envelopes, filters, joint_wavelets, maps, rate_scale, sounds, spectrograms
from .surface import landscapes, slices, surfaces

OPERATORS = Path(__file__).with_name("operators.svg")  # of DDSP, for `show.drawing`
