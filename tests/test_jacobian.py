from functools import partial

import torch

from utils.jacobian import value_and_jacobian
from utils.synth import am_chirp, draw


def test_jacobian_equals_reverse_mode():
    brief = partial(am_chirp, duration=0.1)
    theta = draw(am_chirp, 3, seed=1).double()
    value, jacobian = value_and_jacobian(brief, theta)
    torch.testing.assert_close(value, brief(theta))
    for k in range(3):
        reverse = torch.autograd.functional.jacobian(brief, theta[k])
        torch.testing.assert_close(jacobian[k], reverse)


def test_one_theta_and_batches_of_any_shape():
    brief = partial(am_chirp, duration=0.01)
    theta = draw(am_chirp, 6, seed=2)
    batch = value_and_jacobian(brief, theta.reshape(2, 3, 2))[1]
    assert batch.shape == (2, 3, 82, 2)
    torch.testing.assert_close(batch[1, 2], value_and_jacobian(brief, theta[5])[1])
