"""The verdict as text: a heat map of rates, a tree of choices."""

import re

from IPython.utils.capture import capture_output

from utils.page import summary

RECORD = {
    ("MSS", "delay, 2^10"): (0, 8),
    ("JTFS", "delay, 2^10"): (7, 8),
    ("JTFS", "noise < 10 dB"): (2, 4),
}
CHOICE = ("On time?", {"yes": "MSS", "no": ("Noise?", {"yes": "JTFS, F = 8", "no": "JTFS"})})


def shown(function, *args):
    with capture_output() as captured:
        function(*args)
    return captured.outputs[0].data["text/html"].partition("</style>")[2]


def test_a_heat_map_writes_each_rate_and_colours_by_it():
    page = shown(summary.heat_map, RECORD, "Success.")
    rows = [re.findall(r">([^<>]+)</t[hd]>", row) for row in page.split("<tr>")]
    assert rows[1:] == [["MSS", "JTFS"], ["delay, 2¹⁰", "0%", "88%"], ["noise &lt; 10 dB", "50%"]]
    assert 'style="--rate:88%" title="7 of 8"' in page
    assert 'color:var(--dtfa-jtfs)">JTFS' in page
    assert "<figcaption>Success.</figcaption>" in page


def test_more_losses_than_tasks_are_rows():
    record = {(loss, "delay"): (1, 2) for loss in ("MSS", "JTFS", "waveform")}
    page = shown(summary.heat_map, record, "Success.")
    assert re.findall(r'scope="row"[^>]*>([^<]+)', page) == ["MSS", "JTFS", "waveform"]


def test_a_decision_leads_from_questions_to_what_to_use():
    page = shown(summary.decision, CHOICE, "When to use which.")
    text = re.sub(r"<[^>]+>", "|", page)
    assert re.sub(r"\|+", "|", text).split("|")[1:-1] == [
        "On time?", "yes: ", "MSS", "no: Noise?", "yes: ", "JTFS, F = 8", "no: ", "JTFS",
        "When to use which.",
    ]  # fmt: skip
    assert page.count("<ul>") == page.count("</ul>") == 3
