"""Make the decks from `book/deck.md` and the executed chapters, in `_build/slides`.

`index.html` is for three hours, `short.html` for one; all that they need lies beside them. Where
there is a Chromium, `handout.pdf` holds the long deck with its notes.
"""

import base64
import html
import json
import re
import shutil
import sys
from importlib.resources import files
from itertools import accumulate, groupby
from pathlib import Path

import segno
import yaml
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from utils.page import deck  # noqa: E402

EXECUTED = ROOT / "_build" / "executed"
SLIDES = ROOT / "_build" / "slides"
TALK = Path(__file__).parent / "slides"  # style and script of the decks
PAGES = {"long": "index.html", "short": "short.html"}

MARKDOWN = MarkdownIt("commonmark", {"html": True}).use(
    dollarmath_plugin,
    renderer=lambda text, options: (
        rf"\[{html.escape(text)}\]" if options["display_mode"] else rf"\({html.escape(text)}\)"
    ),
)


def main() -> None:
    from build import kit  # with all of Jupyter Book

    slides, shown = deck.read(ROOT / "book" / "deck.md"), Chapters()
    shutil.rmtree(SLIDES, ignore_errors=True)
    for part in ("dist", "plugin/notes", "plugin/zoom"):
        reveal = files("sphinx_revealjs") / "_static/revealjs" / part
        shutil.copytree(reveal, SLIDES / "reveal" / part)
    shutil.copytree(files("sphinx-mathjax-offline") / "static/mathjax", SLIDES / "mathjax")
    style = (TALK / "deck.css").read_text(encoding="utf-8") + kit(ROOT)["css"]
    style += HtmlFormatter(style="default").get_style_defs(".code")
    template = (TALK / "deck.html").read_text(encoding="utf-8").replace("<!-- STYLE -->", style)
    template = template.replace("<!-- SCRIPT -->", kit(ROOT)["js"])
    for name, page in PAGES.items():
        chosen, parts = deck.of(name, slides), []
        clock = [0, *accumulate(slide.minutes for slide in chosen)]
        timed = zip(chosen, clock, strict=False)
        for part, group in groupby(timed, key=lambda pair: pair[0].part):
            inner = "".join(section(slide, minute, shown) for slide, minute in group)
            parts.append(f'<section id="{part}">{inner}</section>')
        content = "\n".join(parts)
        page = SLIDES / page
        page.write_text(template.replace("<!-- SLIDES -->", content), encoding="utf-8")
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser:
        handout(browser, slides)
    print("Open _build/slides/index.html")


class Chapters:
    """What slides may name: the cells of executed chapters, claims, and words of the settings."""

    def __init__(self):
        book = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
        site = book["sphinx"]["config"]["ogp_site_url"]
        form = f"{book['repository']['url']}/issues/new?template=feedback.yml"
        self.words = {
            "speakers": book["author"],
            "site": f'<a href="{site}">{site.removeprefix("https://").rstrip("/")}</a>',
            "feedback": f'<a href="{form}">a three-question form</a>',
        }
        code = segno.make(site, error="m").svg_data_uri(scale=8, border=2)
        self.html = {"qr": f'<div class="picture"><img src="{code}" alt="QR code of {site}"></div>'}
        for path in sorted(EXECUTED.glob("*.ipynb")):
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
                self._add(cell)

    def _add(self, cell: dict) -> None:
        outputs = cell.get("outputs", ())
        claims = [each for each in outputs if "claim" in each.get("metadata", {})]
        for each in claims:
            name = each["metadata"]["claim"]["name"]
            self.html[f"claim:{name}"] = "".join(each["data"]["text/html"])
        parts = [rendered(each) for each in outputs if each not in claims]
        self.html[cell["id"]] = "\n".join(filter(None, parts))
        source = re.sub(r"^# @title .*\n", "", "".join(cell["source"]))
        code = highlight(source, PythonLexer(), HtmlFormatter(cssclass="code"))
        self.html[f"{cell['id']}:code"] = code

    def fill(self, text: str) -> str:
        """Markdown as HTML, with what it names; a KeyError if that is gone."""
        text = re.sub(r"\{\{(\w+)\}\}", lambda found: self.words[found[1]], text)
        body = MARKDOWN.render(text)
        named = r"<p>((?:!\[\[[\w:-]+\]\]\s*)+)</p>"
        return re.sub(named, lambda found: "".join(self._named(found[1])), body)

    def _named(self, text: str):
        for name in re.findall(r"\[\[([\w:-]+)\]\]", text):
            if not self.html.get(name):
                raise KeyError(f"book/deck.md names {name!r}, which no executed chapter shows")
            yield self.html[name]


def rendered(output: dict) -> str:
    """An output of a cell as a block of a slide."""
    if output["output_type"] == "stream":
        return f"<pre>{html.escape(''.join(output['text']).strip())}</pre>"
    body = "".join(output.get("data", {}).get("text/html", ""))
    body = re.sub(r'<source media="\(max-width.*?>', "", body)  # drawings for telephones
    if "dtfa-explorer" in body:  # a finger moves what is in it
        return f'<div class="explorer" data-prevent-swipe>{body}</div>'
    kinds = {"row": "dtfa-sounds", "wide": "<table", "picture": "<figure"}
    kind = next((kind for kind, mark in kinds.items() if mark in body), "other")
    return f'<div class="{kind}">{body}</div>' if body else ""


def section(slide: deck.Slide, minute: float, shown: Chapters) -> str:
    """A slide in HTML; `minute` says when it should begin."""
    head = "h1" if slide.kind == "section" else "h2"
    notes = f"<p><b>{timing(slide, minute)}</b></p>{shown.fill(slide.notes)}"
    return (
        f'<section class="{slide.kind}"><{head}>{slide.title}</{head}>'
        f'<div class="body">{shown.fill(slide.body)}</div>'
        f'<aside class="notes">{notes}</aside></section>\n'
    )


def timing(slide: deck.Slide, minute: float) -> str:
    """When a slide begins, and how long it lasts."""
    return f"From minute {minute:g}, for {slide.minutes:g}"


def handout(browser: str, slides: list) -> None:
    """Print the long deck, three slides a page beside their notes."""
    from playwright.sync_api import sync_playwright

    rows = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1280, "height": 720})
        page.goto((SLIDES / "index.html").as_uri())
        page.evaluate("deck.then(() => null)")
        clock = accumulate((slide.minutes for slide in slides), initial=0)
        for number, (slide, minute) in enumerate(zip(slides, clock, strict=False), 1):
            picture = base64.b64encode(page.screenshot(type="jpeg", quality=80)).decode()
            rows.append(
                f'<tr><td>{number}<td><img src="data:image/jpeg;base64,{picture}">'
                f"<td><b>{timing(slide, minute)}.</b> {MARKDOWN.renderInline(slide.notes)}"
            )
            page.keyboard.press("ArrowRight")
        style = (TALK / "handout.css").read_text(encoding="utf-8")
        page.set_content(f"<style>{style}</style><table>{''.join(rows)}</table>")
        page.pdf(path=SLIDES / "handout.pdf", format="A4")
        chromium.close()


if __name__ == "__main__":
    main()
