"""The deck, as it stands on a memory stick: opened from its folder, with no network."""

import json
import subprocess
import sys

import pytest
from conftest import ROOT, TAUGHT, drag_by_finger, watch
from playwright.sync_api import expect

DECK = ROOT / "_build/slides/index.html"
HEIGHT, LEAST = 720, 17  # pixels of a slide, and of its smallest letters
LEAST_CODE = 22  # of code: its capitals are a 45th of the height

MEASURE = """() => [...document.querySelectorAll('.slides > section > section')].map(slide => {
  const size = e => parseFloat(getComputedStyle(e).fontSize);
  const shown = slide.style.display;
  slide.style.display = 'block';
  const body = slide.querySelector('.body');
  const edge = slide.getBoundingClientRect();
  const scale = edge.width / slide.offsetWidth;
  const parts = [...body.querySelectorAll(':scope > *, pre, table, img, li')];
  const rightOf = e => (e.getBoundingClientRect().left - edge.left) / scale + e.scrollWidth;
  const right = Math.max(0, ...parts.map(rightOf));
  const letters = [...body.querySelectorAll('p, li, pre, td, th, figcaption')]
    .filter(e => e.textContent.trim()).map(size);
  const found = {
    title: slide.querySelector('h2').textContent,
    bottom: body.offsetTop + body.offsetHeight,
    right,
    letters: Math.min(...letters, 99),
    code: Math.min(...[...body.querySelectorAll('.code pre')].map(size), 99),
  };
  slide.style.display = shown;
  return found;
})"""


@pytest.fixture(scope="module")
def deck(browser, executed):
    subprocess.run([sys.executable, ROOT / "tools/slides.py"], check=True, capture_output=True)
    screen = {"width": 1280, "height": HEIGHT}
    page = watch(browser.new_page(offline=True, viewport=screen))
    page.goto(DECK.as_uri())
    page.evaluate("deck.then(() => null)")
    yield page
    page.close()


def test_has_a_section_a_chapter_and_needs_nothing_from_elsewhere(deck):
    names = deck.evaluate("[...document.querySelectorAll('.slides > section')].map(s => s.id)")
    assert names == ["title", *(path.stem for path in TAUGHT)]
    assert (deck.said, deck.asked) == ([], [])


def test_nothing_overflows_and_letters_can_be_read_from_the_back(deck):
    slides = deck.evaluate(MEASURE)
    assert len(slides) > 60
    for slide in slides:
        assert slide["title"].strip()
        assert 0 < slide["bottom"] <= HEIGHT, slide
        assert 0 < slide["right"] <= 1280 - 24, slide
        assert slide["letters"] >= LEAST, slide
        assert slide["code"] >= LEAST_CODE, slide


def figures_of(path):
    """How many figures an executed chapter shows, those of its solutions left out."""
    cells = json.loads(path.read_text())["cells"]
    shown = [cell for cell in cells if "hide-cell" not in cell["metadata"].get("tags", ())]
    return sum(str(cell.get("outputs")).count("<picture") for cell in shown)


def test_everything_is_there_for_the_audience_and_the_speaker(deck, executed):
    assert deck.locator(".slide-number").text_content().strip()
    assert deck.locator("aside.notes").count() > 30
    images = deck.locator("img:not(.dtfa-card *)").evaluate_all(
        "all => all.map(i => [i.alt, i.naturalWidth])"
    )
    assert len(images) == sum(figures_of(executed[path.stem]) for path in TAUGHT) > 10
    assert all(len(alt.split()) >= 8 and width > 0 for alt, width in images)
    sounds = deck.locator(".dtfa-card button").evaluate_all("all => all.map(a => a.ariaLabel)")
    assert len(sounds) > 20 and all(sounds)


def turn_to(deck, selector):
    """Turn to the slide that holds an element; returns how many stand before it."""
    at = "Reveal.getIndices(document.querySelector(selector).closest('section'))"
    deck.evaluate(f"selector => {{ const at = {at}; Reveal.slide(at.h, at.v); }}", selector)
    return deck.evaluate("Reveal.getSlidePastCount()")


def test_formulas_are_set_and_explorers_alive(deck):
    assert deck.locator("mjx-container").count() > 50
    assert deck.locator("mjx-merror, .dtfa-explorer:not([data-alive])").count() == 0
    at = turn_to(deck, ".dtfa-explorer[data-kind=landscape]")
    box = deck.locator("section.present .dtfa-explorer")
    before = box.locator(".dtfa-verdict").first.text_content()
    box.get_by_label("target delay").press("End")
    expect(box.locator(".dtfa-verdict").first).not_to_have_text(before)
    assert deck.evaluate("Reveal.getSlidePastCount()") == at  # the key moved no slide


def test_one_key_goes_on_from_chapter_to_chapter(deck):
    deck.evaluate("document.activeElement.blur() || Reveal.slide(0, 0)")
    for _ in range(deck.evaluate("Reveal.getTotalSlides()")):
        deck.keyboard.press("ArrowRight")
    assert deck.evaluate("Reveal.isLastSlide()")
    assert deck.evaluate("Reveal.getIndices().h") == len(TAUGHT)


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
