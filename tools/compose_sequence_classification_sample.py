"""Composes the sample data of the classification template from its wordings.

    python tools/compose_sequence_classification_sample.py

The same script always writes the same bytes. Each sentence on the matter in the test
file has a name that training does not have, or, in messages ``test-new-…``, a wording
that occurs nowhere else; half of the validation file has such wordings too. Every
eight lines hold each label once.
"""

import argparse
import json
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

SOURCES = Path(__file__).parent / "sequence_classification_sample"
FOLDER = (
    Path(__file__).parents[1] / "templates/templates/tasks/sequence-classification/data"
)
SEED = 27
# Id prefix: (whether names are the test file's, which wordings, messages a label).
PLAN = {
    "train": (False, "", 260),
    "validation": (False, "", 10),
    "validation-new": (False, "dev", 10),
    "test-names": (True, "", 15),
    "test-new": (True, "new", 15),
}
SLOT = re.compile(r"\{(\w+)\}")


def read_wordings() -> dict[str, dict[str, list[str]]]:
    """Return the wordings of each label, by the file that alone has them, or ""."""
    wordings: dict[str, dict[str, list[str]]] = {}
    label = ""
    for line in (SOURCES / "wordings.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            label = line.strip("[]")
            wordings[label] = {"": [], "dev": [], "new": []}
        elif line and not line.startswith("#"):
            group, mark, wording = line.partition(": ")
            known = mark and group in wordings[label]
            wordings[label][group if known else ""].append(wording if known else line)
    return wordings


def read_fillings() -> dict[str, tuple[list[str], list[str]]]:
    """Return of each slot what fills it in training, and what in the test file."""
    fillings = {}
    for line in (SOURCES / "fillings.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            slot, _, choices = line.partition(": ")
            usual, _, test = choices.partition(" | ")
            lists = [each.split("; ") for each in (usual, test or usual)]
            fillings[slot] = (lists[0], lists[1])
    return fillings


def fill(
    wording: str, fillings: Mapping[str, Sequence[str]], rng: random.Random
) -> str:
    """Return a wording with its slots filled."""
    return SLOT.sub(lambda match: rng.choice(fillings[match[1]]), wording)


def compose_message(
    wording: str, fillings: Mapping[str, Sequence[str]], rng: random.Random
) -> str:
    """Return a message: what it is about, and often something said around it."""
    core = fill(wording, fillings, rng)
    context = fill(rng.choice(fillings["context"]), fillings, rng)
    opener, closer = (rng.choice(fillings[name]) for name in ("opener", "closer"))
    if rng.random() < 0.45:
        core = f"{core} {context}" if rng.random() < 0.5 else f"{context} {core}"
    if rng.random() < 0.4:
        core = f"{opener} {core}"
    if rng.random() < 0.35:
        core = f"{core} {closer}"
    return core.lower().rstrip(".?") if rng.random() < 0.15 else core


def compose_part(prefix: str, seen: set[str]) -> list[dict[str, str]]:
    """Return the records of one id prefix, none of whose texts was seen before."""
    rng = random.Random(f"{SEED}-{prefix}")
    for_test, group, count = PLAN[prefix]
    fillings = read_fillings()
    pools = {slot: lists[for_test] for slot, lists in fillings.items()}
    own = {slot for slot, (usual, test) in fillings.items() if usual != test}
    messages: dict[str, list[str]] = {}
    for label, wordings in read_wordings().items():
        messages[label], queue = [], []
        choices = wordings[group]
        if for_test and not group:
            choices = [x for x in choices if own & set(SLOT.findall(x))]
        while len(messages[label]) < count:
            queue = queue or rng.sample(choices, len(choices))
            text = compose_message(queue.pop(), pools, rng)
            if text not in seen:
                seen.add(text)
                messages[label].append(text)
    rows = list(zip(*messages.values(), strict=True))
    return [
        {"id": f"{prefix}-{number:04d}", "sequence": text, "label": label}
        for number, (label, text) in enumerate(
            (
                (label, text)
                for row in rows
                for label, text in shuffle(messages, row, rng)
            ),
            start=1,
        )
    ]


def shuffle(
    labels: Mapping[str, object], row: Sequence[str], rng: random.Random
) -> list[tuple[str, str]]:
    """Return label and text of a row in a random order."""
    pairs = list(zip(labels, row, strict=True))
    return rng.sample(pairs, len(pairs))


def write_files(folder: Path) -> None:
    """Write the three files."""
    files: dict[str, list[dict[str, str]]] = {}
    seen: set[str] = set()
    for prefix in PLAN:
        name = f"{prefix.partition('-')[0]}.jsonl"
        files.setdefault(name, []).extend(compose_part(prefix, seen))
    folder.mkdir(parents=True, exist_ok=True)
    for name, records in files.items():
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
        (folder / name).write_text("".join(lines), encoding="utf-8", newline="\n")


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where to write the files"
    )
    write_files(parser.parse_args().folder)


if __name__ == "__main__":
    main()
