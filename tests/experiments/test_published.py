"""The published operators run, and answer."""

import pytest

from utils.experiments.published import KINDS, Published


@pytest.mark.parametrize("kind", KINDS)
def test_each_step_is_measured_where_it_runs(kind):
    with Published(kind, (2, 2**11), J=7, J_fr=3) as operator:
        assert operator() > 0
        first = operator.megabytes
        assert operator() > 0
    assert 0 < first <= operator.megabytes < 2000  # a peak does not sink


def test_a_step_that_fails_says_why():
    with Published("JTFS", (1, 2**11), J=20) as operator, pytest.raises(ValueError, match="shape"):
        operator()
