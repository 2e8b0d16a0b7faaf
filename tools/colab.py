"""Run chapters where readers run them: on Colab, and on Binder.

Colab: an empty folder that holds one notebook and nothing else; an environment with Colab's
versions of what the book imports, as far as they can be had, and a stand-in for the module
`google.colab`; git sent from the public address to this clone. What the first cell fetches and
installs is its own affair. Binder: a clone, an environment from `requirements.txt`, the variables
that `start` sets, two gigabytes of memory. A plain Jupyter server is Binder with more memory.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import yaml

ROOT = Path(__file__).parents[1]
HOME = ROOT / "_build" / "elsewhere"
# Of what the book imports, from Colab's image of 2026; scipy is an argument, torch the book's own.
COLAB = (
    "ipykernel==6.17.1",
    "ipywidgets==7.7.1",
    "joblib==1.5.3",
    "librosa==0.11.0",
    "matplotlib==3.10.0",
    "nbconvert==7.16.6",
    "numpy==2.0.2",
    "soundfile==0.13.1",
    "tqdm==4.67.1",
)
BINDER_GIGABYTES = 2.0
QUIET = ("--quiet", "--disable-pip-version-check")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="stems of notebooks; all, if none is named")
    parser.add_argument("--at", choices=("colab", "binder"), default="colab")
    parser.add_argument("--scipy", default=pinned("scipy"), help="version that Colab may have")
    given = parser.parse_args()
    chapters = given.chapters or [path.stem for path in sorted((ROOT / "book").glob("*.ipynb"))]
    with tempfile.TemporaryDirectory() as folder:
        if given.at == "colab":
            python = environment(f"colab-{given.scipy}", colab_packages(given.scipy))
            run, limit = on_colab, float("inf")
        else:
            python = environment("binder", ["-r", ROOT / "requirements.txt"])
            run, limit = on_binder, BINDER_GIGABYTES
        failed = [each for each in chapters if not run(python, each, Path(folder) / each, limit)]
    if failed:
        print(f"Failed: {', '.join(failed)}")
    return len(failed)


def pinned(name: str) -> str:
    """The version of a package that the book requires."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return re.search(rf"^{name}==(\S+)", text, re.M)[1]


def colab_packages(scipy: str) -> list[str]:
    return [f"torch=={pinned('torch')}", f"scipy=={scipy}", *COLAB]


def environment(name: str, packages: list) -> Path:
    """The Python of a new environment that holds these packages and what they need."""
    home = HOME / name
    shutil.rmtree(home, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    python = home / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", *QUIET, *packages], check=True)
    return python


def on_colab(python: Path, chapter: str, folder: Path, limit: float) -> bool:
    """Run a chapter alone in an empty folder, with a module `google.colab`, as on Colab."""
    (folder / "content").mkdir(parents=True)
    shutil.copy(ROOT / "book" / f"{chapter}.ipynb", folder / "content")
    module = folder / "stand-in" / "google" / "colab"
    module.mkdir(parents=True)
    (module / "__init__.py").touch()
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "colab.py").write_text("import google.colab\n", encoding="utf-8")  # as Colab does
    settings = {
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": str(folder / "stand-in"),
        **git_sends(address(), published(folder).as_uri()),
    }
    return execute(python, folder / "content" / f"{chapter}.ipynb", settings, limit)


def on_binder(python: Path, chapter: str, folder: Path, limit: float) -> bool:
    """Run a chapter in a clone, as a Jupyter server would that Binder has started."""
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    exported = re.search(r"^export (.+)$", (ROOT / "start").read_text(encoding="utf-8"), re.M)[1]
    settings = dict(each.split("=") for each in shlex.split(exported))
    return execute(python, folder / "book" / f"{chapter}.ipynb", settings, limit)


def address() -> str:
    """The public address of the book's source."""
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    return settings["repository"]["url"]


def published(folder: Path) -> Path:
    """A repository whose branch `main` is what is checked out here, as if it were public."""
    bare = folder / "published"
    subprocess.run(["git", "clone", "--quiet", "--bare", ROOT, bare], check=True)
    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
    subprocess.run(["git", "update-ref", "refs/heads/main", head], cwd=bare, check=True)
    return bare


def git_sends(public: str, here: str) -> dict[str, str]:
    """Settings by which git finds one address at another."""
    pairs = {f"url.{here}.insteadOf": public, "safe.directory": "*"}
    settings = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for k, (name, value) in enumerate(pairs.items()):
        settings |= {f"GIT_CONFIG_KEY_{k}": name, f"GIT_CONFIG_VALUE_{k}": value}
    return settings


def execute(python: Path, notebook: Path, settings: dict[str, str], limit: float) -> bool:
    """Whether a notebook runs from top to bottom within so many gigabytes; tells how it went."""
    ours = ("VIRTUAL_ENV", "PYTHONPATH", "DTFA_STILL")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    command = [python, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace"]
    command += ["--ExecutePreprocessor.timeout=900", notebook.name]
    began, most = time.monotonic(), 0.0
    with (notebook.parent / "log").open("w+", encoding="utf-8") as log:
        process = psutil.Popen(
            command,
            cwd=notebook.parent,
            env=kept | {"JUPYTER_PREFER_ENV_PATH": "1"} | settings,
            stderr=log,
        )
        while process.poll() is None:
            most = max(most, gigabytes(process))
            if most > limit:
                for each in [*process.children(recursive=True), process]:
                    each.kill()
            time.sleep(0.5)
        log.seek(0)
        runs = process.wait() == 0
        said = "runs" if runs else f"fails:\n{log.read()[-3000:]}"
    seconds = time.monotonic() - began
    print(f"{notebook.stem}: {said} ({seconds:.0f} s, {most:.1f} GB)", flush=True)
    return runs


def gigabytes(process: psutil.Process) -> float:
    """Memory of a process and its descendants; what several share counts once."""
    total = 0
    for each in [process, *process.children(recursive=True)]:
        try:
            total += each.memory_full_info().pss
        except psutil.NoSuchProcess:  # it has ended meanwhile
            continue
    return total / 2**30


if __name__ == "__main__":
    sys.exit(main())
