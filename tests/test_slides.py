"""The decks, as they stand on a memory stick: opened from their folder, with no network."""

import subprocess
import sys

import pytest
import slides as tool
from conftest import ROOT, TAUGHT, drag_by_finger, watch
from playwright.sync_api import expect

from utils.page import deck as source

HEIGHT, LEAST = 720, 24  # pixels of a slide, and of its smallest letters
LEAST_IN_FIGURES = 14
SLIDES = source.read(ROOT / "book" / "deck.md")

MEASURE = """() => [...document.querySelectorAll('.slides > section > section')].map(slide => {
  const shown = slide.style.display;
  slide.style.display = 'flex';
  const body = slide.querySelector('.body');
  const size = e => parseFloat(getComputedStyle(e).fontSize);
  const seen = e => e.textContent.trim() && e.offsetParent;
  const drawn = image => {
    const [, data] = image.src.split('base64,');
    const text = data ? atob(data) : '';
    const scale = Math.min(image.clientWidth / image.naturalWidth,
                           image.clientHeight / image.naturalHeight) * 96 / 72;
    const sizes = [...text.matchAll(/font-size: ([\\d.]+)px/g)].map(m => m[1] * scale);
    return Math.min(...sizes, 99);
  };
  const found = {
    title: slide.querySelector('h1, h2').textContent,
    over: Math.max(body.scrollHeight - body.clientHeight, body.scrollWidth - body.clientWidth,
                   slide.scrollHeight - 720,
                   ...[...slide.querySelectorAll('pre')].map(e => e.scrollWidth - e.clientWidth)),
    letters: Math.min(...[...slide.querySelectorAll('h1, h2, p, li, pre, td, th, .dtfa-name')]
      .concat(...slide.querySelectorAll('.dtfa-explorer :is(button, label, output, .dtfa-title)'))
      .filter(e => !e.closest('aside') && seen(e)).map(size)),
    figures: Math.min(...[...body.querySelectorAll('.picture img')].map(drawn), 99),
  };
  slide.style.display = shown;
  return found;
})"""


@pytest.fixture(scope="module")
def made(executed):
    subprocess.run([sys.executable, ROOT / "tools/slides.py"], check=True, capture_output=True)


@pytest.fixture(scope="module", params=tool.PAGES)
def either(request, browser, made):
    """A page of each deck, and which it is."""
    yield from opened(browser, request.param)


@pytest.fixture(scope="module")
def deck(browser, made):
    yield from opened(browser, "long")


def opened(browser, name):
    screen = {"width": 1280, "height": HEIGHT}
    page = watch(browser.new_page(offline=True, viewport=screen))
    page.goto((tool.SLIDES / tool.PAGES[name]).as_uri())
    page.evaluate("deck.then(() => null)")
    page.name = name
    yield page
    page.close()


def test_decks_have_the_slides_of_the_source_and_need_nothing_from_elsewhere(either):
    expected = [slide.title for slide in source.of(either.name, SLIDES)]
    assert 80 < len(SLIDES) < 100 if either.name == "long" else 30 < len(expected) < 40
    titles = either.locator(".slides section section > :is(h1, h2)").all_text_contents()
    assert titles == expected
    parts = either.evaluate("[...document.querySelectorAll('.slides > section')].map(s => s.id)")
    assert either.name == "short" or {path.stem for path in TAUGHT} <= set(parts)
    assert (either.said, either.asked) == ([], [])


def test_nothing_overflows_and_letters_can_be_read_from_the_back(either):
    for slide in either.evaluate(MEASURE):
        assert slide["over"] <= 1, slide
        assert slide["letters"] >= LEAST, slide
        assert slide["figures"] >= LEAST_IN_FIGURES, slide


def test_every_slide_has_something_to_say_and_every_figure_a_description(deck):
    assert deck.locator("aside.notes p").count() >= 2 * len(SLIDES)
    images = deck.locator("img:not(.dtfa-card *)").evaluate_all(
        "all => all.map(i => [i.alt, i.naturalWidth])"
    )
    assert all(alt and width > 0 for alt, width in images)
    sounds = deck.locator(".dtfa-card button").evaluate_all("all => all.map(a => a.ariaLabel)")
    assert len(sounds) > 15 and all(sounds)
    assert (tool.SLIDES / "handout.pdf").stat().st_size > 1e6


def test_a_slide_that_names_what_is_gone_fails_the_build(executed):
    shown = tool.Chapters()
    assert "<picture" in shown.fill("![[s3gaps]]")
    for name in ("no-such-cell", "claim:no-such-claim"):
        with pytest.raises(KeyError, match=name):
            shown.fill(f"![[{name}]]")


BAD = {
    "# Part {one}\n## Odd {long}\n??? 1\nSay.\n": "is marked {'long'}",
    "# Part {one}\n## Silent\ntext\n": "has no notes",
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_wrong_in_the_source_is_named(tmp_path, text):
    file = tmp_path / "deck.md"
    file.write_text(text.replace("{one}\n", "{one}\n??? 1\nSay.\n"))
    with pytest.raises(ValueError, match=BAD[text]):
        source.read(file)


def turn_to(deck, selector):
    """Turn to the slide that holds an element; returns how many stand before it."""
    at = "Reveal.getIndices(document.querySelector(selector).closest('section'))"
    deck.evaluate(f"selector => {{ const at = {at}; Reveal.slide(at.h, at.v); }}", selector)
    return deck.evaluate("Reveal.getSlidePastCount()")


def test_formulas_are_set_and_explorers_alive(deck):
    assert deck.locator("mjx-container").count() > 10
    assert deck.locator("mjx-merror, .dtfa-explorer:not([data-alive])").count() == 0
    at = turn_to(deck, ".dtfa-explorer[data-kind=landscape]")
    box = deck.locator("section.present .dtfa-explorer")
    before = box.locator(".dtfa-verdict").first.text_content()
    box.get_by_label("target delay").press("End")
    expect(box.locator(".dtfa-verdict").first).not_to_have_text(before)
    assert deck.evaluate("Reveal.getSlidePastCount()") == at  # the key moved no slide


def test_one_key_goes_on_from_part_to_part(deck):
    deck.evaluate("document.activeElement.blur() || Reveal.slide(0, 0)")
    for _ in range(deck.evaluate("Reveal.getTotalSlides()")):
        deck.keyboard.press("ArrowRight")
    assert deck.evaluate("Reveal.isLastSlide()")


KEYS = {"PageDown": 1, "ArrowRight": 1, "ArrowDown": 1, "Space": 1}
KEYS |= {"PageUp": -1, "ArrowLeft": -1, "ArrowUp": -1}
STATE = "e => e.ariaPressed ?? e.value"  # of a sound card, of a slider
# A short sound may have ended before a busy machine looks: a change is noted when it happens.
WATCH = f"""e => {{
  const state = {STATE}, before = state(e);
  const note = () => {{ window.changed ||= state(e) !== before; }};
  window.changed = false;
  e.addEventListener("input", note);
  new MutationObserver(note).observe(e, {{ attributeFilter: ["aria-pressed"] }});
}}"""


SLIDER = ".dtfa-explorer [type=range]"


@pytest.fixture(params=[".dtfa-sounds button", ".dtfa-explorer .dtfa-card button", SLIDER])
def control(request, deck):
    """A sound card or slider on the slide that is shown, and where to touch it."""
    turn_to(deck, request.param)
    found = deck.locator(f"section.present section.present {request.param}").first
    found.evaluate("e => { e.value = e.max; }")
    box = found.bounding_box()
    return found, box["x"] + 20, box["y"] + box["height"] / 2


@pytest.mark.parametrize("key", KEYS)
def test_keys_turn_slides_whatever_the_mouse_has_used(deck, control, key):
    used, x, y = control
    used.evaluate(WATCH)
    at = deck.evaluate("Reveal.getSlidePastCount()")
    deck.mouse.move(x, y)
    deck.mouse.down()
    deck.mouse.move(x + 5, y)
    deck.mouse.up()
    deck.wait_for_function("window.changed", timeout=3000)
    deck.keyboard.press(key)
    assert deck.evaluate("Reveal.getSlidePastCount()") == at + KEYS[key]


@pytest.mark.parametrize("control", [SLIDER], indirect=True)
def test_a_finger_on_a_slider_turns_no_slide(deck, control):
    used, x, y = control
    before, at = used.evaluate(STATE), deck.evaluate("Reveal.getSlidePastCount()")
    drag_by_finger(deck, [(x + 10 * step, y) for step in range(10)])
    assert used.evaluate(STATE) != before
    assert deck.evaluate("Reveal.getSlidePastCount()") == at


def test_links_lead_to_slides_or_works(deck):
    for link in deck.locator(".slides section:not(.stack) a").all():
        target = link.get_attribute("href")
        assert target.startswith(("https://", "#/")), target
        if target.startswith("#/"):
            assert deck.locator(f"[id='{target[2:]}']").count() == 1
