"""Nothing evaluates text, unpickles what others wrote, builds a shell command, fetches, or asks for
a sound device: players are in the page.
"""

import ast
import json

import pytest
from conftest import CHAPTERS, ROOT

CALLS = {
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.execvp"),
    *("pickle.load", "pickle.loads", "torch.load", "np.load", "numpy.load", "joblib.load"),
    *("yaml.load", "yaml.unsafe_load", "subprocess.getoutput"),
}
FETCHING = {"ftplib", "http", "httpx", "requests", "smtplib", "socket", "telnetlib", "urllib"}
SOUNDING = {"pyaudio", "pygame", "simpleaudio", "sounddevice"}
MODULES = FETCHING | SOUNDING


def sources():
    """Scripts as they are; of a chapter all cells but the first, which fetches the book."""
    for path in sorted([*(ROOT / "utils").rglob("*.py"), *(ROOT / "tools").rglob("*.py")]):
        yield path.name, path.read_text(encoding="utf-8")
    for path in CHAPTERS:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        _, *code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        yield path.stem, "\n".join(code)


def dangers(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            if ast.unparse(node.func) in CALLS:
                found.append(ast.unparse(node.func))
            found += [f"{each.arg}=" for each in node.keywords if each.arg == "shell"]
            found += [f"{each.arg}=" for each in node.keywords if each.arg == "allow_pickle"]
        elif isinstance(node, ast.Import):
            found += [each.name for each in node.names if each.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(node.module)
    return found


@pytest.mark.parametrize(
    ("name", "source"), [pytest.param(*each, id=each[0]) for each in sources()]
)
def test_nothing_dangerous(name, source):
    assert not dangers(source)


@pytest.mark.parametrize(
    "source",
    [
        "eval(text)",
        "import os\nos.system(command)",
        "subprocess.run(command, shell=True)",
        "torch.load(path)",
        "np.load(path, allow_pickle=True)",
        "import urllib.request",
        "from urllib import request",
        "import sounddevice",
    ],
)
def test_dangers_are_seen(source):
    assert dangers(source)


def test_the_first_cell_fetches_by_https_and_builds_no_shell_command():
    cells = json.loads(CHAPTERS[0].read_text(encoding="utf-8"))["cells"]
    first = next("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert not dangers(first)
    addresses = [
        node.value
        for node in ast.walk(ast.parse(first))
        if isinstance(node, ast.Constant) and "://" in str(node.value)
    ]
    assert addresses
    assert all(each.startswith("https://") for each in addresses)
