"""Composes the sample data of the token-classification template.

    python tools/compose_token_classification_sample.py

The same script always writes the same bytes. Persons, places and organizations are
invented, and those of validation and test do not occur in training. In the test file,
sentences ``test-names-…`` follow frames known from training, ``test-new-…`` others.
"""

import json
import random
import re
from pathlib import Path

from qa_sample import words
from qa_sample.markup import choose
from qa_sample.pools import share

HERE = Path(__file__).parent
FRAMES = HERE / "token_classification_sample/frames.txt"
FOLDER = HERE.parent / "templates/templates/tasks/token-classification/data"
SEED = 4
# Id prefix: (split of the names, sections of its frames, sentences).
PLAN = {
    "train": ("train", ("train",), 1500),
    "validation": ("validation", ("train", "validation"), 200),
    "test-names": ("test", ("train",), 150),
    "test-new": ("test", ("new",), 150),
}
LABELS = {  # of the slots that are entities
    "person": "person",
    "surname": "person",
    "place": "place",
    "organization": "organization",
    "date": "date",
    "day": "date",
}
SURNAME_HEADS = """
Abel Acker Ahl Am Ark Asp Bak Bar Bell Berg Birk Blake Bram Brand Brock Calder Carn Cast
Chill Corv Cran Dall Darn Dela Dov Dray Dun Ecker Edger Elling Ender Esk Fair Falk Fen
Fjeld Fors Gall Garn Gell Gisl Grav Green Hage Halv Hark Hassel Heather Hind Holm Hov
Ibbot Inger Ish Jard Jern Kal Kell Kest Kins Kval Lang Lark Lever Lind Lox Lund Madd
Malm March Meld Midd Morr Narv Nether Norr Oake Ode Olli Orms Oster Pall Parg Pen
""".split()
SURNAME_TAILS = """
gren erby marsk selund inder stadt rowin hurst holt myre elund lett dvold ell anby
ervig mark ane lander wood cort rin acott moor sten ley boe wright ner gaard ola
""".split()
TRADES = "Weavers Masons Bakers Tanners Glovers Printers".split()
FIRMS = "Works, Brothers, & Sons, Railways, Breweries, Press, Mills, Shipping".split(
    ", "
)
HOUSES = "Museum, Theatre, Bank, Library, Hospital, Rovers, Academy".split(", ")
THINGS = "portrait violin statue manuscript telescope carpet machine organ".split()
STUFF = "wine furniture treasure silver timber cargo".split()


def town(rng: random.Random, split: str) -> str:
    """Return the name of a town."""
    return rng.choice(share(words.TOWN_STEMS, split)) + rng.choice(words.TOWN_ENDINGS)


def place(rng: random.Random, split: str) -> str:
    """Return the name of a town, of a port, or a compound of two."""
    water = rng.choice(share(words.WATERS, split))
    forms = [town(rng, split)] * 4 + [f"Port {water}", f"{town(rng, split)}-on-{water}"]
    return rng.choice(forms)


def surname(rng: random.Random, split: str) -> str:
    """Return a family name."""
    return rng.choice(share(SURNAME_HEADS, split)) + rng.choice(SURNAME_TAILS)


def person(rng: random.Random, split: str) -> str:
    """Return a full name, sometimes with an initial."""
    first = rng.choice(share(words.WOMEN + words.MEN, split))
    initial = rng.choice(["", "", "", f" {rng.choice('ABCDEFGHJKLMNPRSTW')}."])
    return f"{first}{initial} {surname(rng, split)}"


def organization(rng: random.Random, split: str) -> str:
    """Return the name of a firm, a club or an institution."""
    heads, tails = share(words.COINED_HEADS, split), words.COINED_TAILS
    coined = rng.choice(heads) + rng.choice(tails)
    forms = [
        f"{surname(rng, split)} {rng.choice(FIRMS)}",
        f"{coined} {rng.choice(FIRMS)}",
        coined,
        f"the {town(rng, split)} {rng.choice(HOUSES)}",
        f"the University of {town(rng, split)}",
        f"the Guild of {rng.choice(share(TRADES, split))}",
    ]
    return rng.choice(forms)


def date(rng: random.Random, split: str) -> str:
    """Return a year, or a month of one."""
    year, month = rng.randint(1790, 1960), rng.choice(words.MONTHS)
    season = rng.choice(["spring", "summer", "autumn"])
    forms = [str(year), str(year), f"{month} {year}", f"the {season} of {year}"]
    return rng.choice(forms)


def day(rng: random.Random, split: str) -> str:
    """Return a day."""
    number, month = rng.randint(1, 28), rng.choice(words.MONTHS)
    forms = [f"{number} {month} {rng.randint(1790, 1960)}", f"{month} {number}"]
    return rng.choice([*forms, rng.choice(words.WEEKDAYS)])


def number(rng: random.Random, split: str) -> str:
    """Return a number that may look like a year."""
    return str(rng.choice([rng.randint(2, 99), rng.randint(100, 1990)]))


SLOTS = {
    "person": person,
    "surname": surname,
    "place": place,
    "organization": organization,
    "date": date,
    "day": day,
    "number": number,
    "word": lambda rng, split: rng.choice(THINGS),
    "stuff": lambda rng, split: rng.choice(STUFF),
}


def read_frames() -> dict[str, list[str]]:
    """Return the frames of each section."""
    frames: dict[str, list[str]] = {}
    for line in FRAMES.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = frames.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            section.append(line)
    return frames


def compose(frame: str, rng: random.Random, split: str) -> tuple[str, list[dict]]:
    """Return a sentence of a frame, and its entities.

    An article before a name ("the Guild of Masons") is no part of the entity.
    """
    text, entities = "", []
    for part in re.split(r"(\{\w+\})", choose(frame, rng)):
        slot = part.strip("{}") if part.startswith("{") else ""
        value = SLOTS[slot](rng, split) if slot else part
        begin = len(text)
        if value.startswith("the ") and slot:
            begin += len("the ")
            value = value if text else "The " + value.removeprefix("the ")
        text += value
        if slot in LABELS:
            place = {"start": begin, "end": len(text), "label": LABELS[slot]}
            entities.append(place)
    return text, entities


def compose_part(
    prefix: str, frames: dict[str, list[str]], seen: set[str]
) -> list[dict]:
    """Compose the records of one id prefix, none of a text that was seen before.

    Its frames are used in turn.
    """
    split, sections, count = PLAN[prefix]
    rng = random.Random(f"{SEED}-{prefix}")
    own = [frame for section in sections for frame in frames[section]]
    records: list[dict] = []
    queue: list[str] = []
    while len(records) < count:
        queue = queue or rng.sample(own, len(own))
        text, entities = compose(queue.pop(), rng, split)
        if text not in seen:
            seen.add(text)
            name = f"{prefix}-{len(records) + 1:04d}"
            records.append({"id": name, "text": text, "entities": entities})
    return records


def write_files(folder: Path) -> None:
    """Write the three files."""
    frames = read_frames()
    files: dict[str, list[dict]] = {}
    seen: set[str] = set()
    for prefix in PLAN:
        part = compose_part(prefix, frames, seen)
        files.setdefault(f"{prefix.partition('-')[0]}.jsonl", []).extend(part)
    folder.mkdir(parents=True, exist_ok=True)
    for name, records in files.items():
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
        (folder / name).write_text("".join(lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_files(FOLDER)
