"""The published operators run, and answer."""

import pytest

from utils.experiments.published import KINDS, Published

SMALL = {"J": 7, "J_fr": 3}


@pytest.mark.parametrize("kind", KINDS)
def test_each_step_is_measured_where_it_runs(kind):
    with Published(kind, (2, 2**11), **SMALL) as operator:
        assert operator() > 0
        first = operator.megabytes
        assert operator() > 0
    assert 0 < first <= operator.megabytes < 2000  # a peak does not sink


def test_a_step_that_fails_says_so(capfd):
    with Published("JTFS", (1, 2**11), J=20) as operator, pytest.raises(RuntimeError, match="stop"):
        operator()
    assert "ValueError" in capfd.readouterr().err  # the reason, as the operator gave it


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"kind": "MSS"}, "kind is 'MSS'; expected one of 'JTFS', 'SCRAPL'"),
        ({"kind": None}, "kind is None; expected one of"),
        ({"shape": 2**11}, "shape is 2048, a int; expected a sequence"),
        ({"shape": (2**11,)}, "of length 1; expected a length of 2"),
        ({"shape": (0, 2**11)}, r"shape\[0\] is 0; expected at least 1"),
        ({"shape": (1, 2**40)}, r"shape\[1\] is 1099511627776; expected at most"),
        ({"shape": (1, 2048.0)}, r"shape\[1\] is 2048.0, a float; expected an integer"),
        ({"threads": 0}, "threads is 0; expected at least 1"),
        ({"threads": True}, "threads is True, a bool; expected an integer"),
        ({"device": None}, "device is None, a NoneType; expected a text"),
        ({"device": " "}, "device is ' '; expected a text that says something"),
        ({"sparse": 3}, "settings is 'sparse'; expected one of"),
    ],
)
def test_bad_input_is_refused_before_a_process_starts(changed, says, monkeypatch):
    monkeypatch.setattr("subprocess.Popen", None)
    with pytest.raises((TypeError, ValueError), match=says):
        Published(**{"kind": "JTFS", "shape": (1, 2**11)} | changed)
