"""`make book`: what it executes, what it sets anew, and what it says when it cannot."""

import os
import shutil
import subprocess
import sys
import time

import inputs
import nbformat
import pytest
import yaml
from conftest import ROOT, cells
from nbformat import v4

LIBRARY = {
    "__init__.py": 'HOMES = {"one": ".first", "two": ".folder.second"}\n'
    "def __getattr__(name):\n"
    "    import importlib\n"
    "    return getattr(importlib.import_module(HOMES[name], __name__), name)\n",
    "first.py": "one = 1\n",
    "folder/__init__.py": "",
    "folder/second.py": "from ..deep import two\nimport pathlib\n"
    'pathlib.Path(__file__).with_name("table.txt").read_text()\n',
    "folder/table.txt": "a table\n",
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
    for name in ("requirements.txt", "README.md"):
        shutil.copy(ROOT / name, root / name)
    (root / "book/records").mkdir()
    (root / "book/records/study.jsonl").write_text("{}\n")
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


def append(text, *names):
    def change(root):
        for name in names:
            with (root / name).open("a") as file:
                file.write(text)

    return change


def digests(root):
    """By chapter, what says whether it has to be executed."""
    found = {}
    for name in CHAPTERS:
        found[name] = inputs.digest(root, cells(root / f"book/{name}.ipynb", "code"), found)
    return found


ALL = set(CHAPTERS)
CHANGES = {
    "nothing": (lambda root: None, set()),
    "readme": (append("a typo", "README.md"), set()),
    "tool": (append("# a typo", "tools/colab.py", "tools/build.py"), set()),
    "settings": (append("# a typo", "_config.yml"), set()),
    "prose": (lambda root: write(root, "a_first", CHAPTERS["a_first"], "y"), set()),
    "chapter": (lambda root: write(root, "d_none", "1"), {"d_none", "e_results"}),
    "lazy name": (append("# news", "utils/first.py"), {"a_first", "c_all", "e_results"}),
    "relative import": (append("# news", "utils/deep.py"), {"b_second", "c_all", "e_results"}),
    "package": (append("# news", "utils/folder/__init__.py"), {"b_second", "c_all", "e_results"}),
    "table of names": (append("# news", "utils/__init__.py"), ALL - {"d_none"}),
    "new module": (lambda root: (root / "utils/new.py").write_text("1"), set()),
    "data": (append("more", "utils/folder/table.txt"), {"b_second", "c_all", "e_results"}),
    "unread data": (append("{}", "book/records/study.jsonl"), set()),
    "package pinned": (append("new==1.0  # why", "requirements.txt"), ALL),
    "pin explained": (append("# a comment", "requirements.txt"), set()),
    "another Python": (None, ALL),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_executes_the_chapters_that_rest_on_it(book, monkeypatch, change):
    alter, expected = CHANGES[change]
    before = digests(book)
    alter(book) if alter else monkeypatch.setattr(sys, "version", "4.0")
    after = digests(book)
    assert {name for name in after if after[name] != before[name]} == expected


# What Python runs first in each build and its kernels: it leaves one core, and no other host.
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


def build(root):
    process = start(root)
    output = process.communicate()[0]
    assert "somebody calls" not in output
    return output, process.returncode


def start(root):
    (root.parent / "sitecustomize.py").write_text(LONELY)
    return subprocess.Popen(
        [sys.executable, str(root / "tools/build.py")],
        env=os.environ | {"PYTHONPATH": str(root.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def executed(output):
    return {name for name in CHAPTERS if f"{name}: executed" in output}


def test_builds_once_and_then_what_changed(book):
    page = book / "_build/html/book/a_first.html"
    output, status = build(book)
    assert status == 0, output
    assert executed(output) == ALL
    assert "one is 1" in page.read_text()
    results = (book / "_build/html/book/e_results.html").read_text()
    assert "a_first b_second c_all d_none\n" in results
    assert "alone sitecustomize\n" in (book / "_build/html/book/d_none.html").read_text()

    began = time.monotonic()
    output, status = build(book)
    assert (status, executed(output)) == (0, set()), output
    assert "The book is current" in output
    assert time.monotonic() - began < 20

    write(book, "a_first", CHAPTERS["a_first"], "A better word.")
    output, status = build(book)
    assert (status, executed(output)) == (0, set())
    assert "A better word." in page.read_text()
    assert "one is 1" in page.read_text()
    assert "one is 1" not in (book / "_build/html/_sources/book/a_first.ipynb").read_text()

    (book / "utils/first.py").write_text("one = 'fresh from the library'\n")
    process = start(book)  # killed before its end ...
    while "fresh" not in (book / "_build/executed/a_first.ipynb").read_text():
        time.sleep(0.05)
    process.kill()
    process.communicate()
    output, status = build(book)  # ... and taken up
    assert (status, executed(output)) == (0, {"c_all", "e_results"})
    assert "fresh from the library" in page.read_text()


BROKEN = [
    ("1 / 0", "code cell 2 ('1 / 0') fails: ZeroDivisionError: division by zero"),
    ("while True:\n    pass", "code cell 2 ('while True:') takes longer than the time"),
    ("import os\nos._exit(1)", "code cell 2 ('import os') ends its kernel"),
]


@pytest.mark.parametrize(("cell", "sentence"), BROKEN, ids=["fails", "hangs", "kills its kernel"])
def test_a_broken_cell_fails_the_build_and_is_named(book, cell, sentence):
    write(book, "a_first", cell)
    output, status = build(book)
    assert status != 0
    assert f"a_first, {sentence}" in output.splitlines()[-1]
    assert not (book / "_build/digest").exists()


def test_a_warning_fails_the_build(book):
    with (book / "_toc.yml").open("a") as toc:
        toc.write("  - file: book/absent\n")
    output, status = build(book)
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
