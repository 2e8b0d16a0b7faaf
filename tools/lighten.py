"""Make the pages of the built site light: a reader waits for what is on the screen, and no more.

Pictures, sounds and the numbers of explorers become files, which a browser takes as they come into
view, from a folder too. Of the theme's styles one file remains, without what no page uses; of its
icons those that are used, without the script that draws them all.
"""

import base64
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

DATA = r'(src|srcset)="data:\w+/(\w+)[^;"]*;base64,([^"]+)"'
# Of the theme's scripts, those that only the search needs, or nothing does. `late.js` gets MathJax.
IDLE = r"fontawesome|sphinx_highlight|design-tabs|mathjax/"
SEARCH = r"searchtools|language_data|searchindex"
AT_ONCE = r"kit|documentation_options"  # which what stands in a page calls as it is read
STYLES = r'<link[^>]*href="([^"?]+\.css)[^>]*>\s*'
ICON = (
    ':is([class^="fa-"],[class*=" fa-"]){display:inline-block;width:1em;height:1em;background:'
    'currentColor;mask:var(--icon) center/contain no-repeat}[class*=" fa-"]::before{content:none'
    '!important}:root{--pst-icon-external-link:"\\2197"}'
)


def lighten(site: Path) -> None:
    """Rewrite the pages of a site in place."""
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    pages = {path: page for path, page in pages.items() if "</title>" in page}
    for path, page in pages.items():
        pages[path] = with_files(page, site, os.path.relpath(site, path.parent))
    scripts = [file for file in site.rglob("*.js") if "mathjax" not in file.parts]
    texts = {file.stem: file.read_text(encoding="utf-8") for file in scripts}
    del texts["searchindex"]
    icons = texts.pop("fontawesome")
    named = [name for page in pages.values() for name in re.findall(r'class="([^"]*)"', page)]
    known = set(re.findall(r"[\w-]+", " ".join([*named, *texts.values()])))
    drawn = ICON + "".join(icon(name, icons) for name in sorted(known) if name.startswith("fa-"))
    for path, page in pages.items():
        sheets = [sheet(path.parent / link) for link in re.findall(STYLES, page)]
        css = "".join(used("\n".join(sheets), known)) + drawn
        link = f"{os.path.relpath(site, path.parent)}/{store(site, css.encode(), 'css')}"
        idle = IDLE if path.stem == "search" else f"{IDLE}|{SEARCH}"
        page = re.sub(rf'{STYLES}|<link rel="preload"[^>]*>\s*', "", page)
        page = re.sub(rf'<script[^>]* src="[^"]*(?:{idle})[^>]*></script>\s*', "", page)
        page = re.sub(rf'<script (?=[^>]*src="(?![^"]*(?:{AT_ONCE})\.js))', "<script defer ", page)
        if sheets:
            page = page.replace("</title>", f'</title>\n<link rel="stylesheet" href="{link}">', 1)
        path.write_text(page, encoding="utf-8")


def store(site: Path, content: bytes, kind: str) -> str:
    """The address, within the site, of a file with this content."""
    name = f"_static/parts/{hashlib.sha256(content).hexdigest()[:16]}.{kind}"
    (site / name).parent.mkdir(exist_ok=True)
    (site / name).write_bytes(content)
    return name


def with_files(page: str, site: Path, up: str) -> str:
    """A page that refers to files for what it holds as data."""

    def media(match: re.Match) -> str:
        return f'{match[1]}="{up}/{store(site, base64.b64decode(match[3]), match[2])}"'

    def numbers(match: re.Match) -> str:
        name = store(site, f'document.currentScript.data = "{match[2]}";'.encode(), "js")
        return f'{match[1]} data-src="{up}/{name}"></script>'

    page = re.sub("<img (?![^>]* loading=)", '<img loading="lazy" ', page)
    page = re.sub(DATA, media, page)
    return re.sub(r'(<script[^>]* class="dtfa-data")>([^<]+)</script>', numbers, page)


def sheet(file: Path) -> str:
    """A style sheet with those that it imports, without comments."""
    css = re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.S)
    return re.sub(r'@import "([^"]+)";', lambda found: sheet(file.parent / found[1]), css)


def used(css: str, known: set[str]) -> Iterator[str]:
    """The rules of a style sheet whose classes are all known, and no font of icons."""
    depth, start, opened = 0, 0, 0
    for token in re.finditer(r"\"[^\"]*\"|'[^']*'|[{}]", css):
        if token[0] == "{":
            opened = opened if depth else token.end()
            depth += 1
        elif token[0] == "}":
            depth -= 1
            if depth == 0:
                yield from rule(css[start : opened - 1].strip(), css[opened : token.start()], known)
                start = token.end()


def rule(head: str, body: str, known: set[str]) -> Iterator[str]:
    if head.startswith(("@media", "@supports", "@container")):
        inner = "".join(used(body, known))
        yield f"{head}{{{inner}}}" if inner else ""
    elif head.startswith("@"):
        yield "" if "Font Awesome" in body else f"{head}{{{body}}}"
    else:
        selectors = re.split(r",(?![^(]*\))", head)
        kept = [each for each in selectors if classes(each) <= known]
        yield f"{','.join(kept)}{{{body}}}" if kept else ""


def classes(selector: str) -> set[str]:
    """The classes of the theme without which a selector matches nothing: not those in :is()."""
    return set(
        re.findall(r"\.(?!dtfa)(-?[A-Za-z_][\w-]*)", re.sub(r"\(.*\)|\[.*?\]", "", selector))
    )


def icon(name: str, icons: str) -> str:
    """The rule for an icon, from the theme's script; nothing, for what is no icon."""
    found = re.search(rf'\b"?{name[3:]}"?:\[(\d+),(\d+),\[[^\]]*\],"\w+","([^"]+)"', icons)
    if not found:
        return ""
    svg = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} {}'><path d='{}'/></svg>"
    return f'.{name}{{--icon:url("data:image/svg+xml,{svg.format(*found.groups())}")}}'
