"""Formats the few files that a long project name can push out of shape."""

from __future__ import annotations

from pathlib import Path

from tkgen.answers import Answers
from tkgen.catalog import Catalog
from tkgen.errors import BrokenTemplateError

LINE_LENGTH = 88
NAME_TAG = "{{"


def tidy(catalog: Catalog, answers: Answers, project: Path) -> None:
    """Format the Python files with a name in them, where the name made one long.

    The sources are black's own output, with every bracketed import list ending
    in a comma, so a name changes the format in one case only: it makes its line
    longer than the limit. Loading black costs a sixth of a second, so it is
    loaded in that case alone; a test formats every generated file, with the
    shortest and with the longest name, to prove that nothing else is needed.
    Raises BrokenTemplateError for a file that is not Python.
    """
    for file in catalog.files_for(answers.task):
        sources = file.sources_for(answers.choices)
        if not file.path.endswith(".py"):
            continue
        if not any(
            NAME_TAG in catalog.content_path(source).read_text("utf-8")
            for source in sources
        ):
            continue
        path = project / file.path_for(answers.package)
        code = path.read_text("utf-8")
        named = (line for line in code.splitlines() if answers.package in line)
        if any(len(line) > LINE_LENGTH for line in named):
            path.write_text(format_code(code, path.name), "utf-8", newline="\n")


def format_code(code: str, name: str) -> str:
    """Return the code as black formats it, whatever settings lie around.

    Raises BrokenTemplateError where the code is not Python.
    """
    import black
    from black.mode import TargetVersion
    from black.parsing import InvalidInput

    mode = black.Mode(line_length=LINE_LENGTH, target_versions={TargetVersion.PY311})
    try:
        return black.format_str(code, mode=mode)
    except InvalidInput as error:
        raise BrokenTemplateError(name, error) from error
