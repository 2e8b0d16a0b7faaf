"""Build the site into _build/html, executing every chapter; do nothing where nothing changed.

What was built is known by a digest of every file it was built from, not by times: a deleted or
restored file counts as a change, and a build that was killed leaves no digest. A change rebuilds
everything, since Sphinx would not re-execute a chapter whose library changed.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import traceback
from pathlib import Path

from jupyter_book.cli.main import main as jupyter_book
from myst_nb.core.execute.base import ExecutionError
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

INPUTS = ("_config.yml", "_toc.yml", "requirements.txt", "README.md", "book", "utils", "tools")


def main(root: Path) -> int:
    """Build the book at `root`; return the exit status."""
    build = root / "_build"
    record = build / "digest"
    now = digest(root)
    if record.exists() and record.read_text() == now:
        print("The book is current: open _build/html/index.html")
        return 0
    shutil.rmtree(build, ignore_errors=True)
    os.environ |= {
        "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel of this environment, not the user's
        "TQDM_DISABLE": "1",  # progress bars are for live sessions
        "DTFA_STILL": "1",  # pages have no kernel: the playground shows a still
    }
    # In a new environment librosa compiles for 17 seconds: beside chapter 1 instead of within.
    compiling = subprocess.Popen([sys.executable, "-c", "import librosa.core.constantq"])
    build.mkdir()
    (build / "began").touch()  # the presenters' page tells how long chapters take
    try:
        jupyter_book(["build", "-W", "--keep-going", str(root)], standalone_mode=False)
    except Exception as error:
        print(explain(error), file=sys.stderr)
        return 1
    finally:
        compiling.wait()
    record.write_text(now)
    return 0


def explain(error: BaseException) -> str:
    """One sentence on a failed build: where a cell is the cause, its chapter and number."""
    chain = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    if isinstance(chain[-1], DeadKernelError):
        return f"The book was not built: {what_ran(chain[-1])} ends its kernel: too little memory?"
    notebooks = [str(each) for each in chain if isinstance(each, ExecutionError)]
    if not notebooks:
        return f"The book was not built: {error}"
    quoting = (CellExecutionError, CellTimeoutError)
    cause = next((each for each in chain if isinstance(each, quoting)), chain[-1])
    hangs = isinstance(cause, CellTimeoutError)
    what = "takes longer than the time allowed" if hangs else f"fails: {last_line(cause)}"
    where = f"{Path(notebooks[0]).stem}, {which_cell(notebooks[0], str(cause))}"
    return f"The book was not built: {where} {what}"


def what_ran(death: DeadKernelError) -> str:
    """Chapter and cell that were running: the exception tells neither, but its frames know."""
    known = [frame.f_locals for frame, _ in traceback.walk_tb(death.__traceback__)]
    notebook = next(str(each["self"].path) for each in known if hasattr(each.get("self"), "path"))
    source = next((each["cell"].source for each in known if "cell" in each), "")
    return f"{Path(notebook).stem}, {which_cell(notebook, source)}"


def which_cell(notebook: str, quoted: str) -> str:
    """The number of the code cell that a text quotes, counted from 1."""
    cells = json.loads(Path(notebook).read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    for number, source in enumerate(code, start=1):
        opening = "\n".join(source.strip().splitlines()[:5])  # a timeout quotes no more
        if opening and opening in quoted:
            return f"code cell {number} ({opening.splitlines()[0]!r})"
    return "a cell"


def last_line(cause: BaseException) -> str:
    lines = [line for line in str(cause).splitlines() if line.strip()]
    return re.sub(r"\x1b\[[0-9;]*m", "", lines[-1]) if lines else type(cause).__name__


def digest(root: Path) -> str:
    """A digest of the names and contents of all inputs, and of the Python that runs."""
    total = hashlib.sha256(sys.version.encode())
    for name in INPUTS:
        path = root / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(file.parts):
                total.update(file.relative_to(root).as_posix().encode() + b"\0")
                total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve() if sys.argv[1:] else Path(__file__).parents[1]))
