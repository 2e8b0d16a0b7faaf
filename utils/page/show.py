"""What a page shows: figures with alternative text, sounds to play, tables, the source that runs.

Each emits HTML or Markdown, for the site, Jupyter, Colab and the slides alike.
"""

import base64
import html
import inspect
import io
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from IPython.display import HTML, Audio, Markdown, display
from jaxtyping import Float
from matplotlib.collections import QuadMesh
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from torch import Tensor

from .colours import LIGHT, SHEET, style, variables
from .typeset import typeset

REPOSITORY = "https://github.com/dtfa-book/dtfa"  # as in _config.yml
LOUDNESS = 0.1  # root mean square of the loudest part of each sound, of full scale


def figure(fig: Figure, alt: str, caption: str) -> None:
    """Show a figure and close it. `alt` replaces it for the blind; `caption` explains it to all.

    A figure of `figures` has a second drawing, which narrow screens show.
    """
    wide, *narrow = (_svg(each) for each in (fig, getattr(fig, "phone", None)) if each)
    _show_image(alt, caption, wide, *narrow)
    plt.close(fig)


def drawing(file: Path, alt: str, caption: str) -> None:
    """Show an SVG file, whose colours are those of the roles, as `figure` shows a figure."""
    _show_image(alt, caption, _adapt(file.read_text(encoding="utf-8")))


def _svg(fig: Figure) -> str:
    """A figure as SVG, in which maps and surfaces are pixels: their cells would show seams."""
    for image in (each for axes in fig.axes for each in axes.collections):
        if isinstance(image, (QuadMesh, ContourSet)):
            image.set_rasterized(True)
    file = io.StringIO()
    # Text stays text; the same figure makes the same file.
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": "dtfa"}):
        fig.savefig(file, format="svg", dpi=144, metadata={"Date": None})
    svg = file.getvalue()
    points = r'(width|height)="([\d.]+)pt"'  # 72 an inch, of which CSS has 96
    svg = svg.replace(
        "image-rendering:crisp-edges;image-rendering:pixelated", ""
    )  # of pictures drawn pixel for pixel
    svg = re.sub(points, lambda found: f'{found[1]}="{float(found[2]) / 0.75:.0f}"', svg)
    return _adapt(svg[svg.index("<svg") :])


def _adapt(svg: str) -> str:
    """SVG whose colours follow the scheme of the page around it, and whose letters its font."""
    for role, colour in LIGHT.items():
        svg = svg.replace(colour, f"var(--dtfa-{role})")
    sheet = (
        f":root{{{variables()}background:var(--dtfa-ground)}}"
        f"@media (prefers-color-scheme:dark){{:root{{{variables(dark=True)}}}}}"
        "text:not(.math){font-family:system-ui,-apple-system,'Segoe UI',Arial,sans-serif!important}"
    )
    return re.sub(r"(<svg[^>]*>)", rf"\1<style>{sheet}</style>", svg, count=1)


def _show_image(alt: str, caption: str, wide: str, narrow: str = "") -> None:
    """Show an image, or on a narrow screen another.

    The class keeps the theme's dark mode from distorting the colours.
    """
    source = f'<source media="(max-width: 40rem)" {_source("srcset", narrow)}>' if narrow else ""
    image = f'<img class="dark-light" alt="{html.escape(alt)}" {_source("src", wide)}'
    picture = f'<picture>{source}{image} style="max-width:100%;height:auto"></picture>'
    display(HTML(f"<figure>{picture}<figcaption>{_text(caption)}</figcaption></figure>"))


def _source(attribute: str, svg: str) -> str:
    """An SVG as the source of an image, with its size, so that the page can leave room."""
    size = re.search(r'width="\d+" height="\d+"', svg)[0]
    content = base64.b64encode(svg.encode()).decode()
    return f'{attribute}="data:image/svg+xml;base64,{content}" {size}'


def audio(sounds: Mapping[str, Float[Tensor, " _"]], sample_rate: int) -> None:
    """Show a player for each sound (N,), all at the same loudness, under its label."""
    players = []
    for label, x in sounds.items():
        name = html.escape(label)
        samples = at_loudness(x.detach().cpu().double(), sample_rate).numpy()
        sound = Audio(samples, rate=sample_rate, normalize=False).src_attr()
        players.append(
            f'<figure style="display:inline-block;margin:0 0.5em 0.5em 0">'
            f"<figcaption>{name}</figcaption>"
            f'<audio controls preload="metadata" style="width:14.5rem" aria-label="{name}" '
            f'src="{sound}"></audio></figure>'
        )
    display(HTML(f"<div>{''.join(players)}</div>"))


def at_loudness(x: Float[Tensor, " n"], sample_rate: int) -> Float[Tensor, " n"]:
    """A sound scaled to the common loudness, with peaks within [-1, 1].

    The loudest 0.4 seconds, as in the momentary loudness of ITU-R BS.1770, get the common root mean
    square. A sound whose peaks would then clip is made softer instead. Silence stays silence.
    """
    part = min(len(x), max(1, round(0.4 * sample_rate)))
    power = torch.nn.functional.avg_pool1d(x.square()[None], part, stride=max(1, part // 4)).max()
    louder = x * LOUDNESS / power.sqrt().clamp(min=torch.finfo(x.dtype).tiny)
    return louder / louder.abs().max().clamp(min=1)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> None:
    """Show a table of texts under a caption; a narrow screen scrolls it sideways.

    What names a loss, at the head of a row or a column, has the colour of that loss.
    """
    head = "".join(f'<th scope="col"{style(each)}>{_text(each)}</th>' for each in columns)
    body = ""
    for name, *texts in rows:
        cells = "".join(f"<td>{_text(each)}</td>" for each in texts)
        body += f"<tr><td{style(name)}>{_text(name)}</td>{cells}</tr>"
    whole = (
        f'<table class="table"><caption style="caption-side:top">{_text(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
    region = f'role="region" aria-label="{_text(caption)}" tabindex="0" style="overflow-x:auto"'
    display(HTML(f"<style>{SHEET}</style><div {region}>{whole}</div>"))


def _text(text: str) -> str:
    return html.escape(typeset(text))


def source(function: Callable) -> None:
    """List a function or class of the library as it runs, without docstrings; link to its file."""
    code = textwrap.dedent(inspect.getsource(function)).rstrip()
    code = re.sub(r'^ *r?""".*?"""\n\n?', "", code, flags=re.M | re.S)
    name = function.__module__.replace(".", "/") + ".py"
    link = f"The whole file: [`{name}`]({REPOSITORY}/blob/main/{name})"
    display(Markdown(f"```python\n{code}\n```\n\n{link}"))
