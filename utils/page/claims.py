"""Sentences that state a result: computed, recorded, and held to a bound by the tests."""

import html
import json
import math
import numbers
import tomllib
from pathlib import Path

from IPython.display import display

from .. import checks


def claim(name: str, value: float, sentence: str, **values) -> None:
    """Show a sentence with its computed value, and record the value in the output.

    Parameters
    ----------
    name : the claim's name in `book/claims.toml`, which holds its bound.
    value : the number that the bound is about; finite.
    sentence : a format string that contains `{value}`, such as "... {value:.0%} ...".
    values : further computed numbers that the sentence mentions.

    Raises
    ------
    TypeError, ValueError
        If `value` is not a finite real number, or the sentence does not mention it.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"value is {value!r}, a {type(value).__name__}; expected a real number")
    if not math.isfinite(value):
        raise ValueError(f"value is {value!r}; expected a finite number")
    checks.text("name", name)
    if "{value" not in checks.text("sentence", sentence):
        raise ValueError(f"sentence is {sentence!r}; expected it to contain {{value}}")
    try:
        text = sentence.format(value=value, **values)
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(
            f"sentence is {sentence!r}, which cannot be filled ({error!r}); expected a format "
            f"string of value and {sorted(values)}"
        ) from error
    display(
        {"text/html": f'<p class="claim">{html.escape(text)}</p>', "text/plain": text},
        metadata={"claim": {"name": name, "value": float(value)}},
        raw=True,
    )


def recorded(notebook: Path) -> dict[str, float]:
    """The claims that an executed notebook holds, by name.

    Raises
    ------
    TypeError, ValueError
        If there is no such notebook, or it makes one claim twice.
    """
    found, content = {}, checks.file("notebook", notebook).read_bytes()
    try:
        cells = json.loads(content)["cells"]
    except (json.JSONDecodeError, UnicodeDecodeError, LookupError, TypeError) as error:
        raise ValueError(f"notebook is {str(notebook)!r}; expected a notebook's file") from error
    for cell in cells:
        for output in cell.get("outputs", []):
            record = output.get("metadata", {}).get("claim")
            if record is None:
                continue
            if record["name"] in found:
                raise ValueError(f"{notebook} claims {record['name']!r} twice; expected once")
            found[record["name"]] = record["value"]
    return found


def bounds(table: Path) -> dict[str, dict]:
    """The table `book/claims.toml`: by name, the chapter, what is said, and `min` and `max`.

    Raises
    ------
    TypeError, ValueError
        If there is no such file, or it is not TOML.
    """
    try:
        return tomllib.loads(checks.file("table", table).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"table is {str(table)!r} ({error}); expected TOML") from error


def within(value: float, bound: dict) -> bool:
    """Whether a value lies between a bound's `min` and `max`, either of which may be absent.

    Raises
    ------
    TypeError, ValueError
        If the value or an end of the bound is not a finite number.
    """
    checks.real("value", value)
    for end in {"min", "max"} & set(checks.mapping("bound", bound)):
        checks.real(f"bound[{end!r}]", bound[end])
    return bound.get("min", -math.inf) <= value <= bound.get("max", math.inf)
