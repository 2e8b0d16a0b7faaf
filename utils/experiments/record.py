"""A committed record: a line about what it was made with, then a line for each result."""

import datetime
import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

from .cache import ROOT

RECORDS = ROOT / "book" / "records"
PACKAGES = ("torch", "numpy", "scipy", "kymatio")
LIBRARY = __name__.split(".")[0]


def made_with() -> dict:
    """The date, the versions of Python and packages, and a digest of this library's sources."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": {"python": sys.version.split()[0]} | {name: version(name) for name in PACKAGES},
        "sources": sources(),
    }


def write(file: Path, made: dict, lines: Iterable[str]) -> None:
    """Write what a record was made with, and its lines."""
    file.write_text("\n".join([json.dumps(made), *lines]) + "\n", encoding="utf-8")


def read(file: Path, parse: Callable[[str], object]) -> tuple[dict, list]:
    """What a record was made with, and what `parse` makes of each other line."""
    first, *lines = file.read_text(encoding="utf-8").splitlines()
    return json.loads(first), [parse(line) for line in lines]


def sources() -> str:
    """A digest of the modules of this library that are imported: those on which results rest."""
    used = {name for name in sys.modules if name.startswith(f"{LIBRARY}.")}
    used -= {f"{LIBRARY}.experiments.cost"}  # measures, and changes no result
    files = (Path(sys.modules[name].__file__) for name in used)
    text = "".join(sorted(file.read_text(encoding="utf-8") for file in files))
    return hashlib.sha256(text.encode()).hexdigest()
