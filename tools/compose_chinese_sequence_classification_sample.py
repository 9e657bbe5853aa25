"""Composes the Chinese sample of the sequence-classification template.

    python tools/compose_chinese_sequence_classification_sample.py

The same script always writes the same bytes. The texts are what customers write to a
shop; every six lines hold each label once. In the test file, messages `test-names-…`
name products that training does not have, `test-new-…` follow wordings of their own.
"""

import random
from collections.abc import Callable
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

FOLDER = TASKS / "sequence-classification/data-zh"
SEED = 8
NEW = "new: "
# Id prefix: (whether slots are filled as in the test, whether wordings are the test's
# own, messages of a label).
PLAN = {
    "train": (False, False, 200),
    "validation": (False, False, 15),
    "test-names": (True, False, 12),
    "test-new": (True, True, 13),
}


def read_fillings(for_test: bool) -> dict[str, list[str]]:
    """Return what may fill each slot."""
    fillings = {}
    for line in read_sections("sequence_classification.txt")["slots"]:
        slot, _, choices = line.partition(": ")
        usual, _, test = choices.partition(" | ")
        fillings[slot] = (test if for_test else usual).split()
    return fillings


def compose_message(
    wording: str, fillings: dict[str, list[str]], rng: random.Random
) -> str:
    """Return a message: what it is about, and often something said around it."""
    values = {slot: rng.choice(choices) for slot, choices in fillings.items()}
    text, _ = fill_slots(choose(wording, rng), values.__getitem__)
    aside, _ = fill_slots(values["aside"], values.__getitem__)
    if rng.random() < 0.4:
        text = text + aside if rng.random() < 0.5 else aside + text
    if rng.random() < 0.4:
        text = values["opener"] + text
    return text + values["closer"] if rng.random() < 0.3 else text


def make_takers(new: bool, rng: random.Random) -> dict[str, Callable[[], str]]:
    """Return of each label a function that gives its wordings in turn."""
    sections = read_sections("sequence_classification.txt")
    return {
        label: in_turn(
            [line.removeprefix(NEW) for line in lines if line.startswith(NEW) == new],
            rng,
        )
        for label, lines in sections.items()
        if label != "slots"
    }


def compose_part(prefix: str, seen: set[str]) -> list[dict[str, Any]]:
    """Return the records of one id prefix, none of whose texts was seen before."""
    for_test, new, count = PLAN[prefix]
    rng = random.Random(f"{SEED}-{prefix}")
    fillings = read_fillings(for_test)
    takers = make_takers(new, rng)
    records: list[dict[str, Any]] = []
    for _ in range(count):
        for label in rng.sample(list(takers), len(takers)):
            text = compose_message(takers[label](), fillings, rng)
            while text in seen:
                text = compose_message(takers[label](), fillings, rng)
            seen.add(text)
            name = f"{prefix}-{len(records) + 1:04d}"
            records.append({"id": name, "sequence": text, "label": label})
    return records


def write_files(folder: Path) -> None:
    """Write the three files."""
    seen: set[str] = set()
    write_records(folder, {prefix: compose_part(prefix, seen) for prefix in PLAN})


if __name__ == "__main__":
    write_files(FOLDER)
