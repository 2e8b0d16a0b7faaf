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
from matplotlib.figure import Figure
from torch import Tensor

REPOSITORY = "https://github.com/dtfa-book/dtfa"  # as in _config.yml
SHRINKS = 0.6  # of its own width, as far as a figure may shrink
VECTORS = 250_000  # bytes, beyond which a figure is not a vector graphic
LOUDNESS = 0.1  # root mean square of the loudest part of each sound, of full scale


def figure(fig: Figure, alt: str, caption: str) -> None:
    """Show a figure and close it. `alt` replaces it for the blind; `caption` explains it to all."""
    # Asked of the axes: `fig.findobj` would look through every tick, for a tenth of a second.
    for mesh in (each for axes in fig.axes for each in axes.collections):
        if isinstance(mesh, QuadMesh):
            mesh.set_rasterized(True)  # thousands of cells are pixels in either
    for kind in ("svg+xml", "png"):  # pixels where vectors would be large
        file, texts = io.BytesIO(), {"Date": None}
        with plt.rc_context({"svg.hashsalt": "dtfa"}):  # the same figure, the same file
            fig.savefig(file, format=kind[:3], dpi=144, bbox_inches="tight", metadata=texts)
        if file.tell() <= VECTORS:
            break
    width = 96 * fig.get_figwidth()  # an inch in CSS
    _show_image(kind, file.getvalue(), width, alt, caption)
    plt.close(fig)


def drawing(file: Path, alt: str, caption: str) -> None:
    """Show an SVG file, which states its width in pixels, as `figure` shows a figure."""
    svg = file.read_bytes()
    _show_image("svg+xml", svg, int(re.search(rb'width="(\d+)"', svg)[1]), alt, caption)


def _show_image(kind: str, content: bytes, width: float, alt: str, caption: str) -> None:
    """Show an image of `width` pixels.

    A narrow screen scrolls a wide one sideways, rather than shrink its letters out of sight. The
    class keeps the theme's dark mode from distorting the colours.
    """
    image = (
        f'<img class="dark-light" alt="{html.escape(alt)}" '
        f'src="data:image/{kind};base64,{base64.b64encode(content).decode()}" '
        f'style="max-width:100%;min-width:{SHRINKS * width:.0f}px;background:white">'
    )
    if SHRINKS * width > 340:  # which a narrow screen leaves
        image = _scrolling(image, caption)
    display(HTML(f"<figure>{image}<figcaption>{html.escape(caption)}</figcaption></figure>"))


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
    """Show a table of texts under a caption; a narrow screen scrolls it sideways."""
    head = "".join(f'<th scope="col">{html.escape(each)}</th>' for each in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(each)}</td>" for each in row) + "</tr>" for row in rows
    )
    whole = (
        f'<table class="table"><caption style="caption-side:top">{html.escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
    display(HTML(_scrolling(whole, caption)))


def _scrolling(wide: str, label: str) -> str:
    """HTML that a narrow screen scrolls sideways, by finger or keyboard."""
    return (
        f'<div role="region" aria-label="{html.escape(label)}" tabindex="0" '
        f'style="overflow-x:auto">{wide}</div>'
    )


def source(function: Callable) -> None:
    """List a function or class of the library as it runs, without docstrings; link to its file."""
    code = textwrap.dedent(inspect.getsource(function)).rstrip()
    code = re.sub(r'^ *r?""".*?"""\n\n?', "", code, flags=re.M | re.S)
    name = function.__module__.replace(".", "/") + ".py"
    link = f"The whole file: [`{name}`]({REPOSITORY}/blob/main/{name})"
    display(Markdown(f"```python\n{code}\n```\n\n{link}"))
