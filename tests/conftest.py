"""What several tests share: the repository, the built book, a browser."""

import json
import os
import shutil
from pathlib import Path

import jaxtyping
import pytest
import torch
import yaml
from beartype import BeartypeConf, beartype
from hypothesis import HealthCheck, settings
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))
TAUGHT = [path for path in CHAPTERS if path.stem[0] != "9"]  # with sounds and exercises
ADDRESS = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
TEXTS = (path for path in (ROOT / "book").glob("*.md") if path.stem != "deck")
PAGES = [*CHAPTERS, *sorted(TEXTS)]

# Every annotation of the library holds, shapes too; an int passes for a float, as PEP 484 says.
# What a reader meets who hands over something else is tested without this: DTFA_NO_HOOK=1.
check = beartype(conf=BeartypeConf(is_pep484_tower=True))
if os.environ.get("DTFA_NO_HOOK") != "1":
    jaxtyping.install_import_hook("utils", "conftest.check")


# Properties are tried on the same draws each time.
quiet = dict(deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("book", derandomize=True, **quiet)
settings.load_profile("book")


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
    found = {p.stem: p for p in (ROOT / "_build/executed").glob("*.ipynb")}
    if set(found) != {p.stem for p in CHAPTERS}:
        pytest.fail("the book is not built: run `make book` first")
    return found


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium, with no way to any other host."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: the pages were not looked at")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
        running = playwright.chromium.launch(executable_path=path, args=options)
        yield running
        running.close()


def watch(page):
    """The page, which from now on notes what its console complains of and what it fetches."""
    page.said, page.asked = [], []
    page.on("console", lambda m: page.said.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda r: page.asked.append(r.url) if r.url.startswith("http") else None)
    return page


def drag_by_finger(page, points) -> None:
    """Touch a page at the first point, and move to the others."""
    session, act = page.context.new_cdp_session(page), "Input.dispatchTouchEvent"
    for k, (x, y) in enumerate(points):
        kind = "touchMove" if k else "touchStart"
        session.send(act, {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send(act, {"type": "touchEnd", "touchPoints": []})


def cells(notebook: Path, kind: str) -> list[str]:
    """The sources of all cells of a kind, "code" or "markdown"."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    return ["".join(c["source"]) for c in content["cells"] if c["cell_type"] == kind]
