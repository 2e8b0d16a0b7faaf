"""Run chapters, as they are committed, where readers run them: on Colab, and on Binder.

Colab: an empty folder with one notebook; the packages of `tests/colab.txt`; a stand-in for the
module `google.colab`; git sent from the public address to a clone of this one. Binder: a clone, an
environment from `requirements.txt`, started by `start`, with two gigabytes of memory.
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
BINDER_GIGABYTES = 2.0
GIT = ("git", "-c", "safe.directory=*")  # a clone may belong to somebody else, as on CI


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="stems of notebooks; all, if none is named")
    parser.add_argument("--at", choices=("colab", "binder"), default="colab")
    parser.add_argument("--scipy", default=pinned("scipy"), help="version that Colab may have")
    given = parser.parse_args()
    chapters = given.chapters or [path.stem for path in sorted((ROOT / "book").glob("*.ipynb"))]
    if given.at == "binder":
        run, wanted = on_binder, ["-r", ROOT / "requirements.txt"]
    else:
        run, wanted = on_colab, ["-r", ROOT / "tests" / "colab.txt"]
        wanted += [f"torch=={pinned('torch')}", f"scipy=={given.scipy}"]
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "environment" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--no-compile"]
        subprocess.run([*pip, *wanted], check=True)
        return sum(not run(python, name, Path(folder) / name) for name in chapters)


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
    settings = {"IPYTHONDIR": str(folder / "ipython")} | colab(folder, public)
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
    ours = ("VIRTUAL_ENV", "PYTHONPATH", "DTFA_STILL")  # set for the book's own processes
    env = {name: value for name, value in os.environ.items() if name not in ours}
    env |= {"JUPYTER_PREFER_ENV_PATH": "1"} | settings
    began, most = time.monotonic(), 0.0
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        process = psutil.Popen(
            [*command, notebook.name], stdout=log, stderr=log, cwd=notebook.parent, env=env
        )
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


if __name__ == "__main__":
    sys.exit(main())
