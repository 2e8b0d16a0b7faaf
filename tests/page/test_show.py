import base64
import io
import re

import matplotlib.pyplot as plt
import pytest
import soundfile
import torch
import yaml
from conftest import ROOT
from IPython.utils.capture import capture_output

from utils.features.mss import MSS
from utils.page import figures, show
from utils.page.colours import DARK, LIGHT
from utils.synth import am_chirp


def shown(function, *args, kind="text/html", **kwargs):
    with capture_output() as captured:
        function(*args, **kwargs)
    return captured.outputs[0].data[kind]


def test_figure_carries_its_texts_and_is_closed():
    fig = plt.figure()
    page = shown(show.figure, fig, alt='a "blank" <page>', caption="Nothing.")
    assert 'alt="a &quot;blank&quot; &lt;page&gt;"' in page
    assert "<figcaption>Nothing.</figcaption>" in page
    assert not plt.fignum_exists(fig.number)


def drawings_of(page):
    """The images of an output, as SVG: for a column, for a phone."""
    wide = re.search(r'src="data:image/svg\+xml;base64,([^"]+)', page)[1]
    phone = re.search(r'srcset="data:image/svg\+xml;base64,([^"]+)', page)
    return [base64.b64decode(each).decode() for each in (wide, *(phone.groups() if phone else ()))]


def test_a_figure_is_a_vector_graphic_for_light_and_dark_and_the_same_each_time():
    first, again = (figure_of(plt.plot, [0, 1], color=LIGHT["jtfs"]) for _ in range(2))
    assert first == again
    (svg,) = drawings_of(first)
    sheet, _, drawn = svg.partition("</style>")
    assert "stroke: var(--dtfa-jtfs)" in drawn and LIGHT["jtfs"] not in drawn
    light, dark = sheet.split("@media (prefers-color-scheme:dark)")
    assert f"--dtfa-jtfs:{LIGHT['jtfs']}" in light and f"--dtfa-jtfs:{DARK['jtfs']}" in dark
    drawing = shown(show.drawing, figures.OPERATORS, alt="boxes", caption="Boxes.")
    assert "var(--dtfa-ink)" in drawings_of(drawing)[0]


def figure_of(draw, *data, **kwargs):
    fig = plt.figure()
    draw(*data, **kwargs)
    return shown(show.figure, fig, alt="nothing", caption="Nothing.")


def test_a_figure_has_a_drawing_for_a_phone_and_says_how_large_both_are():
    x = am_chirp(torch.tensor([[8.0, 1.0], [4.0, 2.0]]), duration=0.5)
    maps = figures.sounds({"one": x[0], "other": x[1]})
    page = shown(show.figure, maps, alt="two chirps", caption="Delayed by 2^10.")
    assert "Delayed by 2¹⁰." in page
    assert re.findall(r'width="(\d+)" height', page) == ["331", "662"]
    for svg in drawings_of(page):
        assert svg.count("<image") == 3 and "pixelated" not in svg  # scalograms, and a scale
        assert ">other</text>" in svg  # is text


def test_players_are_labelled_and_equally_loud():
    x = am_chirp(torch.tensor([8.0, 1.0]))
    page = shown(show.audio, {"soft <one>": x, "loud": 1000 * x}, 8192)
    assert 'aria-label="soft &lt;one&gt;"' in page
    files = re.findall(r"data:audio/wav;base64,([^\"]+)", page)
    (soft, rate), (loud, _) = (soundfile.read(io.BytesIO(base64.b64decode(f))) for f in files)
    assert rate == 8192
    assert len(soft) == 32768
    assert abs(soft - loud).max() < 1e-3
    assert 0.1 < abs(soft).max() <= 1


def test_loudness_is_that_of_the_loudest_part_without_clipping():
    burst, click, silence = torch.zeros(3, 8192)
    burst[:4096] = torch.randn(4096, generator=torch.Generator().manual_seed(0))
    steady = burst[:4096].repeat(2)
    one, other = (show.at_loudness(x, 8192)[:4096] for x in (burst, steady))
    assert one.norm().item() == pytest.approx(other.norm().item(), rel=0.05)
    click[100] = 1e-6
    assert show.at_loudness(click, 8192).abs().max() == 1
    assert show.at_loudness(silence, 8192).abs().max() == 0


def test_source_lists_what_runs_without_docstrings_and_links_to_the_rest():
    text = shown(show.source, am_chirp, kind="text/markdown")
    assert text.startswith("```python\n@parameters(")
    assert "torch.sin(" in text
    assert '"""' not in text and "\n\n    f_m" not in text
    address = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    assert text.endswith(f"[`utils/synth.py`]({address}/blob/main/utils/synth.py)")
    listed = shown(show.source, MSS, kind="text/markdown")
    assert re.match(r"```python\nclass MSS\(.+\):\n    def __init__\(", listed)
    assert '"""' not in listed and "def forward(self" in listed


def test_table_has_a_caption_and_heads():
    page = shown(show.table, ("loss", "a < b"), [("MSS", "yes & no")], caption="Of <two>")
    assert '<caption style="caption-side:top">Of &lt;two&gt;</caption>' in page
    assert re.findall(r"<th [^>]*>(.*?)</th>", page) == ["loss", "a &lt; b"]
    assert re.findall(r"<td[^>]*>(.*?)</td>", page) == ["MSS", "yes &amp; no"]
    assert 'style="color:var(--dtfa-mss)">MSS<' in page
