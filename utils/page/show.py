"""What a page shows: figures with alternative text, sounds to play, tables, the source that runs.

Each emits HTML or Markdown, for the site, Jupyter, Colab and the slides alike.
"""

import base64
import html
import inspect
import io
import os
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import soundfile
import torch
from IPython.display import HTML, Markdown, display
from jaxtyping import Float
from matplotlib.collections import QuadMesh
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ..synth import SAMPLE_RATE
from .colours import DARK_PAGE, EDGE, LIGHT, MARK, SHEET, TRUTH, role_of, style, variables
from .typeset import typeset

REPOSITORY = "https://github.com/dtfa-book/dtfa"  # as in _config.yml
SCRIPTS = Path(__file__).parent / "scripts"
ROWS, COLUMNS, AIR = 68, 128, 8  # of a scalogram: rows; columns a second; those about a sound
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
    # Browsers may smooth the few pixels of a map; points are 72 an inch, of which CSS has 96.
    svg = re.sub(r"image-rendering:[\w-]+;?", "", file.getvalue())
    points = r'(width|height)="([\d.]+)pt"'
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


def sounds(
    named: Mapping[str, Float[Tensor, " _"]],
    alt: str = "",
    caption: str = "",
    sample_rate: int = SAMPLE_RATE,
) -> None:
    """Show a card for each sound (N,): its scalogram, which plays when clicked, under its label.

    All are equally loud, and cropped to the time in which any of them sounds. `alt` describes the
    pictures to the blind.
    """
    waves = pad_sequence([x.detach().cpu().double() for x in named.values()], batch_first=True)
    levels = torch.stack([level(wave, sample_rate) for wave in waves])
    rows, columns = _crop(levels.amax((0, 2)), 30), _crop(levels.amax((0, 1)), COLUMNS)
    line = (36.5 - rows.start) / (rows.stop - rows.start)  # of 512 Hz
    place = f"--line:{line:.3f};--seconds:{(columns.stop - columns.start) / COLUMNS:.3f}"
    heard = slice(*(sample_rate // COLUMNS * end for end in (columns.start, columns.stop)))
    cards = "".join(
        _card(_text(label), at_loudness(wave, sample_rate)[heard], picture, sample_rate)
        for label, wave, picture in zip(named, waves, levels[:, rows, columns], strict=True)
    )
    style, script = kit("card")
    group = f'role="group" aria-label="{_text(alt or "Sounds")}" style="{place}"'
    caption = caption and f"<figcaption>{_text(caption)}</figcaption>"
    row = f'<div class="dtfa-row" {group}>{cards}</div>'
    display(HTML(f'{style}<figure class="dtfa-sounds">{row}{caption}</figure>{script}'))


def _crop(loudest: Tensor, least: int) -> slice:
    """Where levels are above zero, with some air; `least` places at least, if there are so many."""
    found = loudest.nonzero().flatten().tolist() or [0, len(loudest) - 1]
    spare = max(2 * AIR, least - (found[-1] + 1 - found[0])) // 2
    return slice(max(0, found[0] - spare), min(len(loudest), found[-1] + 1 + spare))


def _card(label: str, sound: Tensor, picture: Tensor, sample_rate: int) -> str:
    """HTML of a sound card; `parts.js` makes the same for sounds of the browser."""
    flac, image = io.BytesIO(), io.BytesIO()
    soundfile.write(flac, sound.numpy(), sample_rate, format="FLAC", subtype="PCM_16")
    grey = {"cmap": "gray_r", "vmin": 0, "vmax": 1, "origin": "lower"}
    plt.imsave(image, picture.numpy(), format="webp", pil_kwargs={"quality": 85}, **grey)
    rows, columns = picture.shape
    return (
        f'<div class="dtfa-card" style="--ink:var(--dtfa-{role_of(label)})">'
        f'<button type="button" aria-label="Play: {label}" aria-pressed="false">'
        f'<span class="dtfa-picture"><img alt="" width="{columns}" height="{rows}" loading="lazy" '
        f'src="{_address("image/webp", image)}"><i></i></span>'
        f'<span class="dtfa-name">{label}</span></button>'
        f'<audio controls preload="none" src="{_address("audio/flac", flac)}"></audio></div>'
    )


def _address(kind: str, file: io.BytesIO) -> str:
    return f"data:{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


def kit(*scripts: str) -> tuple[str, str]:
    """The look of sound cards and explorers, and some of their scripts, as HTML.

    Each output brings them along, since each may stand alone. The site and the deck have them in
    the heads of their pages, where a change of them executes no chapter.
    """
    rules = f"{SHEET}:root{{--dtfa-blend:screen;--mark:{MARK};--edge:{EDGE};--truth:{TRUTH}}}"
    rules += f"{DARK_PAGE}{{--dtfa-blend:multiply;--dtfa-flip:invert(1)}}"
    if "DTFA_STILL" in os.environ:
        return f"<style>{rules}</style>", ""
    style = (SCRIPTS / "kit.css").read_text(encoding="utf-8")
    code = "\n".join((SCRIPTS / f"{name}.js").read_text(encoding="utf-8") for name in scripts)
    return f"<style>{rules}{style}</style>", f"<script>(() => {{\n{code}\n}})();</script>"


def level(x: Float[Tensor, " n"], sample_rate: int) -> Float[Tensor, "rows columns"]:
    """The level of a sound over log-frequency, from 64 Hz up, and time.

    Zero stands for anything 40 dB or more below the loudest point, which is one. `chirp.js`
    computes the same.
    """
    centres = 64 * 2 ** (torch.arange(ROWS)[:, None] / 12)
    hertz = torch.fft.fftfreq(len(x), 1 / sample_rate)
    wavelets = torch.exp(-0.5 * ((hertz - centres) / (0.08 * centres)) ** 2)
    moduli = torch.fft.ifft(wavelets * torch.fft.fft(x))[:, :: sample_rate // COLUMNS].abs()
    decibels = 20 * (moduli / moduli.max().clamp(min=torch.finfo(x.dtype).tiny)).log10()
    return (1 + decibels / 40).clamp(min=0).nan_to_num()


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
