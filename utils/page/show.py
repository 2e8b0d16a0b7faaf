"""What a page shows: figures with alternative text, sounds to play, tables, the source that runs.

Each emits plain HTML or Markdown, so that it survives on the site, in Jupyter, in Colab and in
the slides.
"""

import ast
import base64
import html
import inspect
import io
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
from IPython.display import Markdown, display
from jaxtyping import Float
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from torch import Tensor

from .sounds import players

REPOSITORY = "https://github.com/dtfa-book/dtfa"  # as in _config.yml
PACKAGE = Path(__file__).resolve().parents[1]
CSS_INCH = 96  # pixels
SHRINKS = 0.6  # of its own width, as far as a figure may shrink
PHONE = 340  # pixels, the width that a narrow screen leaves
VECTORS = 250_000  # bytes, beyond which a figure is not a vector graphic


def figure(fig: Figure, alt: str, caption: str) -> None:
    """Show a figure and close it. `alt` replaces it for the blind; `caption` explains it to all."""
    source, width = _picture(fig), fig.get_figwidth() * CSS_INCH
    plt.close(fig)
    # The class keeps the theme's dark mode from distorting the colours. A narrow screen scrolls a
    # wide figure sideways, rather than shrink its letters out of sight.
    image = (
        f'<img class="dark-light" src="{source}" alt="{html.escape(alt)}" '
        f'style="max-width:100%;min-width:{SHRINKS * width:.0f}px;background:white">'
    )
    if SHRINKS * width > PHONE:
        image = _scrolling(image, caption)
    markup(f"<figure>{image}<figcaption>{html.escape(caption)}</figcaption></figure>", plain=alt)


def _picture(fig: Figure) -> str:
    """A figure as a data address: vector graphics, or pixels where those would be large."""
    # Asked of the axes: `fig.findobj` would look through every tick, for a tenth of a second.
    for mesh in (each for axes in fig.axes for each in axes.collections):
        if isinstance(mesh, QuadMesh):
            mesh.set_rasterized(True)  # thousands of cells are pixels in either
    kind, written = "svg+xml", _saved(fig, "svg", metadata={"Date": None})
    if len(written) > VECTORS:
        kind, written = "png", _saved(fig, "png")
    return f"data:image/{kind};base64,{base64.b64encode(written).decode()}"


def _saved(fig: Figure, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    with plt.rc_context({"svg.hashsalt": "dtfa"}):  # the same figure, the same file
        fig.savefig(buffer, format=kind, dpi=144, bbox_inches="tight", **options)
    return buffer.getvalue()


def audio(sounds: Mapping[str, Float[Tensor, " _"]], sample_rate: int) -> None:
    """Show a player for each sound (N,), all at the same loudness, under its label."""
    markup(players(sounds, sample_rate), plain=f"Sounds: {', '.join(sounds)}")


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
    plain = "\n".join(" | ".join(row) for row in (columns, *rows))
    markup(_scrolling(whole, caption), plain=plain)


def _scrolling(wide: str, label: str) -> str:
    """HTML that a narrow screen scrolls sideways, by finger or keyboard."""
    return (
        f'<div role="region" aria-label="{html.escape(label)}" tabindex="0" '
        f'style="overflow-x:auto">{wide}</div>'
    )


def source(function: Callable) -> None:
    """List a function or class as it runs, without docstrings, and link to its file."""
    lines = textwrap.dedent(inspect.getsource(function)).rstrip().splitlines()
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            text = node.body[0]
            lines[text.lineno - 1 : text.end_lineno] = [None] * (text.end_lineno - text.lineno + 1)
            if lines[text.end_lineno :][:1] == [""]:
                lines[text.end_lineno] = None
    shown = "```python\n" + "\n".join(line for line in lines if line is not None) + "\n```"
    path = Path(inspect.getsourcefile(inspect.unwrap(function))).resolve()
    if path.is_relative_to(PACKAGE):
        name = path.relative_to(PACKAGE.parent).as_posix()
        shown += f"\n\nThe whole file: [`{name}`]({REPOSITORY}/blob/main/{name})"
    display(Markdown(shown))


def markup(html_text: str, plain: str) -> None:
    """Show HTML, and `plain` where there is none to be seen."""
    display({"text/html": html_text, "text/plain": plain}, raw=True)
