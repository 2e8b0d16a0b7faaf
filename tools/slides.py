"""Make one deck for the lectern, `_build/slides/index.html`, from the executed chapters.

Each chapter is a column of slides. A slide has what an audience can read: headings, short
paragraphs, lists, tables, formulas, results, short code, figures, sounds, explorers. What is longer
goes into the speaker's notes. All that the deck needs lies beside it.
"""

import html
import json
import re
import shutil
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import yaml
from build import kit
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

ROOT = Path(__file__).parents[1]
EXECUTED = ROOT / "_build" / "executed"
DECK = ROOT / "_build" / "slides"
BOOK = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
SITE = BOOK["sphinx"]["config"]["ogp_site_url"]
TALK = Path(__file__).parent / "slides"  # style and script of the deck
LINES = 15  # of text that a slide holds, at COLUMNS characters
COLUMNS = 84
CODE_LINES = 16  # that a slide shows; the whole is for the speaker
WORDS = 28  # of a paragraph: a longer one is for the speaker
TABLE = 1500  # characters of a table: a longer one is for the speaker
PICTURE, CARDS = 12, 8  # lines of text whose place they take; text may follow a picture
ABOVE = {"picture": 4.5, "explorer": 1.5}  # lines of text that may stand above it


@dataclass
class Slide:
    """A title, items in HTML, how many lines of text they take, and what the speaker reads."""

    title: str
    items: list[str] = field(default_factory=list)
    lines: float = 0.0
    notes: list[str] = field(default_factory=list)

    def add(self, body: str, lines: float) -> None:
        self.items.append(body)
        self.lines += lines


MARKDOWN = (
    MarkdownIt("commonmark")
    .enable("table")
    .use(
        dollarmath_plugin,
        renderer=lambda text, options: (
            rf"\[{html.escape(text)}\]" if options["display_mode"] else rf"\({html.escape(text)}\)"
        ),
    )
)


def main() -> None:
    chapters = {path.stem: column(path) for path in sorted(EXECUTED.glob("[1-8]*.ipynb"))}
    shutil.rmtree(DECK, ignore_errors=True)
    for part in ("dist", "plugin/notes", "plugin/zoom"):
        reveal = files("sphinx_revealjs") / "_static/revealjs" / part
        shutil.copytree(reveal, DECK / "reveal" / part)
    shutil.copytree(files("sphinx-mathjax-offline") / "static/mathjax", DECK / "mathjax")
    shared = kit(ROOT)
    style = (TALK / "deck.css").read_text(encoding="utf-8") + shared["css"]
    style += HtmlFormatter(style="default").get_style_defs(".code")
    page = (TALK / "deck.html").read_text(encoding="utf-8")
    sections = "\n".join(
        f'<section id="{name}">{"".join(map(markup, slides))}</section>'
        for name, slides in {"title": [title(chapters)], **chapters}.items()
    )
    within = rf'href="({"|".join(chapters)})\.ipynb"'  # other pages are on the site
    sections = re.sub(within, r'href="#/\1"', sections)
    sections = re.sub(r'href="(\w+)\.(?:ipynb|md)"', rf'href="{SITE}book/\1.html"', sections)
    page = page.replace("<!-- STYLE -->", style).replace("<!-- SLIDES -->", sections)
    page = page.replace("<!-- SCRIPT -->", shared["js"])
    (DECK / "index.html").write_text(page, encoding="utf-8")
    print("Open _build/slides/index.html")


def title(chapters: dict[str, list[Slide]]) -> Slide:
    """The first slide: what this is, where it can be read and run, and what is in it."""
    body = f"<p>{BOOK['author']}. To read, and to run in Colab: <b>{SITE}</b></p><ul>"
    for name, slides in chapters.items():
        body += f'<li><a href="#/{name}">{slides[0].title}</a></li>'
    return Slide(BOOK["title"], [f"{body}</ul>"])


def column(path: Path) -> list[Slide]:
    """The slides of an executed chapter."""
    slides = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        tags = set(cell["metadata"].get("tags", []))
        if tags & {"hide-cell", "remove-cell"}:
            continue
        text = "".join(cell["source"])
        skipped = cell["metadata"].get("slideshow", {}).get("slide_type") == "skip"
        if not skipped and cell["cell_type"] == "markdown":
            add_text(slides, text)
        elif not skipped and not tags & {"hide-input", "remove-input"}:
            add_code(slides, text)
        for output in cell.get("outputs", ()):
            add_output(slides, output)
    for empty, following in pairwise(slides):
        if not empty.items:  # what is said of it is said of what follows
            following.notes = empty.notes + following.notes
    return [slide for slide in slides if slide.items]


def place(slides: list[Slide], body: str, lines: float) -> None:
    """Put an item on the last slide, or on another of the same title where that is full."""
    if slides[-1].items and slides[-1].lines + lines > LINES:
        slides.append(Slide(slides[-1].title))
    slides[-1].add(body, lines)


def add_text(slides: list[Slide], text: str) -> None:
    text, details, hint = text.partition("<details")
    for block in SyntaxTreeNode(MARKDOWN.parse(text)).children:
        tokens = block.to_tokens()
        source = "".join(token.content for token in tokens if token.type == "inline")
        if block.type == "heading":
            slides.append(Slide(MARKDOWN.renderInline(source)))
            continue
        body = MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})
        whole_counts = source.startswith("*")  # the chapter's promise, an exercise
        if block.type == "paragraph" and len(source.split()) > WORDS and not whole_counts:
            slides[-1].notes.append(body)
        else:
            place(slides, body, height(body))
    if hint:
        slides[-1].notes.append(MARKDOWN.render(details + hint))


def height(body: str) -> float:
    """How many lines a block of text takes, about."""
    text = re.sub(r"<[^>]+>", "", body)
    if "<table" in body:
        return 1.3 * body.count("<tr") + len(text) / COLUMNS / 1.5
    if text.strip().startswith(r"\["):  # a formula
        return 2.5
    return sum(-(-len(line) // COLUMNS) + 0.4 for line in text.splitlines() if line)


def add_code(slides: list[Slide], source: str) -> None:
    """The first lines of code, until it shows or claims something; the whole is for the speaker."""
    lines = re.split(r"^(?:claim\(|show\.)", source, flags=re.M)[0].strip().splitlines()
    shown = lines[:CODE_LINES]
    if len(shown) < len(lines):
        shown.append("# ...")
        slides[-1].notes.append(f"<pre>{html.escape(source)}</pre>")
    if shown:
        body = highlight("\n".join(shown), PythonLexer(), HtmlFormatter(cssclass="code"))
        place(slides, body, 0.9 * len(shown))


def add_output(slides: list[Slide], output: dict) -> None:
    if output["output_type"] == "stream":
        text = "".join(output["text"]).strip()
        place(slides, f"<pre>{html.escape(text)}</pre>", 0.8 * (text.count("\n") + 1))
        return
    data = output.get("data", {})
    if "text/markdown" in data:  # a listing, between fences
        add_code(slides, "".join(data["text/markdown"]).split("```")[1].partition("\n")[2])
    elif "text/html" in data:
        add_html(slides, "".join(data["text/html"]), "claim" in output["metadata"])


def add_html(slides: list[Slide], body: str, is_claim: bool) -> None:
    """A result; or a table, figure, explorer or row of sound cards."""
    if is_claim:
        place(slides, body, height(body))
    elif "dtfa-sounds" in body:
        place(slides, body, CARDS)
    elif "<table" in body and len(re.sub(r"<[^>]+>", "", body)) > TABLE:
        slides[-1].notes.append(body)
    elif "<table" in body:
        place(slides, f'<div class="wide">{body}</div>', min(LINES, 2 + body.count("<tr")))
    else:
        kind = "explorer" if "dtfa-explorer" in body else "picture"
        last = slides[-1]
        if last.lines > ABOVE[kind]:
            slides.append(Slide(last.title))
        lines = PICTURE if kind == "picture" else LINES
        still = " data-prevent-swipe" * (kind == "explorer")  # a finger moves what is in it
        slides[-1].add(f'<div class="{kind}"{still}>{body}</div>', lines)


def markup(slide: Slide) -> str:
    notes = f'<aside class="notes">{"".join(slide.notes)}</aside>' if slide.notes else ""
    body = f'<div class="body">{"".join(slide.items)}</div>'
    return f"<section><h2>{slide.title}</h2>{body}{notes}</section>\n"


if __name__ == "__main__":
    main()
