"""Checks a rendered project before anything of it reaches the user's folder."""

from __future__ import annotations

import ast
import os
import tomllib
from pathlib import Path

from tkgen.answers import Answers
from tkgen.catalog import Catalog
from tkgen.errors import BrokenTemplateError

LEFT_OVER_TAGS = (b"{{ cookiecutter", b"{{cookiecutter", b"{%")


def verify(catalog: Catalog, answers: Answers, project: Path) -> dict[str, bytes]:
    """Return the project's files by path, sorted, after checking all of them.

    Raises BrokenTemplateError, naming the file, for a file too many or too few,
    a symbolic link, Python or TOML that does not parse, a tag that is left, or
    anything that was rendered beside the project.
    """
    check_nothing_beside(project)
    found = list_files(project)
    expected = {
        file.path_for(answers.package) for file in catalog.files_for(answers.task)
    }
    for path in sorted(expected - found):
        raise BrokenTemplateError(path, "the file was not rendered")
    for path in sorted(found - expected):
        raise BrokenTemplateError(path, "no stub of the skeleton stands for this file")
    contents = {path: (project / path).read_bytes() for path in sorted(found)}
    for path, content in contents.items():
        check_content(path, content)
    return contents


def check_nothing_beside(project: Path) -> None:
    """Raise BrokenTemplateError for anything visible beside the project."""
    for entry in os.scandir(project.parent):
        if entry.name != project.name and not entry.name.startswith(".tkgen-"):
            raise BrokenTemplateError(entry.name, "it was rendered outside the project")


def list_files(project: Path) -> set[str]:
    """Return the paths of all files, with `/`; BrokenTemplateError for a link."""
    found = set()
    for folder, folders, names in os.walk(project):
        for name in folders + names:
            path = Path(folder, name)
            if path.is_symlink():
                raise BrokenTemplateError(path.name, "it is a symbolic link")
        found |= {Path(folder, name).relative_to(project).as_posix() for name in names}
    return found


def check_content(path: str, content: bytes) -> None:
    """Raise BrokenTemplateError where one file is not what its name promises."""
    for tag in LEFT_OVER_TAGS:
        if tag in content:
            raise BrokenTemplateError(path, f"the tag {tag.decode()!r} is left in it")
    try:
        text = content.decode("utf-8")
        if path.endswith(".py"):
            ast.parse(text)
        elif path.endswith(".toml"):
            tomllib.loads(text)
    except (SyntaxError, ValueError) as error:
        raise BrokenTemplateError(path, error) from error
