import json
import math

import pytest
from IPython.utils.capture import capture_output

from utils.page.claims import bounds, claim, recorded, within


def shown(*args, **kwargs):
    with capture_output() as captured:
        claim(*args, **kwargs)
    return captured.outputs[0]


def test_shows_the_sentence_and_records_the_value():
    output = shown("rate", 0.25, "{value:.0%} of {n} < all", n=8)
    assert output.data["text/plain"] == "25% of 8 < all"
    assert "25% of 8 &lt; all" in output.data["text/html"]
    assert output.metadata == {"claim": {"name": "rate", "value": 0.25}}


def test_reads_what_an_executed_notebook_records(tmp_path):
    output = shown("rate", 0.25, "{value}")
    path = tmp_path / "chapter.ipynb"
    cell = {"outputs": [{"metadata": output.metadata}, {"name": "stdout"}]}
    path.write_text(json.dumps({"cells": [cell, {"source": "text"}]}))
    assert recorded(path) == {"rate": 0.25}
    path.write_text(json.dumps({"cells": [cell, cell]}))
    with pytest.raises(ValueError, match="claims 'rate' twice"):
        recorded(path)


def test_bounds_hold_values(tmp_path):
    table = tmp_path / "claims.toml"
    table.write_text('[rate]\nchapter = "x"\nsays = "y"\nmin = 0.5\n')
    bound = bounds(table)["rate"]
    assert within(0.5, bound)
    assert not within(0.4, bound)
    assert not within(2.0, bound | {"max": 1.0})


@pytest.mark.parametrize(
    ("value", "sentence", "error", "says"),
    [
        ("0.5", "{value}", TypeError, "value is '0.5'"),
        (True, "{value}", TypeError, "value is True"),
        (math.nan, "{value}", ValueError, "value is nan"),
        (0.5, "half", ValueError, "sentence is 'half'"),
    ],
)
def test_bad_input_is_named(value, sentence, error, says):
    with pytest.raises(error, match=says):
        claim("rate", value, sentence)
