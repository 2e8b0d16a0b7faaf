"""What several tests share: the repository, the built book, a browser."""

import importlib.util
import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))
TAUGHT = [path for path in CHAPTERS if path.stem[0] != "9"]  # with sounds and exercises
PAGES = [*CHAPTERS, *sorted((ROOT / "book").glob("*.md"))]


def pytest_addoption(parser):
    parser.addoption("--in-lab", nargs="+", default=["2_synthesizer"], metavar="CHAPTER")


def pytest_configure():
    # MKL rounds by the processor's newest instructions: a search that gets lost would end elsewhere
    # than on the machine that wrote the record.
    os.environ.setdefault("MKL_CBWR", "AVX2")
    torch.set_num_threads(1)  # the machine's cores may be busy with other tests
    HistoryManager.enabled = False
    InteractiveShell.instance()  # takes what chapters display, as in a notebook


@pytest.fixture(scope="session")
def executed() -> dict[str, Path]:
    """The executed notebooks of the built book, by the name of the chapter."""
    found = {p.stem: p for p in (ROOT / "_build/jupyter_execute/book").glob("*.ipynb")}
    if set(found) != {p.stem for p in CHAPTERS}:
        pytest.fail("the book is not built: run `make book` first")
    return found


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem == "test_reliability")  # it asks what others counted


TALLY = ROOT / "_build" / "reliability.json"


@pytest.fixture(scope="session")
def tally():
    """What was tried, by kind and name; at the end it joins what earlier runs left in `_build`."""
    counts = {}
    yield counts
    TALLY.parent.mkdir(exist_ok=True)
    with FileLock(TALLY.with_suffix(".lock")):  # tests run in several processes
        text = json.dumps(tallied(counts), indent=1, sort_keys=True)
        TALLY.write_text(text + "\n", encoding="utf-8")


@pytest.fixture
def survived(tally):
    """Note a fault after which all was as it should be."""
    return lambda fault: tally.setdefault("faults", {}).update({fault: 1})


def tallied(counts: dict[str, dict]) -> dict[str, dict]:
    """Counts of this run, and of earlier ones those of what did not run in this one."""
    known = json.loads(TALLY.read_text(encoding="utf-8")) if TALLY.exists() else {}
    return {kind: known.get(kind, {}) | counts.get(kind, {}) for kind in known | counts}


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium, with no way to any other host."""
    path = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if path is None:
        pytest.skip("no Chromium on this machine: the pages were not looked at")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
        running = playwright.chromium.launch(executable_path=path, args=options)
        yield running
        running.close()


def script(name: str):
    """A script of `tools/`, as a module."""
    spec = importlib.util.spec_from_file_location(f"tools_{name}", ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells(notebook: Path, kind: str) -> list[str]:
    """The sources of all cells of a kind, "code" or "markdown"."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    return ["".join(c["source"]) for c in content["cells"] if c["cell_type"] == kind]
