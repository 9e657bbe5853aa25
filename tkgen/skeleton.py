"""Reads the skeleton: which files a project has, and what they are made of."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tkgen.errors import BrokenTemplateError

SKELETON = "{{cookiecutter.project_slug}}"
PACKAGE_TAG = "{{cookiecutter.package}}"
AXIS_OF_FOLDER = {"common": "common", "encoders": "model", "tasks": "task"} | {
    "options": "option"
}
STUB_LINE = re.compile(r"# \{% include (?P<expression>.+) %\}")
STUB_PART = re.compile(r'"(?P<text>[^"{}]+)"|cookiecutter\.(?P<name>[a-z_]+)')
# The name of a stub that only one task has, or that one task has not: cookiecutter
# skips an empty name.
NAME_BY_TASK = re.compile(
    r"\{\{ '(?P<name>[^']+)' if cookiecutter\.task (?P<sign>==|!=) "
    r"'(?P<task>[^']+)' else '' \}\}"
)


@dataclass(frozen=True)
class ProjectFile:
    """One file of the generated projects, as its stub in the skeleton says it.

    `path` may hold the package tag, `sources` the names of choices, such as
    `{task}`. `task` is the one task that has the file, `without` the one that has it
    not; both are empty where every project has it. `stub` is the stub's own path.
    """

    path: str
    sources: tuple[str, ...]
    axis: str
    task: str = ""
    without: str = ""
    stub: str = ""

    def is_for(self, task: str) -> bool:
        """Return whether projects with this task have the file."""
        return self.task in ("", task) and self.without != task

    def path_for(self, package: str) -> str:
        """Return the file's path inside a project with this package."""
        return self.path.replace(PACKAGE_TAG, package)

    def sources_for(self, choices: Mapping[str, str]) -> tuple[str, ...]:
        """Return the content files that this file is made of.

        `choices` gives a name for each of task, model and the options' kinds, and
        the folder of the sample.
        """
        return tuple(source.format_map(choices) for source in self.sources)


def read_skeleton(skeleton: Path) -> Iterator[ProjectFile]:
    """Yield the project files that the skeleton's stubs stand for, by path.

    `__pycache__` is passed over: pip compiles every `.py` file of a wheel, and
    the stubs, being comments, compile.
    """
    paths = []
    for folder, folders, names in os.walk(skeleton):
        folders[:] = [name for name in folders if name != "__pycache__"]
        paths += [Path(folder, name) for name in names]
    for path in sorted(paths, key=lambda path: path.relative_to(skeleton).parts):
        stub = relative = path.relative_to(skeleton).as_posix()
        sources = read_stub(path)
        axes = {AXIS_OF_FOLDER[source.partition("/")[0]] for source in sources}
        axis = axes.pop() if len(axes) == 1 else "common"
        task = without = ""
        if match := NAME_BY_TASK.fullmatch(path.name):
            task, without = match["task"], ""
            if match["sign"] == "!=":
                task, without = "", match["task"]
            relative = relative.removesuffix(path.name) + match["name"]
        yield ProjectFile(relative, sources, axis, task, without, stub)


def read_stub(path: Path) -> tuple[str, ...]:
    """Return the content files that a stub includes, in order.

    Raises BrokenTemplateError for a line that is not an include.
    """
    sources = []
    for line in path.read_text("utf-8").splitlines():
        match = STUB_LINE.fullmatch(line)
        parts = match["expression"].split(" ~ ") if match else [line]
        found = [STUB_PART.fullmatch(part) for part in parts]
        source = "".join(
            part["text"] or f"{{{part['name']}}}" for part in found if part
        )
        if not all(found) or source.partition("/")[0] not in AXIS_OF_FOLDER:
            raise BrokenTemplateError(path, f"{line!r} is not an include of content")
        sources.append(source)
    if not sources:
        raise BrokenTemplateError(path, "the stub includes nothing")
    return tuple(sources)
