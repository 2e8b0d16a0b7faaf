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


def test_a_figure_is_a_vector_graphic_where_that_is_small_and_the_same_each_time():
    first, again = (figure_of(plt.plot, [0, 1]) for _ in range(2))
    assert first == again
    assert b"<svg" in base64.b64decode(re.search(r"svg\+xml;base64,([^\"]+)", first)[1])
    noise = torch.rand(2, 9999, generator=torch.Generator().manual_seed(0))
    assert 'src="data:image/png;base64,iVBOR' in figure_of(plt.scatter, *noise)


def figure_of(draw, *data, **kwargs):
    fig = plt.figure(**kwargs)
    draw(*data)
    return shown(show.figure, fig, alt="nothing", caption="Nothing.")


def test_what_is_wide_scrolls_on_a_narrow_screen_and_what_is_small_does_not():
    drawing = shown(show.drawing, figures.OPERATORS, alt="boxes", caption="Boxes.")
    for wide in (figure_of(plt.plot, figsize=(12, 3)), drawing):
        assert "overflow-x:auto" in wide and 'tabindex="0"' in wide
    assert "overflow-x" not in figure_of(plt.plot, figsize=(5, 3))


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
    assert re.findall(r'<th scope="col">(.*?)</th>', page) == ["loss", "a &lt; b"]
    assert re.findall(r"<td>(.*?)</td>", page) == ["MSS", "yes &amp; no"]
