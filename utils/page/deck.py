"""The deck's source, `book/deck.md`: slides, in Markdown, and what to say to them.

A line "# title {id}" opens a part, and "## title" a slide; "{short}" after a title puts the slide
into the short deck too, and "{vote}", "{exercise}" or "{break}" say what kind it is. What follows a
line "??? minutes" is for the speaker. `![[id]]` stands for what a cell of a chapter shows,
`![[id:code]]` for its code, `![[claim:name]]` for a claim's sentence.
"""

import re
from dataclasses import dataclass
from pathlib import Path

KINDS = ("section", "slide", "vote", "exercise", "break")


@dataclass(frozen=True)
class Slide:
    """A slide: the id of its part, its kind, and Markdown for the audience and the speaker."""

    part: str
    kind: str
    title: str
    body: str
    notes: str
    minutes: float
    short: bool


def read(file: Path) -> list[Slide]:
    """The slides of a deck's source; a ValueError names what is not as above."""
    slides, part = [], ""
    for block in re.split(r"^(?=##? )", file.read_text(encoding="utf-8"), flags=re.M)[1:]:
        head, _, text = block.partition("\n")
        level, title, marks = re.fullmatch(r"(##?) (.+?)\s*(?:\{(.*)\})?", head).groups()
        words = (marks or "").split()
        if level == "#":
            part = words.pop(0)
        usual = "section" if level == "#" else "slide"
        kind = next((word for word in words if word in KINDS), usual)
        if odd := set(words) - {"short", kind}:
            raise ValueError(f"the slide {title!r} is marked {odd}; expected of {KINDS}, or short")
        body, mark, notes = f"\n{text}".partition("\n??? ")
        minutes, _, said = notes.partition("\n")
        if not mark or not said.strip():
            raise ValueError(f"the slide {title!r} has no notes; expected a line '??? minutes'")
        short = "short" in words
        slides.append(Slide(part, kind, title, body.strip(), said.strip(), float(minutes), short))
    return slides


def of(deck: str, slides: list[Slide]) -> list[Slide]:
    """The slides of the long deck, or of the short one."""
    return [slide for slide in slides if deck == "long" or slide.short]
