"""What a committed record was made with."""

import datetime
import hashlib
import sys
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("torch", "numpy", "scipy", "kymatio")


def made_with() -> dict:
    """The date, the versions of Python and packages, and a digest of this library's sources."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": {"python": sys.version.split()[0]} | {name: version(name) for name in PACKAGES},
        "sources": sources(),
    }


def sources() -> str:
    """A digest of the modules of this library that are imported: those on which results rest."""
    used = {name for name in sys.modules if name.startswith("utils.")} - {"utils.cost"}
    modules = (sys.modules[name] for name in used)
    text = "".join(sorted(Path(module.__file__).read_text(encoding="utf-8") for module in modules))
    return hashlib.sha256(text.encode()).hexdigest()
