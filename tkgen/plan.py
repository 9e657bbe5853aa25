"""Says what a command will do, as a value: printed, or applied, or both."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tkgen import __version__
from tkgen.answers import Answers
from tkgen.catalog import Catalog
from tkgen.state import STATE_DESCRIPTIONS, FileRecord, sha256_of

PLAN_VERSION = 1
STATE_AXIS = "state"


@dataclass(frozen=True)
class Action:
    """One file and what happens to it."""

    action: str
    path: str
    sha256: str
    size: int
    axis: str
    sources: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class Plan:
    """What will be written where, and what to type afterwards."""

    target: str
    answers: Answers
    actions: tuple[Action, ...]
    next: tuple[str, ...]


def make_plan(
    catalog: Catalog,
    answers: Answers,
    target: Path,
    records: tuple[FileRecord, ...],
    contents: Mapping[str, bytes],
    state: Mapping[str, bytes],
) -> Plan:
    """Return the plan that creates a project of these files at the target."""
    descriptions = {
        file.path_for(answers.package): catalog.describe(file, answers.choices)
        for file in catalog.files_for(answers.task)
    }
    actions = [
        Action(
            action="create",
            path=record.path,
            sha256=record.sha256,
            size=len(contents[record.path]),
            axis=record.axis,
            sources=record.sources,
            description=descriptions[record.path],
        )
        for record in records
    ]
    actions += [
        Action(
            action="create",
            path=path,
            sha256=sha256_of(content),
            size=len(content),
            axis=STATE_AXIS,
            sources=(),
            description=STATE_DESCRIPTIONS[path],
        )
        for path, content in state.items()
    ]
    actions.sort(key=lambda action: action.path)
    commands = next_commands(target, catalog.first_commands(answers.task))
    return Plan(str(target), answers, tuple(actions), commands)


def next_commands(target: Path, first: tuple[str, ...]) -> tuple[str, ...]:
    """Return the commands that a user types after the project is there."""
    return (
        f"cd {shlex.quote(str(target))}",
        "python -m venv .venv && . .venv/bin/activate",
        "pip install -e '.[test]'",
        *first,
        "pytest",
    )


def plan_to_json(plan: Plan, *, applied: bool) -> str:
    """Return the plan as a versioned JSON object."""
    document = {
        "format": "tkgen-plan",
        "version": PLAN_VERSION,
        "tkgen": __version__,
        **asdict(plan),
        "applied": applied,
    }
    return json.dumps(document, indent=2)
