"""Sentences that state a result: computed, recorded, and held to a bound by the tests."""

import html
import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from IPython.display import display

from ..experiments.statistics import wilson
from .typeset import typeset

# 1,234 -3.1 62 % 9e-08 9·10⁻⁸ and 31 of 32, but not the 2 of p2.
NUMBER = re.compile(
    r"(?<![\w.,])[-\N{MINUS SIGN}]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
    r"(?:e[-+]?\d+|·10[⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹]+)?(?P<percent>\s?%)?(?:(?= of (?P<trials>[1-9]\d*)))?"
)
PLAIN = str.maketrans("\N{MINUS SIGN}⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹", "--+0123456789", ", \N{NO-BREAK SPACE}%")


def claim(name: str, value: float, sentence: str) -> None:
    """Show a sentence that states a computed value, and record the value in the output.

    `name` is the claim's name in `book/claims.toml`, which holds its bound. A sentence is refused
    if none of its numbers is the value, to half a unit of the last printed digit: 0.6184 may
    appear as 0.62, 62 % or 62 of 100, but not as 0.61.
    """
    value = float(value)
    if not any(abs(value - number) <= slack for number, slack in _numbers(sentence)):
        raise ValueError(f"sentence is {sentence!r}; expected it to contain the value, {value:g}")
    sentence = typeset(sentence)
    display(
        {"text/html": f'<p class="claim">{html.escape(sentence)}</p>', "text/plain": sentence},
        metadata={"claim": {"name": name, "value": value}},
        raw=True,
    )


def _numbers(sentence: str) -> Iterator[tuple[float, float]]:
    """The numbers in a sentence, each with half a unit of its last digit."""
    for match in NUMBER.finditer(sentence):
        number = Decimal(match[0].translate(PLAIN).replace("·10", "e"))
        half = (0.5 + 1e-9) * 10.0 ** number.as_tuple().exponent
        for parts in {100 if match["percent"] else 1, int(match["trials"] or 1)}:
            yield float(number) / parts, half / parts


def rate(count: int, trials: int, noun: str = "") -> str:
    """A success rate with its 95 % Wilson interval, such as "31 of 32 chirps (84 to 99%)"."""
    low, high = wilson(count, trials)
    return f"{count} of {trials} {noun}".strip() + f" ({100 * low:.0f} to {100 * high:.0f}%)"


def recorded(notebook: Path) -> dict[str, float]:
    """The claims that an executed notebook holds, by name; a ValueError if one stands twice."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    known = (output.get("metadata", {}) for cell in cells for output in cell.get("outputs", ()))
    claims = [metadata["claim"] for metadata in known if "claim" in metadata]
    names = [each["name"] for each in claims]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{notebook} claims {twice} twice; expected once")
    return {each["name"]: each["value"] for each in claims}


def within(value: float, bound: dict) -> bool:
    """Whether a value lies between the `min` and `max` of a bound in `book/claims.toml`, if any."""
    return bound.get("min", -math.inf) <= value <= bound.get("max", math.inf)
