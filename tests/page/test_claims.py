import json
import math

import pytest
from IPython.utils.capture import capture_output

from utils.page.claims import claim, rate, recorded, within


def shown(*args):
    with capture_output() as captured:
        claim(*args)
    return captured.outputs[0]


def test_shows_the_sentence_and_records_the_value():
    output = shown("rate", 0.25, f"{0.25:.0%} of {8} < all")
    assert output.data["text/plain"] == "25% of 8 < all"
    assert "25% of 8 &lt; all" in output.data["text/html"]
    assert output.metadata == {"claim": {"name": "rate", "value": 0.25}}


ACCEPTED = {
    0.6184: ["between 0.62 and 0.7", "62% succeed", "62 % succeed"],
    0.125: [f"{0.125:.2f} octaves"],  # a tie, which Python rounds to even
    1234.4: ["1,234 samples"],
    -3.14: ["-3.1 dB", "\N{MINUS SIGN}3.1 dB"],
    9.4e-8: [f"up to {9.4e-8:.0e}", "up to 9·10⁻⁸"],
    0.0: [f"a difference of {0.0:.0e}"],
    31 / 32: [f"{rate(31, 32)} succeed"],
    31: ["31 of 32 succeed"],
}
REFUSED = {
    0.6184: ["61% succeed", "0.63 octaves", "more than half"],
    2: ["with p2"],
    9.4e-8: ["up to 8e-08"],
    31 / 32: ["30 of 32"],
    math.nan: ["nan, 0 or 1"],
}


def test_a_sentence_must_contain_its_value_in_any_usual_form():
    for value, sentences in ACCEPTED.items():
        for sentence in sentences:
            assert shown("name", value, sentence).metadata["claim"]["value"] == value
    for value, sentences in REFUSED.items():
        for sentence in sentences:
            with pytest.raises(ValueError, match="expected it to contain the value"):
                claim("name", value, sentence)
    assert rate(31, 32) == "31 of 32 (84 to 99%)"


def test_reads_what_an_executed_notebook_records(tmp_path):
    path = tmp_path / "chapter.ipynb"
    cell = {"outputs": [{"metadata": shown("rate", 0.25, "0.25").metadata}, {"name": "stdout"}]}
    path.write_text(json.dumps({"cells": [cell, {"source": "text"}]}))
    assert recorded(path) == {"rate": 0.25}
    path.write_text(json.dumps({"cells": [cell, cell]}))
    with pytest.raises(ValueError, match=r"claims \{'rate'\} twice"):
        recorded(path)


def test_bounds_hold_values():
    bound = {"chapter": "x", "says": "y", "min": 0.5}
    assert within(0.5, bound)
    assert not within(0.4, bound)
    assert not within(2.0, bound | {"max": 1.0})
    assert not within(math.nan, bound)
