"""The committed example projects are what the generator writes today."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from .conftest import CACHES, REPOSITORY

LEFT_BY_USE = {*CACHES, "runs", ".venv"}


def load_tool() -> ModuleType:
    """Return tools/regenerate_examples.py as a module."""
    path = REPOSITORY / "tools" / "regenerate_examples.py"
    spec = importlib.util.spec_from_file_location("regenerate_examples", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = load_tool()
CATALOG = TOOL.load_catalog()


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the content of every file, but for what using the project leaves."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not LEFT_BY_USE & {*path.relative_to(folder).parts}
    }


@pytest.mark.parametrize(
    "answers", TOOL.example_answers(CATALOG), ids=lambda answers: answers.project_slug
)
def test_the_committed_example_is_up_to_date(answers: object, tmp_path: Path) -> None:
    """Generating an example again gives the committed bytes, and no file more."""
    committed = TOOL.EXAMPLES_DIR / answers.project_slug  # type: ignore[attr-defined]
    fresh = read_files(TOOL.generate_example(CATALOG, answers, tmp_path))
    stored = read_files(committed)
    remedy = "run `python tools/regenerate_examples.py`"
    assert sorted(stored) == sorted(fresh), remedy
    for path, content in fresh.items():
        assert stored[path] == content, f"{path} differs: {remedy}"


def test_no_example_is_without_a_recipe() -> None:
    """Every committed example is one that the tool regenerates."""
    names = {answers.project_slug for answers in TOOL.example_answers(CATALOG)}
    assert {path.name for path in TOOL.EXAMPLES_DIR.iterdir()} == names
