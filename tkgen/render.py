"""Renders the templates into an empty folder, through cookiecutter."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from cookiecutter.exceptions import CookiecutterException
from cookiecutter.generate import generate_files
from jinja2 import TemplateError

from tkgen.answers import Answers
from tkgen.catalog import Catalog
from tkgen.errors import BrokenTemplateError
from tkgen.skeleton import ProjectFile

FILE_MODE = 0o644
FOLDER_MODE = 0o755

# Passed through as it is: what pip compiles in a wheel.
COMPILED = "*__pycache__"


def render(catalog: Catalog, answers: Answers, staging: Path) -> Path:
    """Write the project into the staging folder and return the project's folder.

    cookiecutter gets its whole context from here, so no configuration file and
    no environment variable has a say. Raises BrokenTemplateError where a
    template cannot be rendered, and OSError where a file cannot be written.
    """
    context = make_context(catalog, answers)
    try:
        generate_files(
            repo_dir=str(catalog.templates_dir),
            context={"cookiecutter": context},
            output_dir=str(staging),
            accept_hooks=False,
        )
    except (TemplateError, CookiecutterException) as error:
        place = getattr(error, "filename", None) or catalog.templates_dir
        raise BrokenTemplateError(place, error) from error
    project = staging / answers.project_slug
    fill_verbatim_files(catalog, answers, project)
    fix_modes(project)
    return project


def make_context(catalog: Catalog, answers: Answers) -> dict[str, Any]:
    """Return cookiecutter's context: its settings from the file, our answers."""
    path = catalog.templates_dir / "cookiecutter.json"
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BrokenTemplateError(path, error) from error
    settings = {key: value for key, value in values.items() if key.startswith("_")}
    # Sample data is passed through too: it is no template, and Jinja would take a fifth
    # of a second to lex it. By name, since a name that is empty must be rendered.
    verbatim = [file.stub for file in data_files(catalog, answers)]
    return settings | {
        "_copy_without_render": [COMPILED, *verbatim],
        **catalog.defaults(),
        **answers.choices,
        "language": answers.language,
        "project_slug": answers.project_slug,
        "package": answers.package,
    }


def data_files(catalog: Catalog, answers: Answers) -> list[ProjectFile]:
    """Return the project's sample data."""
    files = catalog.files_for(answers.task)
    return [file for file in files if file.path.startswith("data/")]


def fill_verbatim_files(catalog: Catalog, answers: Answers, project: Path) -> None:
    """Put the content in the place of the stubs that were copied as they are."""
    for file in data_files(catalog, answers):
        sources = file.sources_for(answers.choices)
        try:
            parts = [catalog.content_path(path).read_bytes() for path in sources]
        except FileNotFoundError as error:
            raise BrokenTemplateError(file.path, error) from error
        (project / file.path).write_bytes(b"".join(parts))
    for folder in sorted(project.rglob("__pycache__")):
        shutil.rmtree(folder)


def fix_modes(project: Path) -> None:
    """Give files and folders the same modes whatever the umask and the templates."""
    os.chmod(project, FOLDER_MODE)
    for path in project.rglob("*"):
        if not path.is_symlink():
            os.chmod(path, FOLDER_MODE if path.is_dir() else FILE_MODE)
