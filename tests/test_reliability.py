"""What the README says of reliability is what the tests have tried."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, tallied


def test_without_a_browser_tests_of_pages_are_skipped_with_a_word(survived, tmp_path):
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider"]
    one = "tests/test_explorer.py::test_browser_makes_the_samples_of_the_library"
    alone = os.environ | {"PATH": str(tmp_path)}
    done = subprocess.run([*command, one], env=alone, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "no Chromium on this machine" in done.stdout
    survived("no browser")


def test_the_readme_tells_what_was_tried(tally):
    """Comes after those that count (see conftest.py)."""
    tried = tallied(tally)
    if set(tried) != {"inputs", "properties", "faults"}:
        pytest.fail("not all was tried: run `make test`")
    answered = sum(each["answered"] for each in tried["inputs"].values())
    refused = sum(each["refused"] for each in tried["inputs"].values())
    counts = [
        *(answered + refused, len(tried["inputs"]), refused, answered),
        *(len(tried["properties"]), sum(tried["properties"].values())),
        len(tried["faults"]),
    ]
    section = Path(ROOT / "README.md").read_text().partition("## How far it holds")[2]
    said = re.findall(r"\*\*([\d,]+)\*\*", section)
    assert [int(each.replace(",", "")) for each in said] == counts
