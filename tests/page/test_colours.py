"""Colours and marks: what can be told apart, by whom, and on which ground."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from utils.page import colours

CURVES = ("ink", "quiet", "mss", "jtfs", "third", "fourth", "fifth")
# What the cones of the colour-blind see of linear RGB (Machado, Oliveira and Fernandes, 2009).
BLIND = {
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def linear(colour):
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """The ratio of WCAG."""
    low, high = sorted(linear(colour) @ [0.2126, 0.7152, 0.0722] for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(rgb):
    """Where CIE L*a*b* puts linear RGB."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.clip(to_xyz @ rgb, 1e-4, None) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("scheme", [colours.LIGHT, colours.DARK], ids=["light", "dark"])
def test_text_can_be_read_in_every_colour(scheme):
    for role in CURVES:
        assert contrast(scheme[role], scheme["ground"]) >= 4.5, role
    for part in np.linspace(0, 1, 11):
        cell = (1 - part) * np.array(to_rgb(scheme["ground"])) + part * np.array(
            to_rgb(scheme["heat"])
        )
        assert contrast(cell, scheme["ink"]) >= 4.5, part


def test_marks_stand_out_from_every_colour_of_a_landscape():
    for part in np.linspace(0, 1, 256):
        for mark in (colours.MARK, colours.TRUTH):
            assert contrast(mark, colours.LANDSCAPE(part)) >= 3


@pytest.mark.parametrize("scheme", [colours.LIGHT, colours.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("vision", BLIND)
def test_the_colour_blind_tell_target_and_losses_apart(scheme, vision):
    seen = {role: lab(BLIND[vision] @ linear(scheme[role])) for role in CURVES}
    for one, other in combinations(("ink", "mss", "jtfs", "third"), 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 20, (one, other)
