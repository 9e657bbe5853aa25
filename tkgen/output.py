"""Writes what tkgen has to say to standard output: with colour on a terminal only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any

from rich.console import Console
from rich.text import Text

from tkgen import __version__
from tkgen.catalog import Card, Catalog, Slot
from tkgen.plan import Action, Plan

FORMAT_VERSION = 1
GUIDES = {"branch": "├── ", "last": "└── ", "bar": "│   ", "gap": "    "}
ASCII_GUIDES = {"branch": "|-- ", "last": "`-- ", "bar": "|   ", "gap": "    "}

Row = tuple[str, str]


def print_rows(rows: Iterable[Row]) -> None:
    """Print rows of a name and a description, the descriptions in one column."""
    rows = list(rows)
    width = max((len(name) for name, text in rows if text), default=0)
    console = Console(highlight=False)
    for name, text in rows:
        line = Text(name.ljust(width + 2) if text else name)
        line.append(text, style="dim")
        if console.is_terminal:
            console.print(line, no_wrap=True, overflow="ellipsis")
        else:
            console.print(line, soft_wrap=True)


def print_plan(plan: Plan, *, applied: bool) -> None:
    """Print the tree of a plan and the commands to type next."""
    size = sum(action.size for action in plan.actions)
    verb = "created" if applied else "would create"
    print_rows([(f"{verb} {len(plan.actions)} files, {size:,} bytes", "")])
    print_rows([(f"{plan.target}/", ""), *tree_rows(plan.actions)])
    print_rows([("", ""), ("next:", "")])
    print_rows((f"  {command}", "") for command in plan.next)


def tree_rows(actions: Sequence[Action]) -> list[Row]:
    """Return one row for each folder and file, drawn as a tree."""
    guides = GUIDES if "utf" in Console().encoding.lower() else ASCII_GUIDES
    tree: dict[str, Any] = {}
    for action in actions:
        *folders, name = PurePosixPath(action.path).parts
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = action.description
    return list(branch_rows(tree, "", guides))


def branch_rows(
    tree: dict[str, Any], indent: str, guides: dict[str, str]
) -> Iterable[Row]:
    """Yield the rows of one folder, then of what is in it."""
    names = sorted(tree)
    for name in names:
        guide = guides["last" if name == names[-1] else "branch"]
        entry = tree[name]
        if isinstance(entry, dict):
            yield f"{indent}{guide}{name}/", ""
            deeper = guides["gap" if name == names[-1] else "bar"]
            yield from branch_rows(entry, indent + deeper, guides)
        else:
            yield f"{indent}{guide}{name}", entry


def print_catalog(catalog: Catalog) -> None:
    """Print every task, model and option on one line each."""
    for kind in ("task", "model"):
        print_rows([(f"{kind}s", "")])
        print_rows((f"  {card.name}", card_line(card)) for card in catalog.cards(kind))
    print_rows([("options", "")])
    rows = [row for slot in catalog.slots for row in slot_rows(slot)]
    print_rows(rows or [("  none yet", "")])


def slot_rows(slot: Slot) -> Iterable[Row]:
    """Yield a row for each option of a slot, with the tasks that have it."""
    default = slot.options[0].name
    for card in slot.options:
        place = f"{', '.join(slot.tasks)}: {slot.title}"
        instead = "default" if card.name == default else f"instead of {default}"
        yield f"  {card.name}", f"{card_line(card)} [{place}; {instead}]"


def card_line(card: Card) -> str:
    """Return a card's title, summary and aliases on one line."""
    aliases = f" (also: {', '.join(card.aliases)})" if card.aliases else ""
    return f"{card.title}: {card.summary}{aliases}"


def catalog_to_json(catalog: Catalog) -> str:
    """Return the catalog as a versioned JSON object."""
    kinds = {
        f"{kind}s": [card_to_dict(card) for card in catalog.cards(kind)]
        for kind in ("task", "model", "option")
    }
    return to_json("tkgen-list", kinds)


def card_to_dict(card: Card) -> dict[str, Any]:
    """Return what a card says about itself."""
    keys = ("name", "title", "summary", "aliases")
    return {key: getattr(card, key) for key in keys}


def print_task(catalog: Catalog, card: Card) -> None:
    """Print what one task generates, what it reads, and the command for it."""
    print_rows([(f"{card.name}: {card.title}", ""), (card.summary, "")])
    if card.aliases:
        print_rows([(f"also called: {', '.join(card.aliases)}", "")])
    print_rows([(f"models: {', '.join(catalog.names('model'))}", "")])
    for slot in catalog.slots_for(card.name):
        names = ", ".join(option.name for option in slot.options)
        print_rows([(f"{slot.title}: {names} (--with)", "")])
    print_rows([("", ""), ("files", "")])
    print_rows((f"  {path}", text) for path, _, text in task_files(catalog, card))
    if card.data:
        print_rows([("", ""), (f"data: {'; '.join(card.data.formats)}", "")])
        fields = (field.partition(": ") for field in card.data.fields)
        print_rows((f"  {name}", text) for name, _, text in fields)
        print_rows([("example", ""), (f"  {card.data.example}", "")])
        print_rows([(f"sample: {card.data.sample}", "")])
    print_rows([("", ""), ("command", ""), (f"  {new_command(catalog, card)}", "")])


def task_to_json(catalog: Catalog, card: Card) -> str:
    """Return what one task generates as a versioned JSON object."""
    files = [
        {"path": path, "axis": axis, "description": text}
        for path, axis, text in task_files(catalog, card)
    ]
    content = card_to_dict(card) | {
        "models": catalog.names("model"),
        "options": {
            slot.name: [option.name for option in slot.options]
            for slot in catalog.slots_for(card.name)
        },
        "files": files,
        "data": asdict(card.data) if card.data else None,
        "command": new_command(catalog, card),
    }
    return to_json("tkgen-task", content)


def task_files(catalog: Catalog, card: Card) -> list[tuple[str, str, str]]:
    """Return path, axis and description of each file, for the first model."""
    choices = {"task": card.name, "model": catalog.names("model")[0]}
    return [
        (file.path_for("PACKAGE"), file.axis, catalog.describe(file, choices))
        for file in catalog.files_for(card.name)
    ]


def new_command(catalog: Catalog, card: Card) -> str:
    """Return the command that generates this task with the first model."""
    return f"tkgen new --task {card.name} --model {catalog.names('model')[0]}"


def to_json(name: str, content: dict[str, Any]) -> str:
    """Return a versioned JSON object of this format."""
    head = {"format": name, "version": FORMAT_VERSION, "tkgen": __version__}
    return json.dumps(head | content, indent=2)
