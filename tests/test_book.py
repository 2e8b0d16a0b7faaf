"""The book itself: its sources, and what the executed chapters claim."""

import html
import json
import re
import tomllib

import pytest
import yaml
from conftest import ADDRESS, CHAPTERS, PAGES, ROOT, TAUGHT, cells
from fold import folded
from IPython.utils.capture import capture_output
from joblib import parallel_config

from utils.features.mss import MSS
from utils.page.claims import recorded, within
from utils.page.typeset import typeset

BOUNDS = tomllib.loads((ROOT / "book/claims.toml").read_text())


@pytest.mark.parametrize("name", BOUNDS)
def test_claim_is_within_its_bound(name, executed):
    bound = BOUNDS[name]
    found = recorded(executed[bound["chapter"]])[name]
    assert within(found, bound), f"{name} is {found}, outside {bound}: {bound['says']}"


def test_every_claim_has_a_bound(executed):
    found = {name: chapter for chapter, path in executed.items() for name in recorded(path)}
    assert found == {name: bound["chapter"] for name, bound in BOUNDS.items()}
    assert all(bound["says"] and {"min", "max"} & set(bound) for bound in BOUNDS.values())


def test_a_broken_loss_breaks_the_claims(monkeypatch):
    """The chapter's own cells, run on a spectrogram that has lost time and frequency."""
    intact = MSS.forward
    monkeypatch.setattr(MSS, "forward", lambda self, x: intact(self, x).sum(-1, keepdim=True))
    code = cells(ROOT / "book/3_mss_loss.ipynb", "code")
    needed = ("# @title Imports", "lost = ", "DELAYS = ", '"mss-theory"')
    with capture_output() as captured, parallel_config(backend="sequential"):
        exec("\n".join(next(each for each in code if part in each) for part in needed), {})
    found = [output.metadata["claim"] for output in captured.outputs if "claim" in output.metadata]
    [theory] = [each["value"] for each in found if each["name"] == "mss-theory"]
    assert not within(theory, BOUNDS["mss-theory"])


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_machinery_folds_away(chapter):
    for cell in json.loads(chapter.read_text())["cells"]:
        source = "".join(cell["source"])
        assert cell["metadata"] == folded(cell), "run tools/fold.py"
        visible = cell["cell_type"] == "code" and not source.startswith("# @title")
        assert not (visible and re.search(r"^ *claim\(", source, re.M)), source


def test_first_cell_is_the_same_everywhere():
    first = {cells(chapter, "code")[0] for chapter in CHAPTERS}
    assert len(first) == 1
    assert f'{ADDRESS}"' in first.pop()


def test_the_public_address_is_the_same_everywhere():
    """All mentions of a repository of this name are the one in `_config.yml`."""
    owner, name = ADDRESS.removeprefix("https://github.com/").split("/")
    others = ("README.md", "CONTRIBUTING.md", "CITATION.cff", "Makefile", "utils/page/show.py")
    for path in [*CHAPTERS, *(ROOT / name for name in others)]:
        for mention in re.findall(r"github(?:\.com)?/([\w.-]+/[\w.-]+)", path.read_text()):
            if mention.split("/")[1].removesuffix(".git") == name or mention.startswith(owner):
                assert mention == f"{owner}/{name}", path


def test_toc_lists_every_page_in_reading_order():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = [toc["root"]]
    listed += [each["file"] for part in toc["parts"] for each in part["chapters"]]
    assert listed == [f"book/{page.stem}" for page in PAGES]


def test_every_work_cited_is_among_the_references():
    """By the addresses that identify works: DOI and arXiv."""
    identifier = re.compile(r"https://(?:doi\.org|arxiv\.org/abs)/[\w./-]+\w")
    listed = identifier.findall((ROOT / "book/references.md").read_text())
    assert len(listed) == len(set(listed)) > 20
    cited = {
        c for chapter in CHAPTERS for c in identifier.findall("".join(cells(chapter, "markdown")))
    }
    assert cited <= set(listed), cited - set(listed)


def test_results_list_every_claim_as_the_chapters_made_it(executed):
    """The page of results shows what was computed in this build, and all of it."""
    page = json.loads(executed["9_results"].read_text())
    outputs = [o for c in page["cells"] if c["cell_type"] == "code" for o in c["outputs"]]
    shown = "".join("".join(o.get("data", {}).get("text/html", "")) for o in outputs)
    found = {name: value for path in executed.values() for name, value in recorded(path).items()}
    for name, bound in BOUNDS.items():
        row = f">{html.escape(typeset(bound['says']))}</td><td>{typeset(f'{found[name]:.4g}')}</td>"
        assert row in shown, name
    assert "<td>NO</td>" not in shown


@pytest.mark.parametrize("chapter", TAUGHT, ids=lambda path: path.stem)
def test_prose_reads_the_same_everywhere(chapter):
    """No MyST syntax, and no result typed by hand."""
    for text in cells(chapter, "markdown"):
        assert not re.search(r"^\s*(:::|```\{)|\{(cite|ref|eq|glue|doc)[:}]", text, re.M), text
        assert not re.search(r"\d(\.\d+)?\s?(\u00d7|times faster)", text), text
    assert 2 <= sum("# @title Solution" in source for source in cells(chapter, "code")) <= 3


def test_direct_dependencies_are_pinned_exactly():
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            assert line.startswith("#") or re.fullmatch(r"[\w.-]+==[\w.]+  # .+", line), line
