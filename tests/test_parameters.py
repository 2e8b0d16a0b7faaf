"""What synthesizers declare, and search coordinates on both scales."""

import math
from functools import partial

import pytest
import torch

from utils.parameters import (
    Parameter,
    candidates,
    coordinates,
    declared_by,
    deviations,
    draw,
    ends_of,
    grid,
    parameters,
    parameters_of,
    per_coordinate,
)
from utils.synth import am_chirp, sequence


@parameters(
    Parameter("rate", "f", "Hz", 2.0, 8.0),
    Parameter("onset", "t", "s", -0.5, 1.5, scale="linear"),
)
def mixed(theta):
    return theta


def test_draws_are_seeded_and_in_range():
    for synth in (am_chirp, mixed):
        theta = draw(synth, 500, seed=7)
        assert theta.equal(draw(synth, 500, seed=7))
        for column, one in zip(theta.T, parameters_of(synth), strict=True):
            assert one.low <= column.min() < column.max() <= one.high
    assert theta[:, 0].log().mean() == pytest.approx(math.log(4), abs=0.1)  # the geometric mean
    assert theta[:, 1].mean() == pytest.approx(0.5, abs=0.1)


def test_candidates_fill_each_axis_evenly():
    z = coordinates(mixed)[0](candidates(mixed, 64))
    low, high = ends_of(mixed)
    for column in ((z - low) / (high - low)).T:
        assert torch.histc(column, 8, 0, 1).tolist() == [8] * 8


def test_grid_spans_the_ranges_evenly_on_their_scales():
    points = grid(am_chirp, (3, 4))
    assert points.shape == (3, 4, 2)
    torch.testing.assert_close(points[:, 0, 0], torch.tensor([4.0, 8.0, 16.0]))
    torch.testing.assert_close(points[0, :, 1], torch.tensor([0.5, 1.0, 2.0, 4.0]))
    torch.testing.assert_close(grid(mixed, (2, 3))[1, :, 1], torch.tensor([-0.5, 0.5, 1.5]))


def test_parameters_survive_partial_and_sequence():
    carried = partial(sequence, partial(am_chirp, carrier=400.0), onsets=[0.0])
    assert parameters_of(carried) == am_chirp.parameters
    assert declared_by(torch.nn.Linear(2, 2)) == ()  # whose method `parameters` declares nothing
    with pytest.raises(TypeError, match="@parameters"):
        parameters_of(lambda theta: theta)


def test_without_linear_parameters_a_coordinate_is_the_logarithm():
    theta = torch.tensor([[2.0, 0.5]])
    for synth in (am_chirp, abs):  # of which the latter declares nothing
        to_z, from_z = coordinates(synth)
        assert to_z(theta).equal(theta.log()) and from_z(theta).equal(theta.exp())


def test_a_unit_of_a_linear_coordinate_is_the_range():
    to_z, from_z = coordinates(mixed)
    theta = torch.tensor([[2.0, -0.5], [math.e, 0.0], [8.0, 1.5]], dtype=torch.float64)
    assert to_z(theta)[:, 1].tolist() == [-0.25, 0.0, 0.75]
    assert to_z(theta)[1, 0] == 1
    torch.testing.assert_close(from_z(to_z(theta)), theta)
    for row in theta:
        slopes = torch.autograd.functional.jacobian(from_z, to_z(row)).diagonal()
        torch.testing.assert_close(per_coordinate(mixed.parameters, row), slopes)


def test_deviations_are_relative_or_shares_of_a_linear_range():
    theta, truth = torch.tensor([[2.2, 0.2], [2.0, -0.4]]), torch.tensor([2.0, 0.0])
    found = deviations(mixed.parameters, theta, truth)
    torch.testing.assert_close(found, torch.tensor([[0.1, 0.1], [0.0, 0.2]]))
    assert deviations((), theta, theta).max() == 0


@pytest.mark.parametrize(
    ("low", "high", "scale", "message"),
    [
        (0.0, 1.0, "log", "low of pitch is 0.0; expected above"),
        (2.0, 1.0, "linear", "high of pitch is 1.0; expected above 2"),
        (1.0, 2.0, "loud", "scale of pitch is 'loud'; expected one of 'log', 'linear'"),
    ],
)
def test_a_range_must_fit_its_scale(low, high, scale, message):
    with pytest.raises(ValueError, match=message):
        parameters(Parameter("pitch", "f", "Hz", low, high, scale))
