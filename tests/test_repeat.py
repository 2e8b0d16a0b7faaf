"""The comparison of two builds sees what changed, and forgives what is measured."""

import pytest
from conftest import ROOT, script
from nbformat import v4, write

tool = script("repeat")


def build(folder, values, words):
    """The least that a build leaves: claims in an executed notebook, words on a page."""
    claimed = [
        v4.new_output("display_data", metadata={"claim": {"name": name, "value": value}})
        for name, value in values.items()
    ]
    for place in ("jupyter_execute/book", "html/book"):
        (folder / place).mkdir(parents=True)
    chapter = v4.new_notebook(cells=[v4.new_code_cell("claim()", outputs=claimed)])
    write(chapter, folder / "jupyter_execute/book/chapter.ipynb")
    page = f"<html><script>{folder}</script><p>{words}</p></html>"
    (folder / "html/book/chapter.html").write_text(page, encoding="utf-8")
    return folder


VALUES = {"synth-tremolo": 2.0, "cost-time": 30.0}
WORDS = "The match is 0.731 away."


@pytest.mark.parametrize(
    ("values", "words", "same"),
    [
        ({}, WORDS, True),
        ({"synth-tremolo": 2.0001, "cost-time": 40.0}, WORDS, True),
        ({"synth-tremolo": 2.1}, WORDS, False),
        ({}, "The match is 0.732 away.", True),
        ({}, "The match is 0.81 away.", False),
        ({}, f"{WORDS}\nIt took 40 seconds.", True),
        ({}, f"{WORDS}\n<table><td>step</td><td>seconds</td><td>40.1</td></table>", True),
        ({}, f"{WORDS}\nIt failed.", False),
    ],
)
def test_two_builds(tmp_path, monkeypatch, values, words, same):
    build(tmp_path / "_build", VALUES, WORDS)
    other = build(tmp_path / "other", VALUES | values, words)
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    (tmp_path / "book").symlink_to(ROOT / "book")
    assert (tool.main(other) == 0) == same


def test_a_missing_claim_is_told(tmp_path):
    one, other = build(tmp_path / "one", VALUES, WORDS), build(tmp_path / "other", {}, WORDS)
    with pytest.raises(ValueError, match="cost-time"):
        tool.apart(one, other)
