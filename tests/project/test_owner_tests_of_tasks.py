"""The owner's tests that are common, but depend on the task: of each task and model.

A project for QA runs all of its tests in test_owner_tests.py; what is common there and
knows no task is not run again for the others. All of their test files are imported.
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
TESTS = ("checkpoint_writers", "optimization", "vocabularies")
IMPORT = ["--collect-only", "tests"]
Results = dict[tuple[str, str], dict[str, object]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Exit code and output for each project, many in one process."""
    folder = tmp_path_factory.mktemp("projects").resolve()
    jobs = {}
    for task, model in PROJECTS:
        project = make_project(folder, task, model)
        files = [f"tests/test_{name}.py" for name in TESTS]
        jobs[project.name] = [each for each in files if (project / each).exists()]
    script = Path(__file__).with_name("run_owner_tests.py")
    found = {}
    for kind, chosen in (("run", jobs), ("import", dict.fromkeys(jobs, IMPORT))):
        (folder / "jobs.json").write_text(json.dumps(chosen), "utf-8")
        run([script, folder / "jobs.json", folder / "report.json"], folder)
        report = json.loads((folder / "report.json").read_text("utf-8"))
        found |= {(name, kind): each for name, each in report.items()}
    return found


@pytest.mark.parametrize(("task", "model"), PROJECTS)
def test_they_pass(results: Results, task: str, model: str) -> None:
    """A new project's tests pass before its owner has changed anything."""
    found = results[f"{task}-{model}", "run"]
    assert found["code"] == 0, found["output"]
    last = str(found["output"]).splitlines()[-1]
    assert "passed" in last and "skipped" not in last


@pytest.mark.parametrize(("task", "model"), PROJECTS)
def test_all_files_can_be_imported(results: Results, task: str, model: str) -> None:
    """No test file asks for a module that the task's project lacks."""
    found = results[f"{task}-{model}", "import"]
    assert found["code"] == 0, found["output"]
