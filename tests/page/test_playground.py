"""The playground: real controls where there is a kernel, none where there is not."""

from IPython.utils.capture import capture_output
from ipywidgets import interact_manual

from utils.features.loss import SpectralLoss
from utils.features.mss import MSS
from utils.page import playground

LOSSES = {
    "short": SpectralLoss(MSS(n_ffts=(256,)), p=1),
    "waveform": lambda x, y: (x - y).norm(dim=-1),
}
COLAB = "https://colab.example/chapter"


def html_of(captured):
    return "".join(each.data.get("text/html", "") for each in captured.outputs)


def test_the_static_page_has_a_still_and_a_link_and_no_control(monkeypatch):
    monkeypatch.setenv("DTFA_STILL", "1")
    with capture_output() as captured:
        playground.playground(LOSSES, COLAB)
    page = html_of(captured)
    assert f'href="{COLAB}"' in page
    assert page.count("<audio") == 3
    assert not any("widget-view" in kind for each in captured.outputs for kind in each.data)


def test_with_a_kernel_there_are_controls_and_they_run_the_solver(monkeypatch):
    monkeypatch.delenv("DTFA_STILL", raising=False)
    made = []
    monkeypatch.setattr(playground, "interact_manual", lambda *a, **k: made.append((*a, k)))
    playground.playground(LOSSES, COLAB)
    descend, controls = made[0]
    with capture_output() as captured:
        interact_manual(descend, **controls)
        descend("waveform", 0, 8.0, 2.0, 8.0, 2.0)
    assert any("widget-view" in kind for each in captured.outputs for kind in each.data)
    assert "at 8.00 Hz and 2.00 octaves/s, 0.0% away from" in html_of(captured)
