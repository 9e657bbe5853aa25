"""Reads what can be generated: the cards, and the skeleton of a project."""

from __future__ import annotations

import ast
import io
import tokenize
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tkgen.errors import BrokenTemplateError, UnknownNameError
from tkgen.skeleton import SKELETON, ProjectFile, read_skeleton

CONTENT = "templates"
KIND_FOLDERS = {"task": "tasks", "model": "encoders"}


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
class Slot:
    """A choice between options that stand for each other, the first the default.

    `name` is the choice's name in cookiecutter.json; `tasks` have it.
    """

    name: str
    title: str
    tasks: tuple[str, ...]
    options: tuple[Card, ...]


@dataclass(frozen=True)
class Catalog:
    """Everything that can be generated from one templates folder."""

    templates_dir: Path
    common: Card
    tasks: tuple[Card, ...]
    models: tuple[Card, ...]
    slots: tuple[Slot, ...]
    files: tuple[ProjectFile, ...]

    @property
    def options(self) -> tuple[Card, ...]:
        """Return the options of all slots."""
        return tuple(option for slot in self.slots for option in slot.options)

    def slots_for(self, task: str) -> tuple[Slot, ...]:
        """Return the slots that a task has."""
        return tuple(slot for slot in self.slots if task in slot.tasks)

    def slot_of(self, option: str) -> Slot:
        """Return the slot that an option belongs to."""
        return next(
            slot
            for slot in self.slots
            if option in (card.name for card in slot.options)
        )

    def defaults(self) -> dict[str, str]:
        """Return the default option of each slot."""
        return {slot.name: slot.options[0].name for slot in self.slots}

    def files_for(self, task: str) -> tuple[ProjectFile, ...]:
        """Return the files of a project with this task, by path."""
        found = (file for file in self.files if file.task in ("", task))
        return tuple(sorted(found, key=lambda file: file.path))

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

    def describe(self, file: ProjectFile, choices: Mapping[str, str]) -> str:
        """Return one line on a project file, for a task, a model and options.

        Of a Python file it is the first line of the docstring, of any other
        the line in the cards' `[files]` table; empty where neither is there.
        """
        source = file.sources_for(self.defaults() | dict(choices))[0]
        if source.endswith(".py"):
            return docstring_line(self.content_path(source).read_text("utf-8"))
        task = self.find("task", choices["task"])
        cards = (task, self.find("model", choices["model"]), self.common)
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
    by_kind = {kind: read_cards(content / name) for kind, name in KIND_FOLDERS.items()}
    return Catalog(
        templates_dir=folder,
        common=read_card(content / "common" / "card.toml"),
        tasks=by_kind["task"],
        models=by_kind["model"],
        slots=tuple(map(read_slot, sorted(content.glob("options/*/slot.toml")))),
        files=tuple(read_skeleton(folder / SKELETON)),
    )


def read_cards(folder: Path) -> tuple[Card, ...]:
    """Read the cards of the folders in a folder, in the order of their ranks."""
    cards = map(read_card, folder.glob("*/card.toml"))
    return tuple(sorted(cards, key=lambda card: (card.rank, card.name)))


def read_slot(path: Path) -> Slot:
    """Read one `slot.toml` and the cards of the options beside it.

    Raises BrokenTemplateError where a field is missing or the file is not TOML.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
        return Slot(
            name=values["name"],
            title=values["title"],
            tasks=tuple(values["tasks"]),
            options=read_cards(path.parent),
        )
    except (OSError, ValueError, KeyError) as error:
        raise BrokenTemplateError(path, f"its slot cannot be read: {error}") from error


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
