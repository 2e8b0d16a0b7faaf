"""Run chapters, as they are committed, where readers run them: on Colab, and on Binder.

Colab: an empty folder that holds one notebook; an environment with Colab's versions of what the
book imports, as far as they can be had, and a stand-in for the module `google.colab`; git sent
from the public address to this clone. What the first cell fetches and installs is its own affair.
Binder: a clone, an environment from `requirements.txt`, started by `start`, with two gigabytes of
memory. A plain Jupyter server is Binder with more memory.
"""

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from math import inf
from pathlib import Path

import psutil
import yaml

ROOT = Path(__file__).parents[1]
# What Colab's image of January 2026 has of what the book imports. Python is the one that runs this
# (Colab's: 3.13, since August 2026), torch the book's own, scipy an argument.
COLAB = (
    "distributed==2025.12.0",
    "ipykernel==6.17.1",
    "ipywidgets==7.7.1",
    "joblib==1.5.3",
    "librosa==0.11.0",
    "matplotlib==3.10.0",
    "nbclient==0.10.2",
    "numpy==2.0.2; python_version < '3.13'",
    "numpy==2.2.6; python_version >= '3.13'",  # of the other there is no wheel
    "soundfile==0.13.1",
    "tqdm==4.67.1",
)
BINDER_GIGABYTES = 2.0
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")
GIT = ("git", "-c", "safe.directory=*")  # a clone may belong to somebody else, as on CI


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="stems of notebooks; all, if none is named")
    parser.add_argument("--at", choices=("colab", "binder"), default="colab")
    parser.add_argument("--scipy", default=pinned("scipy"), help="version that Colab may have")
    given = parser.parse_args()
    chapters = given.chapters or [path.stem for path in sorted((ROOT / "book").glob("*.ipynb"))]
    wanted = [f"torch=={pinned('torch')}", f"scipy=={given.scipy}", *COLAB]
    if given.at == "binder":
        wanted = ["-r", ROOT / "requirements.txt"]
    run = {"colab": on_colab, "binder": on_binder}[given.at]
    with tempfile.TemporaryDirectory() as folder:
        python = environment(Path(folder) / "environment", wanted)
        failed = [each for each in chapters if not run(python, each, Path(folder) / each)]
    if failed:
        print(f"Failed: {', '.join(failed)}")
    return len(failed)


def pinned(name: str) -> str:
    """The version of a package that the book requires."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return re.search(rf"^{name}==(\S+)", text, re.M)[1]


def environment(home: Path, wanted: list) -> Path:
    """The Python of a new environment that holds some packages and what they need."""
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    python = home / "bin" / "python"
    subprocess.run([python, *PIP, "install", *wanted], check=True)
    return python


def on_colab(python: Path, chapter: str, folder: Path) -> bool:
    """Run a chapter alone in an empty folder, as on Colab; the environment is left as it was."""
    (folder / "content").mkdir(parents=True)
    public = published(folder / "published")
    notebook = folder / "content" / f"{chapter}.ipynb"
    shown = [*GIT, "show", f"main:book/{chapter}.ipynb"]
    notebook.write_bytes(subprocess.check_output(shown, cwd=public))
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "colab.py").write_text("import google.colab\n", encoding="utf-8")  # as Colab does
    settings = {
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": str(stand_in(folder / "stand-in")),
        **git_sends(address(), public.as_uri()),
    }
    before = packages(python)
    runs = execute([], python, notebook, settings)
    added = packages(python) - before
    if added:  # the next chapter finds another machine
        subprocess.run([python, *PIP, "uninstall", "--yes", *added], check=True)
    untouched = packages(python) == before
    print(f"  added {', '.join(sorted(added))}; the rest {'as it was' if untouched else 'CHANGED'}")
    return runs and untouched


def on_binder(python: Path, chapter: str, folder: Path) -> bool:
    """Run a chapter in a clone, as the server that Binder starts would."""
    subprocess.run([*GIT, "clone", "--quiet", ROOT, folder], check=True)
    notebook = folder / "book" / f"{chapter}.ipynb"
    told = {"MEM_LIMIT": str(round(BINDER_GIGABYTES * 2**30))}  # as JupyterHub tells its servers
    return execute([folder / "start"], python, notebook, told, BINDER_GIGABYTES)


def address() -> str:
    """The public address of the book's source."""
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    return settings["repository"]["url"]


def published(bare: Path) -> Path:
    """A repository without releases, whose branch `main` is what is committed here."""
    subprocess.run([*GIT, "clone", "--quiet", "--bare", "--no-tags", ROOT, bare], check=True)
    head = subprocess.check_output([*GIT, "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
    subprocess.run([*GIT, "update-ref", "refs/heads/main", head], cwd=bare, check=True)
    return bare


def stand_in(folder: Path) -> Path:
    """A folder with an empty module `google.colab`, for the path of Python."""
    module = folder / "google" / "colab"
    module.mkdir(parents=True)
    (module / "__init__.py").touch()
    return folder


def git_sends(public: str, here: str) -> dict[str, str]:
    """Settings by which git finds one address at another."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{here}.insteadOf",
        "GIT_CONFIG_VALUE_0": public,
    }


def packages(python: Path) -> set[str]:
    """What an environment holds, with versions."""
    return set(subprocess.check_output([python, *PIP, "freeze", "--all"], text=True).splitlines())


def execute(
    starter: list, python: Path, notebook: Path, settings: dict[str, str], limit: float = inf
) -> bool:
    """Whether a notebook runs from top to bottom in so many gigabytes, by samples of its memory."""
    command = [*starter, python.parent / "jupyter-execute", "--inplace", "--timeout=900"]
    began, most = time.monotonic(), 0.0
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        process = psutil.Popen(
            [*command, notebook.name],
            cwd=notebook.parent,
            env=surroundings() | settings,
            stdout=log,
            stderr=log,
        )
        while process.poll() is None:
            most = max(most, gigabytes(process))
            if most > limit:
                end(process)
            time.sleep(0.5)
        log.seek(0)
        why = f"needs more than {limit} GB" if most > limit else f"fails:\n{log.read()[-3000:]}"
    runs = process.returncode == 0
    said = f"runs, its first cell in {first_cell(notebook):.0f} s" if runs else why
    print(f"{notebook.stem}: {said} ({time.monotonic() - began:.0f} s, {most:.1f} GB)", flush=True)
    return runs


def surroundings() -> dict[str, str]:
    """The environment of a reader's Jupyter: without what is set for the book's own processes."""
    ours = ("VIRTUAL_ENV", "PYTHONPATH", "DTFA_STILL")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"JUPYTER_PREFER_ENV_PATH": "1"}


def gigabytes(process: psutil.Process) -> float:
    """Memory of a process and its descendants; where Linux tells, what they share counts once."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
        for each in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                info = each.memory_full_info()
                total += getattr(info, "pss", info.rss)
    return total / 2**30


def end(process: psutil.Process) -> None:
    """Kill a process and its descendants."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for each in [*process.children(recursive=True), process]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()


def first_cell(notebook: Path) -> float:
    """Seconds that the first code cell of an executed notebook took."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    times = next(cell for cell in cells if cell["cell_type"] == "code")["metadata"]["execution"]
    began, ended = (
        datetime.fromisoformat(times[name].replace("Z", "+00:00"))
        for name in ("iopub.execute_input", "shell.execute_reply")
    )
    return (ended - began).total_seconds()


if __name__ == "__main__":
    sys.exit(main())
