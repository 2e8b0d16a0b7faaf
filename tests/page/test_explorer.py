"""The explorers, in the browser that runs them."""

import base64
import io
import re

import numpy as np
import pytest
import soundfile
import torch
from axe_playwright_python.sync_playwright import Axe
from conftest import drag_by_finger
from IPython.utils.capture import capture_output

from utils.experiments.charts import Chart, chart, target_grid
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.features.rivals import AverageSpectrum
from utils.page import explorer
from utils.page.show import at_loudness
from utils.parameters import draw, grid
from utils.search.landscape import local_minima, share_toward
from utils.synth import SAMPLE_RATE, am_chirp, delay

GRID = grid(am_chirp, (5, 4))
DELAYS, COUNTS = (0, 2**8), (3, 2)
OPERATORS = {"spectrogram": MSS(n_ffts=(256,)), "average": AverageSpectrum()}


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
    code = (explorer.SCRIPTS / "chirp.js").read_text(encoding="utf-8")
    return page.evaluate(f"(argument) => {{ {code}\n return {expression}; }}", argument)


def test_browser_makes_the_samples_of_the_library(opened):
    page = opened(explorer.chirp)
    for theta, samples in zip(draw(am_chirp, 4, seed=90).double(), (0, 1, 100, 2**12), strict=True):
        wanted = delay(am_chirp(theta), samples)
        found = in_browser(page, "Array.from(chirp(...argument))", [theta.tolist(), samples])
        assert (torch.tensor(found) - wanted).abs().max() < 1e-4 * wanted.abs().max()


def test_scalogram_of_the_browser_climbs_at_the_chirp_rate(opened):
    page = opened(explorer.chirp)
    level = in_browser(page, "Array.from(scalogram(chirp([4, 0.5])))")
    image = np.array(level).reshape(68, 512)
    assert image.max() == pytest.approx(1)
    assert image.min() == 0
    seconds = np.arange(512) * 64 / SAMPLE_RATE - 2
    loud = image.max(axis=0) > 0.7
    octaves = image[:, loud].argmax(axis=0) / 12 + np.log2(64 / 512)
    rate, at_middle = np.polyfit(seconds[loud], octaves, 1)
    assert rate == pytest.approx(0.5, rel=0.03)
    assert at_middle == pytest.approx(0, abs=0.05)


def test_sliders_change_picture_and_sound_by_keyboard(opened):
    page = opened(explorer.chirp)
    picture = page.evaluate("document.querySelector('canvas').toDataURL()")
    before = page.locator("audio").get_attribute("src")
    slider = page.get_by_label("modulation frequency")
    slider.focus()
    page.keyboard.press("End")  # 16 Hz
    page.keyboard.press("Tab")
    page.keyboard.press("Home")  # 0.5 octaves/s
    page.wait_for_function("old => document.querySelector('audio').src !== old", arg=before)
    page.wait_for_timeout(200)
    assert slider.get_attribute("aria-valuetext") == "16.0 Hz"
    assert "0.50 octaves/s" in page.locator("svg").get_attribute("aria-label")
    assert page.evaluate("document.querySelector('canvas').toDataURL()") != picture
    file = page.locator("audio").get_attribute("src").split(",")[1]
    found, rate = soundfile.read(io.BytesIO(base64.b64decode(file)))
    wanted = at_loudness(am_chirp(torch.tensor([16.0, 0.5])), SAMPLE_RATE).numpy()
    assert rate == SAMPLE_RATE
    assert len(found) == len(wanted) == 4 * rate
    assert abs(found - wanted).max() < 3 / 2**15


def test_losses_and_slopes_are_true(charts):
    for name, phi in OPERATORS.items():
        loss, losses = SpectralLoss(phi, p=1), charts[name].losses
        packed = base64.b64decode(explorer._packed(losses))
        found = np.frombuffer(packed, "<f4").reshape(losses.shape)[1, 2, 1]
        target = delay(am_chirp(target_grid(COUNTS)[2, 1]), DELAYS[1])
        wanted = loss(am_chirp(GRID), target.expand(5, 4, -1)).numpy()
        np.testing.assert_allclose(found, wanted, rtol=0.01)
        theta = GRID[2, 1].log().requires_grad_()
        loss(am_chirp(theta.exp()), target).backward()
        slope = charts[name].slopes[1, 2, 1, 2, 1]
        torch.testing.assert_close(slope, theta.grad, rtol=1e-3, atol=1e-6)


def test_no_target_lies_on_the_grid():
    points, targets = grid(am_chirp, (10, 10)), target_grid()
    for k in range(2):
        ratios = points[..., k].flatten()[:, None] / targets[..., k].flatten()
        assert (ratios.log().abs() > 0.005).all()


def verdict(page, k=0):
    return page.locator(".dtfa-says").nth(k).text_content()


def expected(found, v, c, d):
    """What the page should say of a surface of a chart."""
    minima = int(local_minima(found.losses[v, c, d]).sum())
    truth = target_grid(COUNTS)[c, d]
    share = share_toward(am_chirp, GRID, [found.slopes[v, c, d]], truth[None])
    return f"{minima} {'minimum' if minima == 1 else 'minima'} on the grid, {100 * share:.0f} % of"


def test_landscapes_say_what_the_library_counts(opened, charts):
    page = opened(explorer.landscape, charts, samples=2**8)
    for k, each in enumerate(charts.values()):
        assert verdict(page, k).startswith(expected(each, 1, 1, 1))
    page.get_by_label(re.compile("target (?!f_m)")).press("ArrowLeft")
    page.get_by_label("delay").press("Home")
    for k, each in enumerate(charts.values()):
        assert verdict(page, k).startswith(expected(each, 0, 1, 0))


def centre(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_target_can_be_dragged_and_a_start_chosen(opened, charts):
    page = opened(explorer.landscape, charts, start=(6.0, 1.2))
    frame = page.locator("canvas").first.bounding_box()

    def at(across, up):
        return frame["x"] + across * frame["width"], frame["y"] + (1 - up) * frame["height"]

    page.mouse.move(*centre(page.locator(".dtfa-star").first))
    page.mouse.down()
    page.mouse.move(*at(0.5, 0.7), steps=4)
    page.mouse.move(*at(0.9, 0.8), steps=4)
    page.mouse.up()
    assert verdict(page).startswith(expected(charts["spectrogram"], 0, 2, 1))
    assert page.get_by_label("target f_m").input_value() == "2"
    path = page.locator(".dtfa-path").first.get_attribute("points")
    page.mouse.click(*at(0.2, 0.5))
    assert page.locator(".dtfa-path").first.get_attribute("points") != path
    assert page.get_by_label("start f_m").get_attribute("aria-valuetext") == "5.3 Hz"


def test_a_finger_drags_the_target(opened, charts):
    page = opened(explorer.landscape, charts)
    page.set_viewport_size({"width": 375, "height": 800})
    x, y = centre(page.locator(".dtfa-star").first)
    drag_by_finger(page, [(x, y), (x + 20, y - 20), (x + 250, y - 40)])
    page.wait_for_function("document.querySelector('input').value === '2'", timeout=3000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_descent_arrives_where_the_surface_is_a_funnel(opened):
    """Distances of log-parameters themselves: every start must find the target's cell."""
    way = GRID.log() - target_grid((2, 2)).log()[:, :, None, None]
    loss = way.norm(dim=-1)
    chart = Chart(GRID, (0,), loss[None], (way / loss[..., None])[None])
    for start in ((4.2, 0.6), (15.0, 3.5), (5.0, 3.9)):
        page = opened(explorer.landscape, {"funnel": chart}, start=start)
        assert "the descent arrives" in verdict(page)
        assert page.locator(".dtfa-ring").count() == int(local_minima(loss[1, 1]).sum())


def test_two_explorers_live_on_one_page_and_axe_finds_no_violation(opened, charts):
    page = opened(lambda: [explorer.chirp(), explorer.landscape(charts, start=(6.0, 1.2))])
    assert page.locator("canvas").count() == 1 + len(charts)
    assert page.locator(".dtfa-explorer p", has_text="needs a page").count() == 0
    assert Axe().run(page).response["violations"] == []


def test_a_name_cannot_end_the_script(opened, charts):
    page = opened(explorer.landscape, {"</script><b>": charts["average"]})
    assert page.locator("figcaption").first.text_content() == "</script><b>"
