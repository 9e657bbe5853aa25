"""The generated files keep the house rules, under the project's own settings."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import REPOSITORY, Done, environment

LONGEST_FILE = 250
LONGEST_FUNCTION = 40


EXAMPLES = REPOSITORY / "generated_examples"


@pytest.fixture(params=sorted(path.name for path in EXAMPLES.iterdir()))
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Each of the committed examples, of which another test says that they are new."""
    unused = shutil.ignore_patterns("__pycache__", ".*cache", "runs", ".cache")
    copy = tmp_path / request.param
    shutil.copytree(EXAMPLES / request.param, copy, ignore=unused)
    return copy


def python_files(project: Path) -> list[Path]:
    """Return the project's Python files."""
    files = sorted(project.rglob("*.py"))
    assert len(files) > 20
    return files


def check(tool: str, *arguments: str, project: Path) -> Done:
    """Run a code checker in the project."""
    return subprocess.run(
        [sys.executable, "-m", tool, *arguments],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def imports(path: Path) -> list[tuple[int, int, str]]:
    """Return line, level (0 for absolute) and module of each import of a file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, 0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.lineno, node.level, node.module or ""))
    return found


def test_ruff_finds_nothing(project: Path) -> None:
    """`ruff check` passes with the settings in the project's pyproject.toml."""
    done = check("ruff", "check", "--no-cache", ".", project=project)
    assert done.returncode == 0, done.stdout + done.stderr


def test_black_changes_nothing(project: Path) -> None:
    """`black --check` passes with the settings in the project's pyproject.toml."""
    done = check("black", "--check", "--workers=1", ".", project=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "unchanged" in done.stderr


def test_each_file_is_read_in_one_sitting(project: Path) -> None:
    """No Python file has more than 250 lines."""
    long = {}
    for path in python_files(project):
        count = len(path.read_text("utf-8").splitlines())
        if count > LONGEST_FILE:
            long[path.relative_to(project).as_posix()] = count
    assert long == {}


def test_each_function_fits_on_a_screen(project: Path) -> None:
    """No function has more than 40 lines, decorators and docstring included."""
    long = {}
    for path in python_files(project):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                count = (node.end_lineno or first) - first + 1
                if count > LONGEST_FUNCTION:
                    long[f"{path.relative_to(project)}: {node.name}"] = count
    assert long == {}


def test_nothing_imports_the_generator(project: Path) -> None:
    """The project runs where tkgen is not installed."""
    for path in python_files(project):
        modules = [module.split(".")[0] for _, _, module in imports(path)]
        assert "tkgen" not in modules, path


def test_the_package_can_be_moved(project: Path) -> None:
    """Package files import each other relatively, and nothing from outside of it."""
    scripts = {path.stem for path in project.glob("*.py")} | {"tests", "reference"}
    package = project.name.replace("-", "_")
    files = sorted((project / package).rglob("*.py"))
    names = {path.stem for path in files}
    relative = 0
    for path in files:
        for line, level, module in imports(path):
            place = f"{path.name}:{line}"
            if level == 0:
                assert module.split(".")[0] not in {package, *scripts}, place
            else:
                assert level == 1 and module.split(".")[0] in {*names, ""}, place
                relative += 1
    assert relative > 20


def test_the_readme_names_each_file(project: Path) -> None:
    """Each file outside of `.tkgen/` and `tests/` stands in README.md with its path."""
    readme = (project / "README.md").read_text("utf-8")
    paths = [
        path.relative_to(project).as_posix()
        for path in sorted(project.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]
    skipped = (".tkgen/", "tests/", ".ruff_cache/", "README.md")
    paths = [path for path in paths if not path.startswith(skipped)]
    package = project.name.replace("-", "_")
    assert {"export.py", f"{package}/encoder.py", "pyproject.toml"} <= {*paths}
    assert any(path.startswith("data/") for path in paths)
    assert [path for path in paths if path not in readme] == []
