import pytest

from utils.page.typeset import typeset

SET = {
    "2^10 samples": "2¹⁰ samples",
    "agree to 9e-08": "agree to 9·10⁻⁸",
    "up to 1e-05, not 1.2e+03": "up to 10⁻⁵, not 1.2·10³",
    "-2 dB, from -3.1 to 4": "−2 dB, from −3.1 to 4",
    "84 to 99 %": "84 to 99%",
    "f_m = 8 Hz": "fₘ = 8 Hz",
    """the parameters' "found" ("up" or "down")""": "the parameters’ “found” (“up” or “down”)",
    "5-10, ISO-8859, one-sided, 2e": "5-10, ISO-8859, one-sided, 2e",
}


@pytest.mark.parametrize("text", SET)
def test_sets_what_a_printer_sets_and_nothing_else(text):
    assert typeset(text) == SET[text]
    assert typeset(SET[text]) == SET[text]
