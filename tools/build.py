"""Build the site into _build/html, executing no chapter whose outputs are known.

An executed chapter is kept in _build/executed with a digest of what its outputs rest on (see
`inputs.py`); its prose and its tags are those of now. Sphinx sets the pages, and executes nothing.
"""

import os
import re
import shutil
import time
from pathlib import Path

import nbformat
import yaml
from docutils import nodes
from inputs import content, digest
from jupyter_book.cli.main import main as jupyter_book
from lighten import lighten
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from sphinx.search import IndexBuilder

KERNEL = {
    "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel of this environment, not the user's
    "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait leave the processor to others
    "TQDM_DISABLE": "1",  # progress bars are for live sessions
    "DTFA_STILL": "1",  # pages have no kernel: the playground shows a still
}


def main(root: Path) -> None:
    """Build the book at `root`."""
    os.environ |= KERNEL
    execute_chapters(root)
    set_pages(root)


def execute_chapters(root: Path) -> None:
    """Bring `_build/executed` up to date."""
    home = root / "_build" / "executed"
    home.mkdir(parents=True, exist_ok=True)
    settings = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    sources = {path.stem: path for path in chapters(root)}
    for file in home.iterdir():
        if file.stem not in sources:
            file.unlink()
    digests = {}
    for name, path in sources.items():
        notebook = nbformat.read(path, as_version=4)
        for cell in code_cells(notebook):
            if title := re.match(r"# @title (.+)", cell.source):  # of what folds away
                prompts = ("code_prompt_show", "code_prompt_hide")
                cell.metadata.mystnb = dict.fromkeys(prompts, title[1])
        digests[name] = digest(root, [cell.source for cell in code_cells(notebook)], digests)
        kept = home / path.name
        if not take_outputs(notebook, kept, digests[name]):
            began = time.monotonic()
            run(notebook, path, settings["execute"]["timeout"])
            seconds = time.monotonic() - began
            notebook.metadata.build = {"digest": digests[name], "seconds": seconds}
            print(f"{name}: executed in {seconds:.0f} s", flush=True)
        nbformat.write(notebook, home / "unfinished")  # in place at once, or not at all
        (home / "unfinished").replace(kept)


def chapters(root: Path) -> list[Path]:
    """The notebooks of the table of contents, in its order."""
    toc = (root / "_toc.yml").read_text(encoding="utf-8")
    listed = [root / f"{name}.ipynb" for name in re.findall(r"(?:root|file): (\S+)", toc)]
    return [path for path in listed if path.exists()]


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def take_outputs(notebook, kept: Path, now: str) -> bool:
    """Give a notebook the outputs of the kept one, if that rests on the same."""
    if not kept.exists():
        return False
    old = nbformat.read(kept, as_version=4)
    if old.metadata.get("build", {}).get("digest") != now:
        return False
    notebook.metadata.update(build=old.metadata.build, language_info=old.metadata.language_info)
    for cell, known in zip(code_cells(notebook), code_cells(old), strict=True):
        cell.outputs, cell.execution_count = known.outputs, known.execution_count
    return True


def run(notebook, path: Path, timeout: float) -> None:
    """Execute a notebook in its folder; where a cell fails, name it."""
    begun = []
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_execute=lambda cell, cell_index: begun.append(cell),
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        number = code_cells(notebook).index(begun[-1]) + 1
        line = begun[-1].source.strip().splitlines()[0]
        raise RuntimeError(f"{path.stem}, code cell {number} fails: {line}") from error


def kit(root: Path) -> dict[str, str]:
    """The style ("css") and the scripts ("js") of sound cards and explorers, each as one text."""
    files = sorted((root / "utils" / "page" / "scripts").glob("*"))
    css, js = (
        "\n".join(file.read_text(encoding="utf-8") for file in files if file.suffix == kind)
        for kind in (".css", ".js")
    )
    return {"css": css, "js": f"(() => {{\n{js}\n}})();\n"}


def set_pages(root: Path) -> None:
    """Let Sphinx set the pages of the executed chapters, if anything about them changed."""
    build = root / "_build"
    site, html, record = build / "site", build / "html", build / "digest"
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(root / "book", site / "book", ignore=shutil.ignore_patterns("*.ipynb", ".*"))
    shutil.copytree(build / "executed", site / "book", dirs_exist_ok=True)
    shutil.copytree(root / "tools" / "templates", site / "tools" / "templates")
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(root / name, site / name)
    for kind, text in kit(root).items():
        (site / "book" / "_static" / f"kit.{kind}").write_text(text, encoding="utf-8")
    now = content(site, (file for file in site.rglob("*") if file.is_file()))
    if record.exists() and record.read_text() == now and (html / "index.html").exists():
        print("The book is current: open _build/html/index.html")
        return
    record.unlink(missing_ok=True)
    for folder in (html, build / ".doctrees", build / "jupyter_execute"):
        shutil.rmtree(folder, ignore_errors=True)
    options = ["-W", "--keep-going", "--path-output", str(root)]
    search_prose_only()
    jupyter_book(["build", *options, str(site)], standalone_mode=False)
    front = html / "index.html"
    explorer = shown(root, chapters(root)[0].stem, "s1explore")
    front.write_text(front.read_text(encoding="utf-8").replace("<!-- EXPLORER -->", explorer))
    for page in html.rglob("*.html"):  # its text names what unfolds, and this would hide it
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace('<summary aria-label="Toggle hidden content">', "<summary>"))
    lighten(html)
    for path in chapters(root):  # for download: as the sources are, without outputs
        shutil.copy(path, html / "_sources" / path.relative_to(root))
    record.write_text(now)


def shown(root: Path, chapter: str, cell_id: str) -> str:
    """What a cell of an executed chapter shows, in HTML."""
    notebook = nbformat.read(root / "_build" / "executed" / f"{chapter}.ipynb", as_version=4)
    outputs = (each.outputs for each in notebook.cells if each.id == cell_id)
    return "".join(output.data["text/html"] for each in outputs for output in each)


def search_prose_only() -> None:
    """Keep code out of the index of the site's search."""
    whole = IndexBuilder.feed

    def feed(index: IndexBuilder, name: str, file: str, title: str, page: nodes.document) -> None:
        prose = page.deepcopy()
        for code in list(prose.findall(nodes.literal_block)):
            code.parent.remove(code)
        whole(index, name, file, title, prose)

    IndexBuilder.feed = feed


if __name__ == "__main__":
    main(Path(__file__).parents[1])
