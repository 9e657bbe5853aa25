"""The owner's tests that are common, but depend on the task: of each task and model.

A project for QA runs all of its tests in test_owner_tests.py; what is common there and
knows no task is not run again for the others.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tkgen.catalog import load_catalog

from .conftest import make_project, run

CATALOG = load_catalog()
PROJECTS = [
    (task, model)
    for task in CATALOG.names("task")
    for model in CATALOG.names("model")
    if task != "qa"
]
TESTS = ("checkpoint_writers", "optimization")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """Exit code and output of the tests of each project, all in one process."""
    folder = tmp_path_factory.mktemp("projects").resolve()
    jobs = {}
    for task, model in PROJECTS:
        project = make_project(folder, task, model)
        files = [f"tests/test_{name}.py" for name in TESTS]
        jobs[project.name] = [each for each in files if (project / each).exists()]
    (folder / "jobs.json").write_text(json.dumps(jobs), "utf-8")
    script = Path(__file__).with_name("run_owner_tests.py")
    run([script, folder / "jobs.json", folder / "report.json"], folder)
    return dict(json.loads((folder / "report.json").read_text("utf-8")))


@pytest.mark.parametrize(("task", "model"), PROJECTS)
def test_they_pass(
    results: dict[str, dict[str, object]], task: str, model: str
) -> None:
    """A new project's tests pass before its owner has changed anything."""
    found = results[f"{task}-{model}"]
    assert found["code"] == 0, found["output"]
    last = str(found["output"]).splitlines()[-1]
    assert "passed" in last and "skipped" not in last
