"""A committed record: a line about what it was made with, then a line for each result."""

import datetime
import functools
import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]  # of the repository
RECORDS = ROOT / "book" / "records"
PACKAGES = ("torch", "numpy", "scipy", "kymatio")


def made_with() -> dict:
    """The date, the versions of Python and packages, and a digest of this library."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": {"python": sys.version.split()[0]} | {name: version(name) for name in PACKAGES},
        "sources": library(),
    }


@functools.cache
def library() -> str:
    """A digest of this library's files, without those of pages, on which no result rests."""
    home = Path(__file__).parents[1]
    files = sorted(set(home.rglob("*.py")) - set((home / "page").rglob("*.py")))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def write(file: Path, made: dict, lines: Iterable[str]) -> None:
    """Write what a record was made with, and its lines."""
    file.write_text("\n".join([json.dumps(made), *lines]) + "\n", encoding="utf-8")


def read(file: Path, parse: Callable[[str], object]) -> tuple[dict, list]:
    """What a record was made with, and what `parse` makes of each other line."""
    first, *lines = file.read_text(encoding="utf-8").splitlines()
    return json.loads(first), [parse(line) for line in lines]
