"""A chapter in JupyterLab: a clone, a server of one's own, a browser that runs all cells."""

import subprocess
import sys
import time
from pathlib import Path

import colab as tool
import nbformat
import pytest
from conftest import ROOT
from jupyter_server.serverapp import list_running_servers

CHAPTER = "2_synthesizer.ipynb"
RUN_ALL = """async () => {
  const app = window.jupyterapp;
  const until = async ready => {
    while (!ready()) await new Promise(done => setTimeout(done, 100));
  };
  await app.restored;
  await until(() => app.shell.currentWidget?.sessionContext);
  const { context, sessionContext } = app.shell.currentWidget;
  await context.ready;
  await until(() => sessionContext.session?.kernel);
  await app.commands.execute("notebook:run-all-cells");
  await context.save();
  const count = what => document.querySelectorAll(what).length;
  const explorers = [count(".dtfa-explorer"), count(".dtfa-explorer[data-alive]")];
  await sessionContext.shutdown();
  return explorers;
}"""


@pytest.fixture
def lab(tmp_path):
    """The server of a clone that is not built: its address, its token, its folder."""
    subprocess.run([*tool.GIT, "clone", "--quiet", ROOT, tmp_path / "clone"], check=True)
    jupyter = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    settings = ["--ServerApp.port=0", "--LabApp.expose_app_in_browser=True"]
    where = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("RUNTIME", "CONFIG", "DATA")}
    with (tmp_path / "said").open("w+") as said:
        server = subprocess.Popen(
            [*jupyter, *settings, tmp_path / "clone" / "book"],
            env=tool.surroundings() | where,
            stdout=said,
            stderr=said,
        )
        try:
            while not (running := list(list_running_servers(tmp_path / "RUNTIME"))):
                assert server.poll() is None, (tmp_path / "said").read_text()
                time.sleep(0.2)
            yield running[0], tmp_path / "clone" / "book"
        finally:
            server.terminate()
            server.wait()


def test_a_chapter_runs_in_jupyterlab(lab, browser):
    """All that a chapter sends arrives, and explorers live."""
    server, book = lab
    page = browser.new_page()
    page.goto(f"{server['url']}lab/tree/{CHAPTER}?token={server['token']}")
    page.wait_for_function("window.jupyterapp", timeout=60_000)
    explorers, alive = page.evaluate(RUN_ALL)
    page.close()
    assert explorers == alive
    executed = nbformat.read(Path(book) / CHAPTER, as_version=4)
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    outputs = [output for cell in code for output in cell.outputs]
    assert all(cell.execution_count for cell in code)
    said = [str(each) for each in outputs if each.output_type == "error" or "rate ex" in str(each)]
    assert not said
