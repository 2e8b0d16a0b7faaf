"""Without a browser, tests of pages say so."""

import os
import subprocess
import sys

from conftest import ROOT


def test_without_a_browser_tests_of_pages_are_skipped_with_a_word(tmp_path):
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider"]
    one = "tests/test_explorer.py::test_browser_makes_the_samples_of_the_library"
    alone = os.environ | {"PATH": str(tmp_path)}
    done = subprocess.run([*command, one], env=alone, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "no Chromium on this machine" in done.stdout
