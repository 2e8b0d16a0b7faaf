"""`make book`: what it rebuilds, and what it says when it cannot."""

import os
import shutil
import subprocess
import sys
import time

import nbformat
import pytest
import yaml
from conftest import ROOT
from nbformat import v4

BROKEN = [
    ("1 / 0", "chapter, code cell 2 ('1 / 0') fails: ZeroDivisionError: division by zero"),
    ("while True:\n    pass", "chapter, code cell 2 ('while True:') takes longer than the time"),
    ("import os\nos._exit(1)", "chapter, code cell 2 ('import os') ends its kernel"),
]


@pytest.fixture
def small_book(tmp_path):
    """A book of one chapter, in a folder with a space and an accent, with this book's settings."""
    root = tmp_path / "un livre é"
    for name in ("book/_static", "utils", "tools"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    config["execute"]["timeout"] = 5
    (root / "_config.yml").write_text(yaml.safe_dump(config))
    (root / "_toc.yml").write_text("format: jb-book\nroot: book/chapter\n")
    for name in ("requirements.txt", "README.md"):
        shutil.copy(ROOT / name, root / name)
    write(root, "1 + 1")
    return root


def write(root, second_cell):
    book = v4.new_notebook(
        cells=[
            v4.new_markdown_cell("# A chapter\n\n$x^2$"),
            v4.new_code_cell("import sys; sys.path.insert(0, '..')\nimport utils"),
            v4.new_code_cell(second_cell),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(book, root / "book/chapter.ipynb")


def start(root, **options):
    command = [sys.executable, str(root / "tools/build.py")]
    options |= {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, **options)


def build(root, **options):
    process = start(root, **options)
    return process.communicate()[0], process.wait()


def test_builds_once_and_again_after_each_kind_of_change(small_book):
    page = small_book / "_build/html/book/chapter.html"
    output, status = build(small_book)
    assert status == 0, output
    assert page.exists()

    began = time.monotonic()
    output, status = build(small_book)
    assert (status, "The book is current" in output) == (0, True)
    assert time.monotonic() - began < 30

    (small_book / "utils/__init__.py").write_text("news = 'fresh from the library'\n")
    write(small_book, "print(utils.news)")
    output, status = build(small_book)
    assert status == 0, output
    assert "fresh from the library" in page.read_text()

    (small_book / "utils/__init__.py").write_text("news = 'fresher still'\n")
    process = start(small_book)  # killed in the middle ...
    while not (small_book / "_build").exists() or page.exists():
        time.sleep(0.1)
    process.kill()
    process.communicate()
    output, status = build(small_book)  # ... and followed by a right one
    assert status == 0, output
    assert "The book is current" not in output
    assert "fresher still" in page.read_text()


@pytest.mark.parametrize(("cell", "sentence"), BROKEN, ids=["fails", "hangs", "kills its kernel"])
def test_a_broken_cell_fails_the_build_and_is_named(small_book, cell, sentence):
    write(small_book, cell)
    output, status = build(small_book)
    assert status != 0
    assert sentence in output.splitlines()[-1]
    assert not (small_book / "_build/digest").exists()


LONELY = """
import os, socket

def connect(self, address, really=socket.socket.connect):
    if isinstance(address, tuple) and not address[0].startswith("127."):
        os.write(2, b"somebody calls " + str(address).encode())
        raise OSError("no network")
    return really(self, address)

socket.socket.connect = connect
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
"""


def test_one_core_and_no_network_will_do(small_book, tmp_path):
    """What Python runs first, in the build and its kernels, leaves one core and no other host."""
    (tmp_path / "sitecustomize.py").write_text(LONELY)
    write(small_book, "import socket\nprint(socket.socket.connect.__module__[::-1])")
    output, status = build(small_book, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert status == 0, output
    assert "somebody calls" not in output
    assert "sitecustomize"[::-1] in (small_book / "_build/html/book/chapter.html").read_text()


def test_a_warning_fails_the_build(small_book):
    toc = small_book / "_toc.yml"
    toc.write_text(toc.read_text() + "chapters:\n  - file: book/absent\n")
    output, status = build(small_book)
    assert status != 0, output


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (None, "there is no"),
        ("#!/bin/sh\n[ $1 = -V ] && echo Python 3.9.1 || exit 1\n", "is Python 3.9.1"),
        ('#!/bin/sh\ncase "$2" in *venv*) exit 1;; esac\n', "lacks the module venv"),
    ],
    ids=["no python", "old python", "no venv"],
)
def test_an_unfit_python_gets_one_clear_sentence(tmp_path, script, says):
    python = tmp_path / "python3"
    if script:
        python.write_text(script)
        python.chmod(0o755)
    check = subprocess.run(
        ["sh", ROOT / "tools/check_python.sh", python], capture_output=True, text=True
    )
    assert check.returncode != 0
    assert says in check.stderr
    assert len(check.stderr.strip().splitlines()) == 1
