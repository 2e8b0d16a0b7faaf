from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import torch

from utils.features.jtfs import JTFS
from utils.features.mss import MSS
from utils.parameters import Parameter, draw, parameters
from utils.search.jacobian import (
    condition,
    features_and_jacobian,
    quadratic_forms,
    value_and_jacobian,
)
from utils.synth import am_chirp

brief = partial(am_chirp, duration=0.05)


def test_jacobian_equals_reverse_mode():
    theta = draw(am_chirp, 4, seed=1).double().reshape(2, 2, 2)
    value, jacobian = value_and_jacobian(brief, theta)
    torch.testing.assert_close(value, brief(theta))
    for one, expected in zip(theta.flatten(0, 1), jacobian.flatten(0, 1), strict=True):
        torch.testing.assert_close(torch.autograd.functional.jacobian(brief, one), expected)


@pytest.mark.parametrize("average", [dict(), dict(T=100, F=4)])
def test_features_with_and_without_push_forward_agree(average):
    theta = draw(am_chirp, 6, seed=3).double().reshape(2, 3, 2)
    phi = JTFS(brief(theta).shape[-1], J=6, Q=(4, 1), J_fr=2, Q_fr=1, **average)
    for point in (theta, theta[0, 1]):
        found = features_and_jacobian(brief, phi, point)
        expected = features_and_jacobian(brief, lambda x: phi(x), point)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other)


@pytest.mark.parametrize("general", [True, False])
def test_threads_find_what_one_finds(general):
    """Many of these calls raise, or find something else, where threads differentiate at once."""
    phi = MSS((64, 16)) if general else JTFS(410, J=6, Q=(4, 1), J_fr=2, Q_fr=1)
    thetas = draw(am_chirp, 100, seed=4).double()
    find = partial(features_and_jacobian, brief, phi)
    with ThreadPoolExecutor(4) as pool:
        pairs = list(zip(pool.map(find, thetas), map(find, thetas), strict=True))
    torch.testing.assert_close(*zip(*pairs, strict=True))


def test_a_function_may_take_jacobians_within():
    def slope(x):
        return value_and_jacobian(lambda y: y**3, x)[1].squeeze(-1)

    value, jacobian = value_and_jacobian(slope, torch.tensor([[2.0]]))
    assert (value.item(), jacobian.item()) == (12.0, 12.0)


def test_condition_is_in_search_coordinates():
    """Features 3 log a and log b: curvatures 9 and 1, wherever; and a linear b, range 5."""
    weights = torch.tensor([3.0, 1.0])
    for theta in (torch.tensor([1.0, 1.0]), torch.tensor([5.0, 0.2])):
        assert condition(lambda z: z * 2, lambda x: x.log() * weights, theta) == pytest.approx(9)
    linear = Parameter("b", "b", "", -1.0, 4.0, scale="linear")
    carried = parameters(Parameter("a", "a", "", 1.0, 2.0), linear)(lambda theta: theta * 1)
    assert condition(carried, lambda x: x, torch.tensor([1.0, 0.0])) == pytest.approx(25)


def test_quadratic_forms_give_squared_distances_nearby():
    phi, thetas = MSS((64, 16)), draw(am_chirp, 5, seed=5).double()
    forms = quadratic_forms(brief, phi, thetas)
    way = 1e-5 * torch.tensor([1.0, -2.0], dtype=torch.float64)
    moved = phi(brief(thetas * way.exp())) - phi(brief(thetas))
    torch.testing.assert_close(way @ forms @ way, moved.square().sum(-1), rtol=1e-3, atol=0)
