"""The library as a package, `dtfa`: installed where there is nothing else, it runs the README."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

import utils

EXAMPLE = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)[1]


@pytest.mark.parametrize("name", utils.__all__)
def test_a_name_that_the_library_hands_out_is_there(name):
    assert getattr(utils, name) is not None
    assert name in dir(utils)


def test_the_library_costs_nothing_before_it_is_used():
    code = "import sys, utils; print({'torch', 'numpy'} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, cwd=ROOT, text=True) == "set()\n"


def test_installed_alone_it_runs_the_example_of_the_readme(tmp_path):
    source, python = tmp_path / "source", tmp_path / "environment/bin/python"
    shutil.copytree(ROOT / "utils", source / "utils")
    shutil.copy(ROOT / "pyproject.toml", source)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "environment"], check=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, "-c", ROOT / "requirements.txt", source], check=True)
    (tmp_path / "example.py").write_text(EXAMPLE)
    done = subprocess.run(
        [python, "example.py"],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    spectrogram, scattering = (int(share) for share in re.findall(r"(\d+)% off", done.stdout))
    assert scattering < 10 < spectrogram
    shutil.rmtree(tmp_path / "environment")
