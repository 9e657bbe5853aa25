"""Reads what can be generated: the cards, and the skeleton of a project."""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tkgen.errors import BrokenTemplateError, UnknownNameError

SKELETON = "{{cookiecutter.project_slug}}"
CONTENT = "templates"
PACKAGE_TAG = "{{cookiecutter.package}}"
KIND_FOLDERS = {"task": "tasks", "model": "encoders", "option": "options"}
AXIS_OF_FOLDER = {"common": "common", "encoders": "model", "tasks": "task"} | {
    "options": "option"
}
STUB_LINE = re.compile(r"# \{% include (?P<expression>.+) %\}")
STUB_PART = re.compile(r'"(?P<text>[^"{}]+)"|cookiecutter\.(?P<name>task|model)')
# The name of a stub that only one task has: cookiecutter skips an empty name.
NAME_OF_ONE_TASK = re.compile(
    r"\{\{ '(?P<name>[^']+)' if cookiecutter\.task == '(?P<task>[^']+)' else '' \}\}"
)


@dataclass(frozen=True)
class DataFormat:
    """What a task reads: its formats, the fields of a JSONL line, an example."""

    formats: tuple[str, ...]
    fields: tuple[str, ...]
    example: str
    sample: str


@dataclass(frozen=True)
class Card:
    """One task, model or option as its `card.toml` describes it."""

    kind: str
    name: str
    title: str
    summary: str
    aliases: tuple[str, ...] = ()
    data: DataFormat | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    rank: int = 0  # place among the cards of its kind; the first is the default


@dataclass(frozen=True)
class ProjectFile:
    """One file of the generated projects, as its stub in the skeleton says it.

    `path` may hold the package tag; `sources` may hold `{task}` and `{model}`.
    `task` is empty where every project has the file.
    """

    path: str
    sources: tuple[str, ...]
    axis: str
    task: str = ""

    def path_for(self, package: str) -> str:
        """Return the file's path inside a project with this package."""
        return self.path.replace(PACKAGE_TAG, package)

    def sources_for(self, task: str, model: str) -> tuple[str, ...]:
        """Return the content files that this file is made of."""
        return tuple(
            source.replace("{task}", task).replace("{model}", model)
            for source in self.sources
        )


@dataclass(frozen=True)
class Catalog:
    """Everything that can be generated from one templates folder."""

    templates_dir: Path
    common: Card
    tasks: tuple[Card, ...]
    models: tuple[Card, ...]
    options: tuple[Card, ...]
    files: tuple[ProjectFile, ...]

    def files_for(self, task: str) -> tuple[ProjectFile, ...]:
        """Return the files of a project with this task, by path."""
        return tuple(file for file in self.files if file.task in ("", task))

    def cards(self, kind: str) -> tuple[Card, ...]:
        """Return the cards of one kind: task, model or option."""
        return {"task": self.tasks, "model": self.models, "option": self.options}[kind]

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of one kind, without aliases."""
        return tuple(card.name for card in self.cards(kind))

    def find(self, kind: str, name: str) -> Card:
        """Return the card with this name or alias.

        Raises UnknownNameError with the nearest match where there is none.
        """
        for card in self.cards(kind):
            if name == card.name or name in card.aliases:
                return card
        known = [known for card in self.cards(kind) for known in names_of(card)]
        raise UnknownNameError(kind, name, known)

    def content_path(self, source: str) -> Path:
        """Return where a content file such as `common/train.py` stands."""
        return self.templates_dir / CONTENT / source

    def describe(self, file: ProjectFile, task: str, model: str) -> str:
        """Return one line on a project file, for one task and model.

        Of a Python file it is the first line of the docstring, of any other
        the line in the cards' `[files]` table; empty where neither is there.
        """
        source = file.sources_for(task, model)[0]
        if source.endswith(".py"):
            return docstring_line(self.content_path(source).read_text("utf-8"))
        cards = (self.find("task", task), self.find("model", model), self.common)
        lines = (card.files[file.path] for card in cards if file.path in card.files)
        return next(lines, "")


def names_of(card: Card) -> Iterator[str]:
    """Yield the card's name and then its aliases."""
    yield card.name
    yield from card.aliases


def docstring_line(code: str) -> str:
    """Return the first line of a module's docstring, or an empty text.

    Only the first statement is read: the rest may hold a name tag, and reading
    all of it would cost time.
    """
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENCODING}
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type not in skipped:
                if token.type != tokenize.STRING:
                    return ""
                docstring = ast.literal_eval(token.string)
                return str(docstring).strip().partition("\n")[0].strip()
    except (tokenize.TokenError, SyntaxError, ValueError):
        pass
    return ""


def default_templates_dir() -> Path:
    """Return the templates: inside an installed package, beside a checkout's.

    Raises BrokenTemplateError where neither is there.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "templates", package.parent / "templates"):
        if (folder / "cookiecutter.json").is_file():
            return folder
    raise BrokenTemplateError("templates", "the installation has no templates folder")


def load_catalog(templates_dir: Path | None = None) -> Catalog:
    """Read the cards and the skeleton of a templates folder.

    Raises BrokenTemplateError for a card or a stub that cannot be read.
    """
    folder = Path(templates_dir) if templates_dir else default_templates_dir()
    content = folder / CONTENT
    by_kind = {
        kind: tuple(
            sorted(
                map(read_card, content.glob(f"{name}/*/card.toml")),
                key=lambda card: (card.rank, card.name),
            )
        )
        for kind, name in KIND_FOLDERS.items()
    }
    return Catalog(
        templates_dir=folder,
        common=read_card(content / "common" / "card.toml"),
        tasks=by_kind["task"],
        models=by_kind["model"],
        options=by_kind["option"],
        files=tuple(read_skeleton(folder / SKELETON)),
    )


def read_card(path: Path) -> Card:
    """Read one `card.toml`.

    Raises BrokenTemplateError where a field is missing or the file is not TOML.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
        return Card(
            kind=values["kind"],
            name=values["name"],
            title=values["title"],
            summary=values["summary"],
            aliases=tuple(values.get("aliases", ())),
            data=read_data_format(values["data"]) if "data" in values else None,
            files=dict(values.get("files", {})),
            rank=int(values.get("rank", 0)),
        )
    except (OSError, ValueError, KeyError) as error:
        raise BrokenTemplateError(path, f"its card cannot be read: {error}") from error


def read_data_format(values: Mapping[str, Any]) -> DataFormat:
    """Read the `[data]` table of a task's card; KeyError for a missing field."""
    return DataFormat(
        formats=tuple(values["formats"]),
        fields=tuple(values["fields"]),
        example=values["example"],
        sample=values["sample"],
    )


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
        relative = path.relative_to(skeleton).as_posix()
        sources = read_stub(path)
        axes = {AXIS_OF_FOLDER[source.partition("/")[0]] for source in sources}
        axis = axes.pop() if len(axes) == 1 else "common"
        task = ""
        if match := NAME_OF_ONE_TASK.fullmatch(path.name):
            task = match["task"]
            relative = relative.removesuffix(path.name) + match["name"]
        yield ProjectFile(path=relative, sources=sources, axis=axis, task=task)


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
