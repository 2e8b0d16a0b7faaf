"""The explorers, in the browser that runs them."""

import base64
import io
import json
import re

import numpy as np
import pytest
import soundfile
import torch
from axe_playwright_python.sync_playwright import Axe
from IPython.utils.capture import capture_output

from utils.experiments.charts import TARGETS, Chart, chart, target_grid
from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.features.rivals import AverageSpectrum
from utils.page import explorer
from utils.page.sounds import at_loudness
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
        page = browser.new_page(viewport={"width": 1200, "height": 1000})
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


def sound_of(player):
    """The sound (N,) in a player, and its rate."""
    address = player.get_attribute("src")
    return soundfile.read(io.BytesIO(base64.b64decode(address.split(",")[1])))


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


def test_browser_plays_at_the_common_loudness(opened):
    page = opened(explorer.chirp, theta=(4.0, 0.5))
    found, rate = sound_of(page.locator("audio"))
    wanted = at_loudness(am_chirp(torch.tensor([4.0, 0.5])), SAMPLE_RATE).numpy()
    assert rate == SAMPLE_RATE
    assert len(found) == len(wanted) == 4 * rate
    assert abs(found - wanted).max() < 3 / 2**15


def test_sliders_change_sound_and_picture_by_keyboard(opened):
    page = opened(explorer.chirp)
    label = page.locator("svg").get_attribute("aria-label")
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
    assert "0.50 octaves/s" in page.locator("svg").get_attribute("aria-label") != label
    assert page.evaluate("document.querySelector('canvas').toDataURL()") != picture
    x, rate = sound_of(page.locator("audio"))
    envelope = np.convolve(x**2, np.ones(64) / 64, "same")
    spectrum = abs(np.fft.rfft(envelope * np.hanning(len(x))))
    hertz = np.fft.rfftfreq(len(x), 1 / rate)
    audible = hertz > 10
    assert hertz[audible][spectrum[audible].argmax()] == pytest.approx(32, abs=0.3)
    pitch = abs(np.fft.rfft(x * np.hanning(len(x))))
    centre = (hertz * pitch**2).sum() / (pitch**2).sum()
    assert centre == pytest.approx(512, rel=0.1)


def test_distances_are_true(charts):
    for name, phi in OPERATORS.items():
        packed, shape = explorer._packed(charts[name]), charts[name].losses.shape
        values = np.frombuffer(base64.b64decode(packed["values"]), "<u2").reshape(shape)
        loss = SpectralLoss(phi, p=1)
        for v, samples in enumerate(DELAYS):
            target = delay(am_chirp(target_grid(COUNTS)[1, 0]), samples)
            wanted = loss(am_chirp(GRID), target.expand(5, 4, -1)).numpy()
            found = values[v, 1, 0] / values[v, 1, 0].max() * wanted.max()
            np.testing.assert_allclose(found, wanted, rtol=0.01)


def test_slopes_are_gradients_by_log_parameters(charts):
    for name, phi in OPERATORS.items():
        theta = GRID[2, 1].log().requires_grad_()
        target = delay(am_chirp(target_grid(COUNTS)[0, 1]), DELAYS[1])
        SpectralLoss(phi, p=1)(am_chirp(theta.exp()), target).backward()
        torch.testing.assert_close(
            charts[name].slopes[1, 0, 1, 2, 1], theta.grad, rtol=1e-3, atol=1e-6
        )


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
    page = opened(explorer.landscape, charts, target=(1, 0), samples=2**8)
    for k, each in enumerate(charts.values()):
        assert verdict(page, k).startswith(expected(each, 1, 1, 0))
    page.get_by_label(re.compile("target (?!f_m)")).press("ArrowRight")
    page.get_by_label("delay").press("Home")
    for k, each in enumerate(charts.values()):
        assert verdict(page, k).startswith(expected(each, 0, 1, 1))


def centre(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_target_can_be_dragged_and_a_start_chosen(opened, charts):
    page = opened(explorer.landscape, charts, start=(6.0, 1.2), target=(0, 0))
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
    page.wait_for_timeout(300)
    start, _ = sound_of(page.locator("audio").nth(1))
    theta = torch.tensor([4 * 4**0.2, 0.5 * 8**0.5])
    wanted = at_loudness(am_chirp(theta), SAMPLE_RATE).numpy()
    assert np.corrcoef(start, wanted)[0, 1] > 0.95  # a pixel is not exact


def test_a_finger_drags_the_target(browser, charts):
    context = browser.new_context(has_touch=True, viewport={"width": 375, "height": 800})
    page = context.new_page()
    with capture_output() as captured:
        explorer.landscape(charts, target=(0, 0))
    page.set_content(captured.outputs[0].data["text/html"])
    x, y = centre(page.locator(".dtfa-star").first)
    session = context.new_cdp_session(page)
    for kind, points in (
        ("touchStart", [{"x": x, "y": y}]),
        ("touchMove", [{"x": x + 60, "y": y - 20}]),
        ("touchMove", [{"x": x + 250, "y": y - 40}]),
        ("touchEnd", []),
    ):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_function("document.querySelector('input').value === '2'", timeout=3000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    context.close()


def test_descent_arrives_where_the_surface_is_a_funnel(opened):
    """Distances of log-parameters themselves: every start must find the target's cell."""
    way = GRID.log() - target_grid((2, 2)).log()[:, :, None, None]
    loss = way.norm(dim=-1)
    chart = Chart(GRID, (0,), loss[None], (way / loss[..., None])[None])
    for start in ((4.2, 0.6), (15.0, 3.5), (5.0, 3.9)):
        page = opened(explorer.landscape, {"funnel": chart}, start=start, target=(1, 0))
        assert "the descent arrives" in verdict(page)
        assert page.locator(".dtfa-ring").count() == int(local_minima(loss[1, 0]).sum())


def test_axe_finds_no_violation(opened, charts):
    for page in (opened(explorer.chirp), opened(explorer.landscape, charts, start=(6.0, 1.2))):
        assert Axe().run(page).response["violations"] == []


def test_two_explorers_live_on_one_page(opened, charts):
    page = opened(lambda: [explorer.chirp(), explorer.landscape(charts)])
    assert page.locator("canvas").count() == 1 + len(charts)
    assert page.locator(".dtfa-explorer p", has_text="needs a page").count() == 0


def test_a_name_cannot_end_the_script(opened, charts):
    page = opened(explorer.landscape, {"</script><b>": charts["average"]})
    assert page.locator("figcaption").first.text_content() == "</script><b>"


def test_carries_no_more_than_it_may():
    """At the size of the chapters: two losses, 10 x 10 points, 8 x 8 targets, four delays."""
    shape = (4, *TARGETS, 10, 10)
    chart = Chart(grid(am_chirp, (10, 10)), (0, 1, 2, 3), torch.rand(shape), torch.rand(*shape, 2))
    with capture_output() as captured:
        explorer.landscape({"one": chart, "other": chart}, start=(6.0, 1.2))
    page = captured.outputs[0].data["text/html"]
    assert len(page) < 1.5e6
    json.loads(re.search(r'application/json">(.*?)</script>', page, re.S)[1])
