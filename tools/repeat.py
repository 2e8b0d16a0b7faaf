"""Compare two builds of the book, made from the same sources: claims, and the text of the pages.

Given a second folder `_build`, say how far its claims and pages are from those of this one. Claims
that are measured on the machine, and pages as far as they tell of time and memory, may differ.
"""

import re
import sys
from pathlib import Path

from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from utils.page.claims import bounds, recorded  # noqa: E402

TOLERANCE = 1e-3  # of a claim, relative to its value or to one, whichever is larger
# Sentences with one of these words tell of what was measured.
MEASURED = re.compile(r"\b(times?|seconds?|minutes?|hours?|years|long|ms|s|MB|GB|memory)\b")


def claims(build: Path) -> dict[str, float]:
    """What the executed chapters of a build claim, by name."""
    executed = sorted((build / "jupyter_execute" / "book").glob("*.ipynb"))
    return {name: value for each in executed for name, value in recorded(each).items()}


def apart(one: Path, other: Path) -> dict[str, float]:
    """By how much the claims of two builds differ, but for those that are measured."""
    here, there = claims(one), claims(other)
    if set(here) != set(there):
        raise ValueError(f"{other} claims {sorted(set(here) ^ set(there))} more or less than {one}")
    table = bounds(ROOT / "book" / "claims.toml")
    return {
        name: abs(value - there[name]) / max(1.0, abs(value))
        for name, value in here.items()
        if not table[name].get("measured")
    }


def lines(page: Path) -> list[str]:
    """The text of a page, without figures and scripts; a line for each that holds any."""
    tree = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    for each in tree.find_all(["script", "style", "svg"]):
        each.decompose()
    # The cells of a table follow each other without a space.
    return [line.strip() for line in tree.get_text(" ").splitlines() if line.strip()]


def news(one: Path, other: Path) -> list[str]:
    """Lines that only one of two pages has and that tell of no measurement, numbers rounded."""
    here, there = (set(map(rounded, lines(page))) for page in (one, other))
    return [line for line in sorted(here ^ there) if not MEASURED.search(line)]


def rounded(line: str) -> str:
    """A line with its numbers to two digits."""
    return re.sub(r"\d+\.\d+", lambda found: f"{float(found[0]):.2g}", line)


def main(other: Path) -> int:
    one = ROOT / "_build"
    distances = apart(one, other)
    far = {name: distance for name, distance in distances.items() if distance > TOLERANCE}
    same = sum(distance == 0 for distance in distances.values())
    worst = max(distances, key=distances.get)
    print(f"{len(distances)} claims, measured ones apart: {same} equal to the last digit;", end=" ")
    print(f"the furthest, {worst}, differs by {distances[worst]:.0e}")
    for name, distance in far.items():
        print(f"too far: {name}, by {distance:.0e}")
    changed = 0
    for page in sorted((one / "html").rglob("book/*.html")):
        for line in news(page, other / page.relative_to(one)):
            changed += 1
            print(f"{page.stem}: {line[:200]}")
    return 1 if far or changed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
