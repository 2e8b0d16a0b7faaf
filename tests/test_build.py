"""`make book`: what it executes, what it sets anew, and what it says when it cannot."""

import os
import shutil
import subprocess
import sys

import inputs
import lighten
import nbformat
import pytest
import yaml
from conftest import ROOT, cells
from nbformat import v4

LIBRARY = {
    "__init__.py": 'HOMES = {".first": ["one"], ".folder.second": ["two"]}\n'
    "def __getattr__(name):\n"
    "    import importlib\n"
    "    module = next(module for module, names in HOMES.items() if name in names)\n"
    "    return getattr(importlib.import_module(module, __name__), name)\n",
    "first.py": "one = 1\n",
    "folder/__init__.py": "",
    "folder/second.py": "from ..deep import two\nimport pathlib\n"
    '[pathlib.Path(__file__).with_name(name).read_text() for name in ("table.txt", "look.css")]\n',
    "folder/table.txt": "a table\n",
    "folder/look.css": "p { color: red }\n",
    "deep.py": "two = 2\n",
}
CHAPTERS = {
    "a_first": "from utils import one\nprint('one is', one)",
    "b_second": "from utils.folder import second\nprint('two is', second.two)",
    "c_all": "import utils\nimport utils as library\nprint(library.one, utils.two)",
    "d_none": "import socket\nprint('alone', socket.socket.connect.__module__)",
    "e_results": "from pathlib import Path\nfiles = Path('../_build/executed').glob('*.ipynb')\n"
    "print(*sorted(file.stem for file in files))",
}
FIRST = "import sys\nsys.path.insert(0, '..')"


@pytest.fixture
def book(tmp_path):
    """A book of five chapters, in a folder with a space and an accent, with our settings."""
    root = tmp_path / "un livre é"
    for name in ("book/_static", "tools"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in LIBRARY.items():
        path = root / "utils" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    config["execute"]["timeout"] = 5
    (root / "_config.yml").write_text(yaml.safe_dump(config))
    toc = "".join(f"  - file: book/{name}\n" for name in list(CHAPTERS)[1:])
    (root / "_toc.yml").write_text(f"format: jb-book\nroot: book/a_first\nchapters:\n{toc}")
    shutil.copy(ROOT / "requirements.txt", root)
    for name, code in CHAPTERS.items():
        write(root, name, code)
    return root


def write(root, name, code, prose="$x^2$"):
    parts = [
        v4.new_markdown_cell(f"# Chapter {name}\n\n{prose}"),
        v4.new_code_cell(FIRST, id="first"),
        v4.new_code_cell(code, id="second"),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(v4.new_notebook(cells=parts, metadata=kernel), root / f"book/{name}.ipynb")


def digests(root):
    """By chapter, what says whether it has to be executed."""
    known = {}
    for name in CHAPTERS:
        known[name] = inputs.digest(root, cells(root / f"book/{name}.ipynb", "code"), known)
    return known


ALL = set(CHAPTERS)
DEEP = {"b_second", "c_all", "e_results"}
CHANGES = [
    ("README.md", "a typo", set()),
    ("_config.yml", "# a typo", set()),
    ("tools/build.py", "# a typo", set()),
    ("utils/__init__.py", "# the table of lazy names", ALL - {"d_none"}),
    ("utils/first.py", "# behind a lazy name", {"a_first", "c_all", "e_results"}),
    ("utils/deep.py", "# behind a relative import", DEEP),
    ("utils/folder/__init__.py", "# a package", DEEP),
    ("utils/folder/table.txt", "data that a module names", DEEP),
    ("utils/folder/look.css", "of pages, which the build puts together", set()),
    ("utils/new.py", "1", set()),
    ("book/study.jsonl", "data that nothing names", set()),
    ("requirements.txt", "new==1.0  # why", ALL),
    ("requirements.txt", "# a comment", set()),
]


@pytest.mark.parametrize(("file", "more", "expected"), CHANGES)
def test_a_change_executes_the_chapters_that_rest_on_it(book, file, more, expected):
    before = digests(book)
    with (book / file).open("a") as changed:
        changed.write(more)
    after = digests(book)
    assert {name for name in ALL if after[name] != before[name]} == expected


def test_another_python_executes_all(book, monkeypatch):
    before = digests(book)
    monkeypatch.setattr(sys, "version", "4.0")
    assert not set(before.values()) & set(digests(book).values())


# What Python runs first in each build and its kernels: a process that calls another host ends.
LONELY = """
import os, socket

def connect(self, address, really=socket.socket.connect):
    if isinstance(address, tuple) and not address[0].startswith("127."):
        os._exit(1)
    return really(self, address)

socket.socket.connect = connect
"""


def build(root):
    """Build a book: the exit status, the chapters that were executed, and all that was printed."""
    (root.parent / "sitecustomize.py").write_text(LONELY)
    done = subprocess.run(
        [sys.executable, root / "tools/build.py"],
        env=os.environ | {"PYTHONPATH": str(root.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    executed = {name for name in CHAPTERS if f"{name}: executed" in done.stdout}
    return done.returncode, executed, done.stdout


def test_builds_once_and_then_what_changed(book):
    page = book / "_build/html/book/a_first.html"
    write(book, "c_all", "1 / 0")
    status, executed, output = build(book)
    assert (status, executed) == (1, {"a_first", "b_second"}), output
    assert "ZeroDivisionError" in output
    assert output.splitlines()[-1] == "RuntimeError: c_all, code cell 2 fails: 1 / 0"
    write(book, "c_all", CHAPTERS["c_all"])
    status, executed, output = build(book)  # goes on where it was interrupted
    assert (status, executed) == (0, {"c_all", "d_none", "e_results"}), output
    assert "one is 1" in page.read_text()
    results = (book / "_build/html/book/e_results.html").read_text()
    assert "a_first b_second c_all d_none\n" in results
    assert "alone sitecustomize\n" in (book / "_build/html/book/d_none.html").read_text()

    status, executed, output = build(book)
    assert (status, executed) == (0, set()), output
    assert "The book is current" in output

    write(book, "a_first", CHAPTERS["a_first"], "A better word.")
    write(book, "d_none", "'better code'")
    status, executed, output = build(book)
    assert (status, executed) == (0, {"d_none", "e_results"}), output
    assert "A better word." in page.read_text()
    assert "one is 1" in page.read_text()
    assert "one is 1" not in (book / "_build/html/_sources/book/a_first.ipynb").read_text()

    (book / "utils/first.py").write_text("one = 'fresh from the library'\n")
    status, executed, output = build(book)
    assert (status, executed) == (0, {"a_first", "c_all", "e_results"}), output
    assert "one is fresh from the library" in page.read_text()


SHEET = """.known, .unknown:hover{color:red}.unknown .known{color:red}.known:not(.unknown){top:0}
@media print{.unknown{color:red}}@media print{p{top:1px}}@font-face{font-family:"Font Awesome"}"""


def test_a_light_style_sheet_has_what_pages_use():
    wanted = ".known{color:red}.known:not(.unknown){top:0}@media print{p{top:1px}}"
    assert "".join(lighten.used(SHEET, {"known"})) == wanted


BROKEN = {"while True: pass": "timed out", "import os; os._exit(1)": "Kernel died"}


@pytest.mark.parametrize("cell", BROKEN)
def test_a_cell_that_hangs_or_kills_its_kernel_is_named(book, cell):
    write(book, "a_first", cell)
    status, _, output = build(book)
    assert (status, BROKEN[cell] in output) == (1, True), output
    assert output.splitlines()[-1] == f"RuntimeError: a_first, code cell 2 fails: {cell}"
    assert not (book / "_build/digest").exists()


def test_a_warning_fails_the_build(book):
    with (book / "_toc.yml").open("a") as toc:
        toc.write("  - file: book/absent\n")
    status, _, output = build(book)
    assert status != 0, output


UNFIT = {
    "is Python 3.9.1": "[ $1 = -V ] && echo Python 3.9.1 || exit 1",
    "lacks the module venv": 'case "$2" in *venv*) exit 1;; esac',
}


@pytest.mark.parametrize("says", UNFIT)
def test_an_unfit_python_gets_one_clear_sentence(tmp_path, says):
    python = tmp_path / "python3"
    python.write_text(f"#!/bin/sh\n{UNFIT[says]}\n")
    python.chmod(0o755)
    check = subprocess.run(
        ["sh", ROOT / "tools/check_python.sh", python], capture_output=True, text=True
    )
    assert check.returncode != 0
    assert says in check.stderr
    assert len(check.stderr.strip().splitlines()) == 1
