"""Composes the Chinese sample of the token-classification template.

    python tools/compose_chinese_token_classification_sample.py

The same script always writes the same bytes. Persons, places and organizations are
invented, and those of validation and test do not occur in training. In the test file,
sentences `test-names-…` follow frames known from training, `test-new-…` others.
"""

import random
from pathlib import Path
from typing import Any

from chinese_samples.frames import (
    TASKS,
    choose,
    fill_slots,
    in_turn,
    read_sections,
    write_records,
)
from chinese_samples.names import NAMES

FOLDER = TASKS / "token-classification/data-zh"
SEED = 8
# Id prefix: (split of the names, section of its frames, sentences).
PLAN = {
    "train": ("train", "train", 1000),
    "validation": ("validation", "train", 100),
    "test-names": ("test", "train", 100),
    "test-new": ("test", "new", 50),
}
LABELS = {  # of the slots that are entities
    "person": "person",
    "surname": "person",
    "place": "place",
    "organization": "organization",
    "date": "date",
}
THINGS = "油画 雕像 钢琴 地图 座钟 望远镜 地毯 古琴 屏风 缝纫机".split()


def compose(frame: str, split: str, rng: random.Random) -> tuple[str, list[dict]]:
    """Return a sentence of a frame, and its entities."""

    def fill(slot: str) -> str:
        return rng.choice(THINGS) if slot == "thing" else NAMES[slot](rng, split)

    text, places = fill_slots(choose(frame, rng), fill)
    entities = [
        {"start": begin, "end": end, "label": LABELS[slot]}
        for slot, begin, end in places
        if slot in LABELS
    ]
    return text, entities


def compose_part(prefix: str, seen: set[str]) -> list[dict[str, Any]]:
    """Return the records of one id prefix, none of a text that was seen before."""
    split, section, count = PLAN[prefix]
    rng = random.Random(f"{SEED}-{prefix}")
    next_frame = in_turn(read_sections("token_classification.txt")[section], rng)
    records: list[dict[str, Any]] = []
    while len(records) < count:
        text, entities = compose(next_frame(), split, rng)
        if text not in seen:
            seen.add(text)
            name = f"{prefix}-{len(records) + 1:04d}"
            records.append({"id": name, "text": text, "entities": entities})
    return records


def write_files(folder: Path) -> None:
    """Write the three files."""
    seen: set[str] = set()
    write_records(folder, {prefix: compose_part(prefix, seen) for prefix in PLAN})


if __name__ == "__main__":
    write_files(FOLDER)
