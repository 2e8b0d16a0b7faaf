"""A committed record: a line about what it was made with, then a line a result."""

import datetime
import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

from .. import checks

PACKAGES = ("torch", "numpy", "scipy", "kymatio")


def made_with() -> dict:
    """The date, the versions of Python and packages, and a digest of this library's sources."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": {"python": sys.version.split()[0]} | {name: version(name) for name in PACKAGES},
        "sources": sources(),
    }


def write(file: Path, made: dict, lines: Iterable[str]) -> None:
    """Write what a record was made with, and its lines.

    Raises
    ------
    TypeError
        If `file` is no path, or JSON cannot hold what the record was made with.
    """
    path = checks.path("file", file)
    try:
        first = json.dumps(checks.mapping("made", made))
    except TypeError as error:
        raise TypeError(f"made is {made!r} ({error}); expected what JSON can hold") from error
    text = "\n".join([first, *checks.every("lines", lines, checks.text)]) + "\n"
    path.write_text(text, encoding="utf-8")


def read(file: Path, parse: Callable[[str], object]) -> tuple[dict, list]:
    """What a record was made with, and what `parse` makes of each other line.

    Raises
    ------
    TypeError, ValueError
        If there is no such file, or it holds something else.
    """
    checks.function("parse", parse)
    path = checks.file("file", file)
    try:
        first, *lines = path.read_text(encoding="utf-8").splitlines()
        return checks.mapping("made", json.loads(first)), [parse(line) for line in lines]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"file is {str(file)!r}, which is no record ({error}); expected lines of JSON"
        ) from error


def sources() -> str:
    """A digest of the modules of this library that are imported: those on which results rest."""
    used = {name for name in sys.modules if name.startswith("utils.")} - {"utils.experiments.cost"}
    modules = (sys.modules[name] for name in used)
    text = "".join(sorted(Path(module.__file__).read_text(encoding="utf-8") for module in modules))
    return hashlib.sha256(text.encode()).hexdigest()
