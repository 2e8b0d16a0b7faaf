"""Numbers and quotation marks as a printer sets them."""

import re

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def typeset(text: str) -> str:
    """Set 2^10 as 2¹⁰, 9e-08 as 9·10⁻⁸, -2 as −2, 5 % as 5%, f_m as fₘ, and "it's" as “it’s”."""
    text = re.sub(r"(?<![\w.])(-?[\d.]+)e([-+]?\d+)\b", _power_of_ten, text)
    text = re.sub(r"(?<=\d)\^(-?\d+)", lambda found: found[1].translate(RAISED), text)
    text = re.sub(r"(?<![\w.,)])-(?=\d)", "\N{MINUS SIGN}", text)
    text = re.sub(r'(?<![^\s(])"', "“", text).replace('"', "”")
    text = re.sub(r"(?<=\w)'", "’", text)
    return re.sub(r"(?<=\d)\s%", "%", text).replace("f_m", "fₘ")


def _power_of_ten(found: re.Match) -> str:
    power = str(int(found[2])).translate(RAISED)
    return ("" if found[1] == "1" else f"{found[1]}·") + f"10{power}"
