"""Figures, in one style. Each function returns a Matplotlib figure for `show.figure`."""

# ruff: noqa: F401
from .diagram import operators
from .filterbank import filters, joint_wavelets, maps, rate_scale
from .results import bars, curves, errors, forest, rates, spread, trainings
from .sound import envelopes, sounds, spectrograms
from .surface import landscapes, slices, surfaces
