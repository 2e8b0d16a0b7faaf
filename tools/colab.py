"""Run chapters, as they are committed, where readers run them: on Colab, and on Binder.

Colab: an empty folder with one notebook; Colab's versions of what the book imports, as far as they
can be had; a stand-in for the module `google.colab`; git sent from the public address to a clone
of this one. Binder: a clone, an environment from `requirements.txt`, started by `start`, with two
gigabytes of memory.
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from math import inf
from pathlib import Path

import psutil
import yaml

ROOT = Path(__file__).parents[1]
# What Colab's image of January 2026 has of what the book imports; torch is the book's own, scipy an
# argument. Python is the one that runs this (Colab's: 3.13, since August 2026).
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
        python = Path(folder) / "environment" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--no-compile"]
        subprocess.run([*pip, *wanted], check=True)
        failed = [name for name in chapters if not run(python, name, Path(folder) / name)]
    if failed:
        print(f"Failed: {', '.join(failed)}")
    return len(failed)


def pinned(name: str) -> str:
    """The version of a package that the book requires."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return re.search(rf"^{name}==(\S+)", text, re.M)[1]


def on_colab(python: Path, chapter: str, folder: Path) -> bool:
    """Whether a chapter runs alone in an empty folder, as on Colab."""
    (folder / "content").mkdir(parents=True)
    notebook = folder / "content" / f"{chapter}.ipynb"
    shown = [*GIT, "show", f"HEAD:book/{chapter}.ipynb"]
    notebook.write_bytes(subprocess.check_output(shown, cwd=ROOT))
    public = publish(folder / "public", notebook.read_text(encoding="utf-8"))
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "colab.py").write_text("import google.colab\n", encoding="utf-8")  # as Colab does
    settings = {"IPYTHONDIR": str(folder / "ipython"), **colab(folder, public)}
    return execute([], python, notebook, settings)


def publish(folder: Path, text: str) -> Path:
    """A repository in which what is committed here is the release that a first cell names."""
    release = re.search(r"-b (\S+)", text)[1]
    subprocess.run([*GIT, "clone", "--quiet", "--bare", ROOT, folder], check=True)
    subprocess.run([*GIT, "update-ref", f"refs/heads/{release}", "HEAD"], cwd=folder, check=True)
    return folder


def colab(folder: Path, repository: Path) -> dict[str, str]:
    """Settings by which Python finds a module `google.colab`, and git the book in a repository."""
    (folder / "google" / "colab").mkdir(parents=True)
    (folder / "google" / "colab" / "__init__.py").touch()
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    return {
        "PYTHONPATH": str(folder),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": config["repository"]["url"],
    }


def on_binder(python: Path, chapter: str, folder: Path) -> bool:
    """Whether a chapter runs in a clone, as the server that Binder starts would run it."""
    subprocess.run([*GIT, "clone", "--quiet", ROOT, folder], check=True)
    limit = {"MEM_LIMIT": str(round(BINDER_GIGABYTES * 2**30))}  # as JupyterHub sets it
    notebook = folder / "book" / f"{chapter}.ipynb"
    return execute([folder / "start"], python, notebook, limit, BINDER_GIGABYTES)


def execute(start: list, python: Path, notebook: Path, settings: dict, limit: float = inf) -> bool:
    """Whether a notebook runs from top to bottom in so many gigabytes, by samples of its memory."""
    command = [*start, python.parent / "jupyter-execute", "--inplace", "--timeout=900"]
    began, most = time.monotonic(), 0.0
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        where = {"cwd": notebook.parent, "env": surroundings() | settings}
        process = psutil.Popen([*command, notebook.name], stdout=log, stderr=log, **where)
        while process.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
                family = [process, *process.children(recursive=True)]
                # What processes share counts once.
                most = max(most, sum(one.memory_full_info().pss for one in family) / 2**30)
                for one in family if most > limit else ():
                    one.kill()
            time.sleep(0.5)
        log.seek(0)
        print(log.read()[-3000:] if process.returncode else "", end="")
    verdict, seconds = "fails" if process.returncode else "runs", time.monotonic() - began
    print(f"{notebook.stem}: {verdict} ({seconds:.0f} s, {most:.1f} GB)", flush=True)
    return process.returncode == 0


def surroundings() -> dict[str, str]:
    """The environment of a reader's Jupyter: without what is set for the book's own processes."""
    ours = ("VIRTUAL_ENV", "PYTHONPATH", "DTFA_STILL")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"JUPYTER_PREFER_ENV_PATH": "1"}


if __name__ == "__main__":
    sys.exit(main())
