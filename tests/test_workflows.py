"""The workflows of GitHub Actions: what they may, what they trust, what they call."""

import re

import pytest
import yaml
from conftest import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in FOLDER.glob("*.yml")}
JOBS = [job for workflow in WORKFLOWS.values() for job in workflow["jobs"].values()]


def commands(job: dict) -> str:
    """What a job runs, once for each target of its matrix."""
    text = "\n".join(step.get("run", "") for step in job["steps"])
    targets = job.get("strategy", {}).get("matrix", {}).get("target", [""])
    return "\n".join(text.replace('"$TARGET"', target) for target in targets)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned_by_commits_that_name_their_versions(name):
    used = re.findall(r"uses:(.*)", (FOLDER / f"{name}.yml").read_text())
    assert used
    for each in used:
        assert re.fullmatch(r" [\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_only_read_and_runs_once(name):
    assert WORKFLOWS[name]["permissions"] == {"contents": "read"}
    assert WORKFLOWS[name]["concurrency"]["group"]


def test_what_may_write_runs_nothing_of_the_book():
    trusted = [job for job in JOBS if "permissions" in job]
    assert trusted
    for job in trusted:
        assert all(step["uses"].startswith("actions/deploy-pages@") for step in job["steps"])


def test_workflows_call_what_there_is():
    rules = re.findall(r"^([\w -]+):", (ROOT / "Makefile").read_text(), re.M)
    there = {target for targets in rules for target in targets.split()}
    called = set(re.findall(r"make (\S+)", "\n".join(map(commands, JOBS))))
    assert called <= there
    assert called >= {"lint", "slides", "colab", "links"}
    assert ".ci/run" in commands(WORKFLOWS["test"]["jobs"]["test"])


def test_the_cold_build_has_no_cache():
    cold = WORKFLOWS["weekly"]["jobs"]["cold"]
    assert not any("cache" in step.get("with", {}) for step in cold["steps"])
    assert ".ci/run" in commands(cold)


def test_hooks_are_linters_of_make_lint():
    """The same commands, but that a hook mends what it can."""
    lint = (ROOT / "Makefile").read_text().partition("\nlint:")[2].partition("\n\n")[0]
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    for hook in hooks:
        command = hook["entry"].removeprefix(".venv/bin/").removesuffix(" --fix")
        assert all(word in lint for word in command.split()), hook["id"]
