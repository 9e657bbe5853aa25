"""What the generator's tests share: a copy of the checkout, and ways to run tkgen."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tkgen.answers import Answers
from tkgen.catalog import Catalog, load_catalog

REPOSITORY = Path(__file__).resolve().parents[2]
CACHES = ("__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache")
QA_BERT = ["--task", "qa", "--model", "bert"]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session", autouse=True)
def interrupts_are_heard() -> None:
    """A shell's background job, and with it each process here, would ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a checkout needs, so that no edit falls between two renders."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("tkgen", "templates"):
        shutil.copytree(
            REPOSITORY / name,
            copy / name,
            ignore=shutil.ignore_patterns(*CACHES),
        )
    for name in ("pyproject.toml", "LICENSE", "CHANGELOG.md", "README.md"):
        if (REPOSITORY / name).exists():
            shutil.copy(REPOSITORY / name, copy / name)
    return copy


@pytest.fixture(scope="session")
def catalog(checkout: Path) -> Catalog:
    """The catalog of the copied templates."""
    return load_catalog(checkout / "templates")


@pytest.fixture
def answers() -> Answers:
    """The answers of the default QA project."""
    return Answers("qa", "bert", "qa-bert", "qa_bert")


def environment(checkout: Path, extra: Mapping[str, str] = {}) -> dict[str, str]:
    """Return this process' environment with the copied tkgen importable."""
    return {**os.environ, "PYTHONPATH": str(checkout), **extra}


@pytest.fixture
def tkgen(checkout: Path, tmp_path: Path) -> Run:
    """Run `python -m tkgen` as a process, in tmp_path unless told otherwise."""

    def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        env = environment(checkout, options.pop("env", {}))  # type: ignore[arg-type]
        settings = {"cwd": tmp_path, "stdin": subprocess.DEVNULL, **options}
        return subprocess.run(
            [sys.executable, "-m", "tkgen", *arguments],
            env=env,
            capture_output=True,
            text=True,
            **settings,  # type: ignore[call-overload]
        )

    return run


def tree(folder: Path) -> dict[str, str]:
    """Return every path under the folder with its mode and its content's hash."""
    entries = {}
    for path in sorted(folder.rglob("*")):
        mode = stat.filemode(path.lstat().st_mode)
        content = path.read_bytes() if path.is_file() else b""
        digest = hashlib.sha256(content).hexdigest()
        entries[path.relative_to(folder).as_posix()] = f"{mode} {digest}"
    return entries


def contents(folder: Path) -> dict[str, str]:
    """Return the hash of every file under the folder, without `.tkgen/`."""
    return {
        path: entry.split()[1]
        for path, entry in tree(folder).items()
        if entry.startswith("-") and not path.startswith(".tkgen/")
    }


TINY_FILES = {
    "cookiecutter.json": '{"task": ["qa"], "model": ["bert"], "_jinja2_env_vars": {'
    '"block_start_string": "# {%", "comment_start_string": "# {#", '
    '"trim_blocks": true, "lstrip_blocks": true}}',
    "templates/common/card.toml": 'kind = "common"\nname = "common"\ntitle = "C"\n'
    'summary = "every project"\n[files]\n"README.md" = "what it is"\n',
    "templates/tasks/qa/card.toml": 'kind = "task"\nname = "qa"\ntitle = "QA"\n'
    'summary = "answers"\naliases = ["mrc"]\n',
    "templates/encoders/bert/card.toml": 'kind = "model"\nname = "bert"\n'
    'title = "BERT"\nsummary = "an encoder"\n',
    "templates/common/README.md": "# {{ cookiecutter.project_slug }}\n",
    "templates/common/train.py": '"""Trains."""\n\n'
    "from {{ cookiecutter.package }}.model import build_model, compile_model\n",
    "templates/tasks/qa/model.py": '"""A head."""\n',
    "templates/tasks/qa/train.jsonl": '{"question": "Who?"}\n',
    "{{cookiecutter.project_slug}}/README.md": '# {% include "common/README.md" %}\n',
    "{{cookiecutter.project_slug}}/train.py": '# {% include "common/train.py" %}\n',
    "{{cookiecutter.project_slug}}/data/train.jsonl": '# {% include "tasks/" ~ '
    'cookiecutter.task ~ "/train.jsonl" %}\n',
    "{{cookiecutter.project_slug}}/{{cookiecutter.package}}/model.py": "# {% include "
    '"tasks/" ~ cookiecutter.task ~ "/model.py" %}\n',
}


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[[Mapping[str, str]], Catalog]:
    """Make templates of four files, with some of them replaced."""

    def make(replaced: Mapping[str, str] = {}) -> Catalog:
        folder = tmp_path / "tiny-templates"
        for name, text in {**TINY_FILES, **replaced}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return load_catalog(folder)

    return make
