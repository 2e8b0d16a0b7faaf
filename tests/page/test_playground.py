"""The playground: real controls where there is a kernel, none where there is not."""

import ipywidgets as widgets
import pytest
import torch
from IPython.utils.capture import capture_output

from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.page import playground

LOSSES = {
    "short": SpectralLoss(MSS(n_ffts=(256,)), p=1),
    "waveform": lambda x, y: (x - y).norm(),
}
COLAB = "https://colab.example/chapter"


def pages(captured):
    return [o.data.get("text/html", "") for o in captured.outputs]


def test_the_static_page_has_a_still_and_a_link_and_no_control(monkeypatch):
    monkeypatch.setenv(playground.STILL, "1")
    with capture_output() as captured:
        playground.playground(LOSSES, COLAB)
    page = "".join(pages(captured))
    assert f'href="{COLAB}"' in page
    assert page.count("<audio") == 3
    assert "<img" in page
    assert not any("widget-view" in kind for o in captured.outputs for kind in o.data)
    for control in ("<input", "<button", "<select"):
        assert control not in page


def test_with_a_kernel_there_are_controls(monkeypatch):
    monkeypatch.delenv(playground.STILL, raising=False)
    with capture_output() as captured:
        playground.playground(LOSSES, COLAB)
    assert any("widget-view" in kind for o in captured.outputs for kind in o.data)


def test_the_button_runs_the_solver_with_what_the_controls_say(monkeypatch):
    seen = []
    monkeypatch.setattr(playground, "attempt", lambda *given: seen.append(given))
    box = playground.controls(LOSSES, torch.tensor([8.0, 2.0]), torch.tensor([6.0, 1.2]))
    *_, loss, button, _ = box.children
    sliders = [each for each in box.children if isinstance(each, widgets.FloatLogSlider)]
    assert [(s.base**s.min, s.base**s.max) for s in sliders] == 2 * [
        pytest.approx((4, 16)), pytest.approx((0.5, 4))
    ]  # fmt: skip
    sliders[0].value, loss.value = 5.0, "waveform"
    button.click()
    _, name, theta, samples, start = seen[0]
    assert (name, samples) == ("waveform", 2**10)
    assert theta.tolist() == pytest.approx([5.0, 2.0])
    assert start.tolist() == pytest.approx([6.0, 1.2])
    assert not button.disabled


def test_an_attempt_says_what_it_found():
    theta = torch.tensor([8.0, 2.0])
    with capture_output() as captured:
        playground.attempt(LOSSES, "short", theta, 0, theta)
    assert "8.00 Hz and 2.00 octaves/s, 0.0% away" in pages(captured)[0]
