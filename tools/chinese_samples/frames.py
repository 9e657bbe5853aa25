"""Reading frames, filling their slots, and writing records.

A file of frames has sections, `[name]`, and a frame a line. In a frame `{slot}` is
filled, and one part of `<a|b>` is chosen, which may be empty.
"""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TASKS = HERE.parents[1] / "templates/templates/tasks"
CHOICE = re.compile(r"<([^<>]*)>")
SLOT = re.compile(r"\{(\w+)\}")

Place = tuple[str, int, int]  # of a filled slot: its name, its begin and its end
Fill = Callable[[str], str]


def read_sections(name: str) -> dict[str, list[str]]:
    """Return the lines of each section of a file of frames."""
    sections: dict[str, list[str]] = {}
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            section.append(line)
    return sections


def choose(frame: str, rng: random.Random) -> str:
    """Return a frame with all choices made, those inside of others first."""
    while CHOICE.search(frame):
        frame = CHOICE.sub(lambda match: rng.choice(match[1].split("|")), frame)
    return frame


def fill_slots(frame: str, fill: Fill) -> tuple[str, list[Place]]:
    """Return the text of a frame, and the places of its slots in the text."""
    text, places = "", []
    for index, part in enumerate(SLOT.split(frame)):
        value = fill(part) if index % 2 else part
        if index % 2:
            places.append((part, len(text), len(text) + len(value)))
        text += value
    return text, places


def in_turn(items: list[Any], rng: random.Random) -> Callable[[], Any]:
    """Return a function that gives all items in a random order, again and again."""
    queue: list[Any] = []

    def take() -> Any:
        queue.extend([] if queue else rng.sample(items, len(items)))
        return queue.pop()

    return take


def write_records(folder: Path, parts: dict[str, list[dict[str, Any]]]) -> None:
    """Write the records of each id prefix into the file of its first word."""
    files: dict[str, list[dict[str, Any]]] = {}
    for prefix, records in parts.items():
        files.setdefault(f"{prefix.partition('-')[0]}.jsonl", []).extend(records)
    folder.mkdir(parents=True, exist_ok=True)
    for name, records in files.items():
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
        (folder / name).write_text("".join(lines), encoding="utf-8", newline="\n")
