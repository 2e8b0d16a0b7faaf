"""The first cell of every chapter, and a whole chapter, where Colab and Binder would run them."""

import os
import subprocess
import sys
from pathlib import Path

import colab as tool
import pytest
from conftest import ADDRESS, CHAPTERS, ROOT, cells

FIRST = cells(CHAPTERS[0], "code")[0]


def run_first_cell_twice(folder, repository):
    """As on Colab but for its packages, in an empty folder, where git finds the book as told."""
    (folder / "content").mkdir()
    return subprocess.run(
        [sys.executable, "-c", f"import google.colab\n{FIRST}\n{FIRST}\nprint(utils.__file__)"],
        cwd=folder / "content",
        env=os.environ | tool.colab(folder, repository) | {"CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_its_badge_and_its_launch_button(chapter, executed):
    link = ADDRESS.replace("https://github.com", "https://colab.research.google.com/github")
    link += f"/blob/main/book/{chapter.stem}.ipynb"
    badge = f"[![Open in Colab](_static/colab.svg)]({link})"
    assert cells(chapter, "markdown")[1] == badge
    if chapter.stem != "9_results":  # which needs a built book
        assert badge.replace("_static", "book/_static") in (ROOT / "README.md").read_text()
    page = (ROOT / f"_build/html/book/{chapter.stem}.html").read_text()
    assert page.count(f'href="{link}"') >= 2
    assert f"mybinder.org/v2/gh/dtfa-book/dtfa/main?urlpath=tree/book/{chapter.stem}.ipynb" in page


def test_the_first_cell_fetches_the_library_and_does_no_harm_twice(tmp_path):
    done = run_first_cell_twice(tmp_path, tool.publish(tmp_path / "public", FIRST))
    assert done.returncode == 0, done.stderr
    library = tmp_path / "content/dtfa/utils/__init__.py"
    assert done.stdout.splitlines()[-2:] == ["Ready, on cpu.", str(library)]


def test_the_first_cell_says_so_where_there_is_no_network(tmp_path):
    done = run_first_cell_twice(tmp_path, tmp_path / "nowhere")
    assert done.returncode != 0
    assert "fatal: " in done.stderr
    assert not (tmp_path / "content/dtfa").exists()


def test_a_chapter_runs_as_on_binder(tmp_path, capsys):
    """`make binder` takes all, in an environment of their own."""
    runs = tool.on_binder(Path(sys.executable), "2_synthesizer", tmp_path / "clone")
    assert runs, capsys.readouterr().out


def test_a_chapter_runs_as_on_colab():
    """`make colab` takes all."""
    command = [sys.executable, ROOT / "tools" / "colab.py", "2_synthesizer"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
