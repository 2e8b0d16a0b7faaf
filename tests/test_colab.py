"""The first cell of every chapter, and a whole chapter, where Colab would run them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CHAPTERS, ROOT, cells, script

tool = script("colab")
FIRST = cells(CHAPTERS[0], "code")[0]
WITHIN = 5 * 60  # seconds that a chapter and its environment may take


@pytest.fixture
def colab(tmp_path):
    """A way to run code after the first cell, in an empty folder, as on Colab but for its packages.

    It takes where git finds the book, the code, and how often the first cell runs before it.
    """
    (tmp_path / "content").mkdir()
    (tmp_path / "first.py").write_text(FIRST)
    settings = os.environ | {
        "PYTHONPATH": str(tool.stand_in(tmp_path / "stand-in")),
        "CUDA_VISIBLE_DEVICES": "",
    }

    def run(at, code="", times=1):
        again = f"exec(compile(open({str(tmp_path / 'first.py')!r}).read(), 'cell', 'exec'))\n"
        return subprocess.run(
            [sys.executable, "-c", f"import google.colab\n{again * times}{code}"],
            cwd=tmp_path / "content",
            env=settings | tool.git_sends(tool.address(), at.as_uri()),
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture
def released(tmp_path):
    """A repository of two files, with a branch `main` after the releases 0.9 and 0.10."""
    home = tmp_path / "released"

    def git(*words):
        settings = ("user.name=a", "user.email=a@b", "commit.gpgsign=false", "tag.gpgsign=false")
        given = [word for setting in settings for word in ("-c", setting)]
        subprocess.run(["git", *given, *words], cwd=home, check=True, capture_output=True)

    (home / "utils").mkdir(parents=True)
    (home / "utils" / "__init__.py").touch()
    git("init", "--initial-branch", "main")
    for state in ("0.9", "0.10", "later"):
        (home / "utils" / "synth.py").write_text(f"state = {state!r}\n")
        git("add", ".")
        git("commit", "-m", state)
        if state != "later":
            git("tag", f"v{state}")
    return home


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_its_badge_and_its_launch_button(chapter, executed):
    link = tool.address().replace("https://github.com", "https://colab.research.google.com/github")
    link += f"/blob/main/book/{chapter.stem}.ipynb"
    badge = f"[![Open in Colab](_static/colab.svg)]({link})"
    assert cells(chapter, "markdown")[1] == badge
    if chapter.stem != "9_results":  # which needs a built book
        assert badge.replace("_static", "book/_static") in (ROOT / "README.md").read_text()
    page = (ROOT / f"_build/html/book/{chapter.stem}.html").read_text()
    assert page.count(f'href="{link}"') >= 2
    assert f"mybinder.org/v2/gh/dtfa-book/dtfa/main?urlpath=tree/book/{chapter.stem}.ipynb" in page


def test_first_cell_takes_the_newest_release(colab, released):
    done = colab(released, "from utils.synth import state; print(state)")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["Fetching the book (v0.10) ...", "Ready, on cpu.", "0.10"]


def test_first_cell_takes_main_where_there_is_no_release(colab, released):
    for tag in ("v0.9", "v0.10"):
        subprocess.run(["git", "tag", "-d", tag], cwd=released, check=True, capture_output=True)
    done = colab(released, "from utils.synth import state; print(state)")
    assert done.stdout.splitlines() == ["Fetching the book (main) ...", "Ready, on cpu.", "later"]


def test_first_cell_twice_does_no_harm(colab, released):
    count = "print(sum(path.endswith('dtfa') for path in sys.path))"
    done = colab(released, count, times=2)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Fetching the book (v0.10) ...",
        "Ready, on cpu.",
        "Ready, on cpu.",
        "1",
    ]


def test_first_cell_says_so_where_there_is_no_network(colab, tmp_path):
    done = colab(tmp_path / "nowhere")
    assert done.returncode != 0
    assert "RuntimeError: Looking for the book failed. Is there a network?" in done.stderr


def test_first_cell_installs_what_the_book_requires_and_nothing_else():
    pins = set(re.findall(r'"([\w-]+==[\w.]+)"', FIRST))
    required = (ROOT / "requirements.txt").read_text().split()
    assert {pin.split("==")[0] for pin in pins} == {"kymatio", "scrapl-loss"}
    assert pins <= set(required)
    assert '"--no-deps"' in FIRST


def test_binder_finds_what_it_looks_for():
    assert (ROOT / "runtime.txt").read_text() == "python-3.11\n"
    assert not any((ROOT / name).exists() for name in ("binder", ".binder", "environment.yml"))
    done = subprocess.run(
        [ROOT / "start", "printenv", "LOKY_MAX_CPU_COUNT"], capture_output=True, text=True
    )
    assert done.stdout == "1\n"


def test_a_chapter_runs_as_on_binder(tmp_path, capsys):
    """`make binder` takes all, in an environment of their own."""
    runs = tool.on_binder(Path(sys.executable), "2_synthesizer", tmp_path / "clone")
    assert runs, capsys.readouterr().out


def test_a_chapter_runs_as_on_colab():
    """`make colab` takes all."""
    command = [sys.executable, ROOT / "tools" / "colab.py", "2_synthesizer"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN)
    assert done.returncode == 0, done.stdout + done.stderr
