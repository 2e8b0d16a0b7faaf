"""The explorers, in the browser that runs them."""

import io

import numpy as np
import pytest
import soundfile
import torch
from axe_playwright_python.sync_playwright import Axe
from conftest import drag_by_finger
from IPython.utils.capture import capture_output

from utils.experiments.charts import OPERATORS as RECORDED
from utils.experiments.charts import Chart, chart, read, target_grid
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.features.rivals import AverageSpectrum
from utils.page import explorer, show
from utils.parameters import draw, grid
from utils.search.landscape import local_minima
from utils.synth import SAMPLE_RATE, am_chirp, delay

GAMMA = "\N{GREEK SMALL LETTER GAMMA}"
GRID = grid(am_chirp, (5, 4))
DELAYS, COUNTS = (0, 2**8), (3, 2)
OPERATORS = {"spectrogram": MSS(n_ffts=(256,)), "average": AverageSpectrum()}


@pytest.mark.parametrize("name", RECORDED)
def test_the_record_repeats(name):
    """Two candidates, for all targets, on time."""
    kept, at = read()[name], (slice(4, 5), slice(2, 4))
    again = chart(RECORDED[name], kept.grid[at], kept.delays[:1], n_jobs=1)
    torch.testing.assert_close(again.losses[0], kept.losses[0][..., *at], rtol=2e-3, atol=0)
    scale = kept.slopes[0].abs().max().item()
    torch.testing.assert_close(
        again.slopes[0], kept.slopes[0][..., *at, :], rtol=2e-3, atol=2e-3 * scale
    )


@pytest.fixture(scope="module")
def charts():
    return {name: chart(phi, GRID, DELAYS, COUNTS, 1) for name, phi in OPERATORS.items()}


@pytest.fixture
def opened(browser):
    """A function that opens what a call shows, and remembers what the console says."""
    pages = []

    def show_page(call, *args, **kwargs):
        with capture_output() as captured:
            call(*args, **kwargs)
        page = browser.new_page(viewport={"width": 1200, "height": 1000}, has_touch=True)
        page.messages = []
        page.on("console", lambda m: page.messages.append(m.text))
        page.on("pageerror", lambda error: page.messages.append(str(error)))
        body = "".join(each.data["text/html"] for each in captured.outputs)
        head = '<!doctype html><html lang="en"><head><title>Explorer</title></head>'
        page.set_content(f"{head}<body><main><h1>Explorer</h1>{body}</main></body></html>")
        pages.append(page)
        return page

    yield show_page
    for page in pages:
        assert page.messages == []
        page.close()


def in_browser(page, expression, argument=None):
    """The value of an expression in the scope of the explorers' own script."""
    code = (show.SCRIPTS / "chirp.js").read_text(encoding="utf-8")
    return page.evaluate(f"(argument) => {{ {code}\n return {expression}; }}", argument)


def test_browser_makes_the_samples_of_the_library(opened):
    page = opened(explorer.chirp)
    for theta, samples in zip(draw(am_chirp, 4, seed=90).double(), (0, 1, 100, 2**12), strict=True):
        wanted = delay(am_chirp(theta), samples)
        found = in_browser(page, "Array.from(chirp(...argument))", [theta.tolist(), samples])
        assert (torch.tensor(found) - wanted).abs().max() < 1e-4 * wanted.abs().max()


def test_browser_draws_the_scalogram_of_the_library(opened):
    page, x = opened(explorer.chirp), am_chirp(torch.tensor([4.0, 0.5]))
    found = in_browser(page, "Array.from(scalogram(Float64Array.from(argument)))", x.tolist())
    wanted = show.level(x.double(), SAMPLE_RATE)
    assert (torch.tensor(found).reshape(68, 512) - wanted).abs().max() < 0.01


def test_sliders_change_picture_and_sound_by_keyboard(opened):
    page = opened(explorer.chirp)
    picture = page.evaluate("document.querySelector('canvas').toDataURL()")
    slider = page.get_by_label("modulation frequency")
    slider.focus()
    page.keyboard.press("End")  # 16 Hz
    page.keyboard.press("Tab")
    page.keyboard.press("Home")  # 0.5 octaves/s
    page.wait_for_timeout(500)
    assert slider.get_attribute("aria-valuetext") == "16.0 Hz"
    assert page.evaluate("document.querySelector('canvas').toDataURL()") != picture
    found, rate = soundfile.read(io.BytesIO(bytes(page.evaluate(SOUND))))
    wanted = show.at_loudness(am_chirp(torch.tensor([16.0, 0.5])), SAMPLE_RATE).numpy()
    assert rate == SAMPLE_RATE
    assert len(found) == len(wanted) == 4 * rate
    assert abs(found - wanted).max() < 3 / 2**15


SOUND = """fetch(document.querySelector('audio').src).then(r => r.arrayBuffer())
  .then(b => [...new Uint8Array(b)])"""


def test_losses_and_slopes_are_true(charts):
    for name, phi in OPERATORS.items():
        loss, chart = SpectralLoss(phi, p=1), charts[name]
        target = delay(am_chirp(target_grid(COUNTS)[2, 1]), DELAYS[1])
        wanted = loss(am_chirp(GRID), target.expand(5, 4, -1)).numpy()
        np.testing.assert_allclose(chart.losses[1, 2, 1], wanted, rtol=0.01)
        theta = GRID[2, 1].log().requires_grad_()
        loss(am_chirp(theta.exp()), target).backward()
        slope = chart.slopes[1, 2, 1, 2, 1]
        torch.testing.assert_close(slope, theta.grad, rtol=1e-3, atol=1e-6)
        packed = explorer._packed(chart.losses, chart.slopes)
        count = chart.losses.numel()
        heights = np.frombuffer(packed[:count], np.uint8).reshape(chart.losses.shape)[1, 2, 1]
        np.testing.assert_allclose(heights / 255, wanted / wanted.max(), atol=0.005)
        roots = np.frombuffer(packed[count:], np.int8).reshape(chart.slopes.shape)[1, 2, 1] / 127
        ways = chart.slopes[1, 2, 1] / chart.slopes[1, 2, 1].abs().max()
        np.testing.assert_allclose(roots * abs(roots), ways, atol=0.01)


def test_no_target_lies_on_the_grid():
    points, targets = grid(am_chirp, (10, 10)), target_grid()
    for k in range(2):
        ratios = points[..., k].flatten()[:, None] / targets[..., k].flatten()
        assert (ratios.log().abs() > 0.005).all()


def verdict(page, k=0):
    page.wait_for_timeout(300)  # words come when the hand rests
    return page.locator(".dtfa-verdict").nth(k).text_content()


def expected(found, v, c, d):
    """What the page should say of a surface of a chart."""
    minima = int(local_minima(found.losses[v, c, d]).sum())
    truth = target_grid(COUNTS)[c, d]
    to_truth = truth.log() - GRID.log()
    share = ((found.slopes[v, c, d] * to_truth).sum(-1) < 0).float().mean().item()
    noun = "minimum" if minima == 1 else "minima"
    return f"{minima} {noun} on the grid (circles); {100 * share:.0f}% of"


def test_landscapes_say_what_the_library_counts(opened, charts):
    page = opened(explorer.landscape, charts)
    page.get_by_label("target delay").press("End")
    for k, each in enumerate(charts.values()):
        assert verdict(page, k).startswith(expected(each, 1, 1, 1))
    page.get_by_label(f"target {GAMMA}").press("ArrowLeft")
    page.get_by_label("target delay").press("Home")
    for k, each in enumerate(charts.values()):
        assert verdict(page, k).startswith(expected(each, 0, 1, 0))


def centre(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_target_and_start_can_be_dragged(opened, charts):
    page = opened(explorer.landscape, charts)
    frame = page.locator("canvas").first.bounding_box()

    def drag(mark, across, up):
        page.mouse.move(*centre(page.locator(mark).first))
        page.mouse.down()
        x, y = frame["x"] + across * frame["width"], frame["y"] + (1 - up) * frame["height"]
        page.mouse.move(x, y, steps=4)
        page.mouse.up()

    drag(".dtfa-truth", 0.9, 0.8)
    assert verdict(page).startswith(expected(charts["spectrogram"], 0, 2, 1))
    assert page.get_by_label("target fₘ").input_value() == "2"
    drag(".dtfa-start", 0.2, 0.5)
    assert page.get_by_label("start fₘ").get_attribute("aria-valuetext") == "5.3 Hz"
    page.mouse.click(frame["x"] + 0.5 * frame["width"], frame["y"] + 0.9 * frame["height"])
    assert page.get_by_label("start fₘ").get_attribute("aria-valuetext") == "8.0 Hz"


def test_a_finger_drags_the_target_and_scrolls_beside_it(opened, charts):
    page = opened(explorer.landscape, charts)
    page.set_viewport_size({"width": 375, "height": 667})
    x, y = centre(page.locator(".dtfa-truth").first)
    drag_by_finger(page, [(x, y), (x + 20, y - 20), (x + 250, y - 40)])
    page.wait_for_function("document.querySelector('[aria-valuetext=\"12.7 Hz\"]')", timeout=3000)
    assert page.evaluate("scrollX + scrollY") == 0
    before = page.locator(".dtfa-start").first.get_attribute("style")
    x, y = centre(page.locator(".dtfa-plot").last)
    drag_by_finger(page, [(x, y + 60 - 10 * step) for step in range(12)])
    page.wait_for_function("scrollY > 0", timeout=3000)
    assert page.locator(".dtfa-start").first.get_attribute("style") == before
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def funnel():
    """A chart of distances of log-parameters themselves: every start must find the target."""
    way = GRID.log() - target_grid((2, 2)).log()[:, :, None, None]
    loss = way.norm(dim=-1)
    return Chart(GRID, (0,), loss[None], (way / loss[..., None])[None])


def descend(page):
    page.get_by_role("button", name="Descend").click()
    page.wait_for_function("!document.querySelectorAll('.dtfa-row button')[1].disabled")


def test_descent_arrives_where_the_surface_is_a_funnel(opened):
    page = opened(explorer.landscape, {"funnel": funnel()})
    page.emulate_media(reduced_motion="reduce")
    descend(page)
    assert verdict(page).startswith("Found: ")
    for key in ("Home", "End"):  # from now on, descents follow at once
        for name in ("start fₘ", f"start {GAMMA}"):
            page.get_by_label(name).press(key)
            assert verdict(page).startswith("Found: ")
    page.get_by_role("button", name="Reset").click()
    assert "on the grid" in verdict(page)


def test_a_descent_is_motion_unless_the_reader_prefers_less(opened):
    for motion, frames in (("no-preference", 20), ("reduce", 1)):
        page = opened(explorer.landscape, {"funnel": funnel()})
        page.emulate_media(reduced_motion=motion)
        page.evaluate("""{ window.shapes = new Set();
          const path = document.querySelector('.dtfa-path');
          new MutationObserver(() => shapes.add(path.getAttribute('d')))
            .observe(path, { attributes: true }); }""")
        descend(page)
        assert page.evaluate("shapes.size") >= frames
        assert frames > 1 or page.evaluate("shapes.size") <= 3


def test_two_explorers_live_on_one_page_and_axe_finds_no_violation(opened, charts):
    page = opened(lambda: [explorer.chirp(), explorer.landscape(charts)])
    assert page.locator(".dtfa-plot canvas").count() == len(charts)
    assert page.locator(".dtfa-explorer p", has_text="needs a page").count() == 0
    descend(page)
    assert Axe().run(page).response["violations"] == []


def test_a_name_cannot_end_the_script(opened, charts):
    page = opened(explorer.landscape, {"</script><b>": charts["average"]})
    assert page.locator(".dtfa-title").first.text_content() == "</script><b>"
