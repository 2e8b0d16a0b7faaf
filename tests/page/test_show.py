import base64
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import soundfile
import torch
import yaml
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT, watch
from IPython.utils.capture import capture_output

from utils.features.mss import MSS
from utils.page import figures, show
from utils.page.colours import DARK, LIGHT
from utils.synth import am_chirp, delay


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
    maps = figures.maps(
        {"one": torch.eye(8), "other": torch.ones(8, 8)}, 2.0 ** np.arange(9, 1, -1), 1.0
    )
    page = shown(show.figure, maps, alt="two maps", caption="Delayed by 2^10.")
    assert "Delayed by 2¹⁰." in page
    assert re.findall(r'width="(\d+)" height', page) == ["336", "720"]
    for svg in drawings_of(page):
        assert svg.count("<image") == 3 and "pixelated" not in svg  # pictures, and a scale
        assert ">other</text>" in svg  # is text


def test_sound_cards_are_labelled_equally_loud_and_cropped_to_what_sounds():
    x = am_chirp(torch.tensor([8.0, 1.0]))
    page = shown(
        show.sounds, {"soft <one>": x, "late": delay(1000 * x, 2**10)}, alt="two", caption="C"
    )
    assert 'aria-label="Play: soft &lt;one&gt;"' in page
    assert 'role="group" aria-label="two"' in page and "<figcaption>C</figcaption>" in page
    files = re.findall(r"data:audio/flac;base64,([^\"]+)", page)
    (soft, rate), (loud, _) = (soundfile.read(io.BytesIO(base64.b64decode(f))) for f in files)
    assert rate == 8192
    assert len(soft) == len(loud) < 2 * rate  # 1.1 s of sound, delayed by an eighth
    assert abs(soft[: -(2**10)] - loud[2**10 :]).max() < 0.01
    assert 0.1 < abs(soft).max() <= 1
    assert page.count("image/webp") == 2


def test_a_scalogram_shows_the_tone_where_it_is_and_silence_is_blank():
    tone = torch.sin(2 * torch.pi * 512 * torch.arange(16384.0, dtype=torch.float64) / 8192)
    level = show.level(tone, 8192)
    assert (level.argmax(0) == 36).all()  # three octaves of twelve rows above 64 Hz
    assert (show.level(0 * tone, 8192) == 0).all()
    shown(show.sounds, {"silence": 0 * tone})


@pytest.fixture
def cards(browser):
    """A page with two rows of sound cards, three and one."""
    chirps = {f"chirp {k}": am_chirp(torch.tensor([8.0, 0.5 + k])) for k in range(3)}
    body = shown(show.sounds, chirps, alt="three chirps")
    body += shown(show.sounds, {"alone": am_chirp(torch.tensor([4.0, 0.5]))}, alt="one chirp")
    page = watch(browser.new_page())
    page.set_content(
        f'<html lang="en"><title>Cards</title><main><h1>Cards</h1>{body}</main></html>'
    )
    yield page
    assert (page.said, page.asked) == ([], [])
    page.close()


PLAYING = """String([...document.querySelectorAll('.dtfa-card')].flatMap((card, k) =>
  card.querySelector('audio').paused && !card.querySelector('[aria-pressed=true]') ? [] : [k]))"""
AT = "k => document.querySelectorAll('audio')[k].currentTime"


def play(page, key, expected):
    page.keyboard.press(key) if isinstance(key, str) else key.click()
    page.wait_for_function(f"{PLAYING} === '{expected}'", timeout=3000)


def test_one_sound_at_a_time_by_click_and_key(cards):
    buttons = cards.locator(".dtfa-card button")
    play(cards, buttons.nth(0), "0")
    play(cards, buttons.nth(3), "3")
    play(cards, "Space", "")
    play(cards, "Enter", "3")
    play(cards, buttons.nth(3), "")
    buttons.nth(1).focus()
    play(cards, "Space", "1")
    cards.wait_for_function("document.querySelectorAll('audio')[1].ended")
    assert cards.locator("[aria-pressed=true]").count() == 0


def test_keys_switch_within_a_row_at_the_same_position(cards):
    cards.locator(".dtfa-card button").nth(0).focus()
    play(cards, "ArrowRight", "")  # nothing sounds: the focus moves alone
    play(cards, "Space", "1")
    cards.wait_for_function(f"({AT})(1) > 0.3")
    play(cards, "ArrowRight", "2")
    assert 0.3 <= cards.evaluate(AT, 2) < 0.8
    play(cards, "a", "0")
    assert 0.3 <= cards.evaluate(AT, 0) < 1.2
    assert cards.evaluate("document.activeElement.getAttribute('aria-label')") == "Play: chirp 0"
    play(cards, "B", "1")
    cards.evaluate("document.activeElement.blur()")
    play(cards, "c", "2")  # whatever has the focus, while a card of the row sounds
    at = "getComputedStyle(document.querySelectorAll('.dtfa-card')[2]).getPropertyValue('--at')"
    cards.wait_for_function(f"{at} > 0.2")


def test_axe_finds_no_violation_in_sound_cards(cards):
    assert Axe().run(cards).response["violations"] == []


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
    said = shown(show.table, ("claim",), [("With a delay, MSS is lost.",)], caption="Claims")
    assert "<td>With" in said  # a sentence is in no loss's colour
