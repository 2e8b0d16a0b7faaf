"""What a page shows: figures with alternative text, sounds to play, tables, the source that runs.

Each emits plain HTML or Markdown, so that it survives on the site, in Jupyter, in Colab and in
the slides.
"""

import base64
import html
import inspect
import io
from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import soundfile
import torch
from IPython.display import Markdown, display
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from torch import Tensor

from .. import checks

LOUDNESS = 0.1  # root mean square of the loudest part of each sound, of full scale
CSS_INCH = 96  # pixels
SHRINKS = 0.6  # of its own width, as far as a figure may shrink
PHONE = 340  # pixels, the width that a narrow screen leaves
VECTORS = 250_000  # bytes, beyond which a figure is not a vector graphic
MOST_HERTZ = 2**20  # several times what any player takes
LOUDEST_PART = 0.4  # seconds, the window of momentary loudness in ITU-R BS.1770


def figure(fig: Figure, alt: str, caption: str) -> None:
    """Show a Matplotlib figure with alternative text and a caption, and close it.

    Parameters
    ----------
    alt : says what to see, to one who cannot see it.
    caption : says what it means, to all.

    Raises
    ------
    ValueError
        If one of the texts is empty.
    """
    checks.instance("fig", fig, Figure)
    for name, text in (("alt", alt), ("caption", caption)):
        checks.text(name, text)
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
    drawn = (each for axes in fig.axes for each in axes.collections)
    for mesh in (each for each in drawn if isinstance(each, QuadMesh)):
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


def audio(sounds: Mapping[str, Tensor], sample_rate: int) -> None:
    """Show a player for each sound (N,), all at the same loudness, under its label.

    The loudest 0.4 seconds of each sound get the same root mean square. A sound whose peaks
    would then clip is made softer instead. Silence stays silence.

    Raises
    ------
    TypeError, ValueError
        If a sound is not a finite tensor (N,), or a label is empty.
    """
    players = []
    checks.integer("sample_rate", sample_rate, least=1, most=MOST_HERTZ)
    for label, x in checks.mapping("sounds", sounds).items():
        checks.floating(f"sounds[{label!r}]", x)
        if x.ndim != 1 or not label.strip():
            raise ValueError(
                f"sounds[{label!r}] has shape {tuple(x.shape)}; expected a label and a sound (N,)"
            )
        name = html.escape(label)
        players.append(
            f'<figure style="display:inline-block;margin:0 0.5em 0.5em 0">'
            f"<figcaption>{name}</figcaption>"
            f'<audio controls preload="metadata" style="width:14.5rem" aria-label="{name}" '
            f'src="{_wav(x, sample_rate)}">'
            f"</audio></figure>"
        )
    markup(f"<div>{''.join(players)}</div>", plain=f"Sounds: {', '.join(sounds)}")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> None:
    """Show a table of texts under a caption; a narrow screen scrolls it sideways.

    Raises
    ------
    ValueError
        If a row has another number of cells than there are columns, or the caption is empty.
    """
    checks.text("caption", caption)
    columns = [_cell("columns", each) for each in checks.items("columns", columns)]
    rows = [
        [_cell(f"rows[{k}]", each) for each in checks.items(f"rows[{k}]", row)]
        for k, row in enumerate(checks.items("rows", rows))
    ]
    for k, row in enumerate(rows):
        if len(row) != len(columns):
            raise ValueError(
                f"rows[{k}] has {len(row)} cells and columns {len(columns)}; expected "
                f"{len(columns)} cells in each row"
            )
    head = "".join(f'<th scope="col">{html.escape(each)}</th>' for each in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(each)}</td>" for each in row) + "</tr>" for row in rows
    )
    whole = (
        f'<table class="table"><caption style="caption-side:top">{html.escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
    markup(
        _scrolling(whole, caption),
        plain="\n".join(" | ".join(row) for row in (columns, *rows)),
    )


def _cell(name: str, value: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} holds {value!r}, a {type(value).__name__}; expected texts")
    return value


def _scrolling(wide: str, label: str) -> str:
    """HTML that a narrow screen scrolls sideways, by finger or keyboard."""
    return (
        f'<div role="region" aria-label="{html.escape(label)}" tabindex="0" '
        f'style="overflow-x:auto">{wide}</div>'
    )


def source(function: Callable) -> None:
    """List the source of the function or class that runs, highlighted by the page itself."""
    text = inspect.getsource(checks.function("function", function)).rstrip()
    display(Markdown(f"```python\n{text}\n```"))


def _wav(x: Tensor, sample_rate: int) -> str:
    """A sound as a data address: 16-bit WAV at the common loudness."""
    samples = at_loudness(x.detach().cpu().double(), sample_rate)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples.numpy(), int(sample_rate), format="WAV", subtype="PCM_16")
    return f"data:audio/wav;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def at_loudness(x: Tensor, sample_rate: int) -> Tensor:
    """A sound (N,) scaled to the common loudness, with peaks within [-1, 1].

    Raises
    ------
    TypeError, ValueError
        If the sound is not a finite tensor (N,), or the rate is none.
    """
    checks.floating("x", x, ndim=1)
    checks.integer("sample_rate", sample_rate, least=1, most=MOST_HERTZ)
    part = min(len(x), max(1, round(LOUDEST_PART * sample_rate)))
    power = torch.nn.functional.avg_pool1d(x.square()[None], part, stride=max(1, part // 4)).max()
    if power == 0:
        return x
    louder = x * LOUDNESS / power.sqrt()
    return louder / louder.abs().max().clamp(min=1)


def markup(html_text: str, plain: str) -> None:
    """Show HTML, and `plain` where there is none to be seen."""
    checks.text("html_text", html_text)
    checks.instance("plain", plain, str)
    display({"text/html": html_text, "text/plain": plain}, raw=True)
