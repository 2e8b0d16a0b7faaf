"""Chapters in JupyterLab: a clone, a server of one's own, a browser in which all cells are run."""

import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT, script
from jupyter_server.serverapp import list_running_servers

tool = script("colab")
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


def pytest_generate_tests(metafunc):
    if "chapter" in metafunc.fixturenames:
        metafunc.parametrize("chapter", metafunc.config.getoption("in_lab"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The server of a clone that is not built: its address, its token, its folder."""
    home = tmp_path_factory.mktemp("lab")
    subprocess.run([*tool.GIT, "clone", "--quiet", ROOT, home / "clone"], check=True)
    jupyter = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    settings = ["--ServerApp.port=0", "--LabApp.expose_app_in_browser=True"]
    where = {f"JUPYTER_{kind}_DIR": str(home / kind) for kind in ("RUNTIME", "CONFIG", "DATA")}
    with (home / "said").open("w+") as said:
        server = subprocess.Popen(
            [*jupyter, *settings, home / "clone" / "book"],
            env=tool.surroundings() | where,
            stdout=said,
            stderr=said,
        )
        try:
            while not (running := list(list_running_servers(home / "RUNTIME"))):
                assert server.poll() is None, (home / "said").read_text()
                time.sleep(0.2)
            yield running[0], home / "clone" / "book"
        finally:
            server.terminate()
            server.wait()


def test_a_chapter_runs_in_jupyterlab(chapter, lab, browser):
    """`make jupyter` takes all; here one. All that a chapter sends arrives, and explorers live."""
    server, book = lab
    context = browser.new_context()
    page = context.new_page()
    desk = f"lab/workspaces/{chapter}"  # of its own, where no other chapter lies open
    page.goto(f"{server['url']}{desk}/tree/{chapter}.ipynb?token={server['token']}")
    page.wait_for_function("window.jupyterapp", timeout=60_000)
    explorers, alive = page.evaluate(RUN_ALL)
    context.close()
    assert explorers == alive
    executed = nbformat.read(Path(book) / f"{chapter}.ipynb", as_version=4)
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    outputs = [output for cell in code for output in cell.outputs]
    assert all(cell.execution_count for cell in code)
    said = [str(each) for each in outputs if each.output_type == "error" or "rate ex" in str(each)]
    assert not said
