"""Composes the sample of the sentence-embedding template from ``scenes.txt``.

    python tools/compose_sentence_embedding_sample.py               # writes the files
    python tools/compose_sentence_embedding_sample.py --show 20     # and some pairs

A meaning is a person, an activity, a place and a time. Each has two or three wordings
with few words in common, and a sentence is one of several patterns. The score of two
sentences adds up what their meanings share: 2.5 for the activity, 1 for the person,
0.75 for the place, 0.5 for the time, 0.25 for the domain; 5 is the same meaning.

Words alone mislead: pairs of one meaning are worded as differently as can be, others
keep the words of what they share. Person and activity of a test sentence never meet in
training, so no test sentence is there. The same script always writes the same bytes.
"""

import argparse
import dataclasses
import hashlib
import json
import random
from pathlib import Path

SCENES = Path(__file__).parent / "sentence_embedding_sample/scenes.txt"
FOLDER = Path(__file__).parents[1] / "templates/templates/tasks/sentence-embedding/data"
SEED = 11
SIZES = {"train": 1500, "validation": 240, "test": 400}
# Part of the meetings of a person with an activity, in percent.
SPLITS = {"train": range(70), "validation": range(70, 80), "test": range(80, 100)}
PATTERNS = (
    "{person} {verb} {object} {place} {time}.",
    "{time} {person} {verb} {object} {place}.",
    "{person} is {ing} {object} {place} {time}.",
    "{time} {object} {be} {participle} by {person} {place}.",
    "{place} {person} is {ing} {object} {time}.",
    "it is {person} who {verb} {object} {place} {time}.",
)
TEST_PATTERNS = (
    *PATTERNS,
    "{place} {object} {be} {participle} by {person} {time}.",
    "{time} it is {person} who is {ing} {object} {place}.",
)
WEIGHTS = {"activity": 2.5, "person": 1.0, "place": 0.75, "time": 0.5, "domain": 0.25}
SHARES_NEGATIVE = 0.9  # of the training examples, those that have a negative

Wordings = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Domain:
    """What can be said in one domain; each entry is the wordings of one thing."""

    name: str
    people: tuple[Wordings, ...]
    places: tuple[Wordings, ...]
    activities: tuple[Wordings, ...]


@dataclasses.dataclass(frozen=True)
class Meaning:
    """What a sentence says."""

    domain: Domain
    person: Wordings
    activity: Wordings
    place: Wordings
    time: Wordings


@dataclasses.dataclass(frozen=True)
class Style:
    """How a meaning is said: the pattern, and a number that picks the wordings."""

    pattern: str
    wording: int


def read_scenes() -> tuple[list[Domain], tuple[Wordings, ...]]:
    """Return the domains and the times."""
    common: dict[str, list[Wordings]] = {"people": [], "times": []}
    domains: list[tuple[str, dict[str, list[Wordings]]]] = []
    for line in SCENES.read_text("utf-8").splitlines():
        key, _, value = line.partition(":")
        if not value or line.startswith("#"):
            continue
        wordings = tuple(part.strip() for part in value.split("|"))
        if key == "domain":
            domains.append((wordings[0], {"people": [], "places": [], "do": []}))
        else:
            (domains[-1][1] if domains else common)[key].append(wordings)
    found = [
        Domain(
            name,
            (*common["people"], *parts["people"]),
            tuple(parts["places"]),
            tuple(parts["do"]),
        )
        for name, parts in domains
    ]
    return found, tuple(common["times"])


def split_of(meaning: Meaning) -> str:
    """Return the split that a meaning belongs to, by its person and activity."""
    key = f"{meaning.person[0]}/{meaning.activity[0]}"
    number = hashlib.sha256(key.encode()).digest()[0] * 100 // 256
    return next(name for name, numbers in SPLITS.items() if number in numbers)


def score(one: Meaning, other: Meaning) -> float:
    """Return how much two meanings share, 0 to 5."""
    same = (name for name in WEIGHTS if getattr(one, name) == getattr(other, name))
    return sum((WEIGHTS[name] for name in same), 0.0)


class Composer:
    """Draws meanings of one split and words them."""

    def __init__(self, split: str) -> None:
        self.domains, self.times = read_scenes()
        self.split = split
        self.random = random.Random(f"{SEED}-{split}")
        self.patterns = PATTERNS if split == "train" else TEST_PATTERNS

    def meaning(self) -> Meaning:
        """Draw a meaning of the split."""
        while True:
            drawn = self.draw(self.random.choice(self.domains))
            if split_of(drawn) == self.split:
                return drawn

    def draw(self, domain: Domain) -> Meaning:
        """Draw a meaning of a domain."""
        return Meaning(
            domain,
            self.random.choice(domain.people),
            self.random.choice(domain.activities),
            self.random.choice(domain.places),
            self.random.choice(self.times),
        )

    def couple(self, choices: str) -> tuple[Meaning, Meaning]:
        """Draw two meanings that share one of the choices and nothing else."""
        kept = set(self.random.choice(choices.split("|")).split())
        while True:
            first = self.meaning()
            same = {name: getattr(first, name) for name in kept}
            inside = kept & {"activity", "place", "domain"}
            for _ in range(20):  # there may be no such meaning in the split
                domain = first.domain if inside else self.random.choice(self.domains)
                other = dataclasses.replace(self.draw(domain), **same)
                shared = {n for n in WEIGHTS if getattr(first, n) == getattr(other, n)}
                wanted = kept | ({"domain"} if inside else set())
                if shared == wanted and split_of(other) == self.split:
                    return first, other

    def style(self, other: Style | None = None) -> Style:
        """Draw a style, of another pattern and other wordings than a given one."""
        patterns = [p for p in self.patterns if not other or p != other.pattern]
        wording = (other.wording + 1) if other else self.random.randrange(6)
        return Style(self.random.choice(patterns), wording)

    def sentence(self, meaning: Meaning, style: Style) -> str:
        """Word a meaning."""
        parts = {}
        for name in ("person", "activity", "place", "time"):
            wordings = getattr(meaning, name)
            parts[name] = wordings[style.wording % len(wordings)]
        activity = parts.pop("activity")
        parts["be"] = "are" if activity.endswith("+") else "is"
        forms = [form.strip() for form in activity.removesuffix("+").split("/")]
        parts |= dict(zip(("verb", "ing", "participle", "object"), forms, strict=True))
        pattern = style.pattern
        if parts["participle"] == "-" and "{participle}" in pattern:
            pattern = PATTERNS[0]
        text = pattern.format(**parts)
        return text[0].upper() + text[1:]

    def triplet(self, number: int) -> dict[str, object]:
        """Return a training example."""
        meaning, other = self.couple(TRAPS)
        style = self.style()
        record: dict[str, object] = {
            "id": f"{self.split}-{number:04d}",
            "sentence": self.sentence(meaning, style),
            "positive": self.sentence(meaning, self.style(style)),
        }
        if self.random.random() < SHARES_NEGATIVE:
            record["negative"] = self.sentence(other, style)
        return record

    def pair(self, number: int) -> dict[str, object]:
        """Return a scored pair."""
        meaning, other = self.couple(LEVELS)
        style = self.style()
        alike = score(meaning, other)
        # What means nearly the same is said otherwise; what does not keeps its words.
        other_style = self.style(style) if alike > 2.5 else style
        return {
            "id": f"{self.split}-{number:04d}",
            "sentence": self.sentence(meaning, style),
            "sentence_pair": self.sentence(other, other_style),
            "score": alike,
        }


# What a negative, and what the second sentence of a scored pair, has of the first.
TRAPS = """person place time | person place | domain person time | person time |
    activity"""
LEVELS = """activity person place time | activity person place | activity person time |
    activity place time | activity person | activity | person place time | place time |
    domain person | domain | person time | person | time | """


def compose(split: str) -> list[dict[str, object]]:
    """Return the records of a split, no two with the same first sentence."""
    composer = Composer(split)
    make = composer.triplet if split == "train" else composer.pair
    records: dict[object, dict[str, object]] = {}
    while len(records) < SIZES[split]:
        record = make(len(records) + 1)
        records.setdefault(record["sentence"], record)
    return list(records.values())


def write_files(folder: Path) -> dict[str, list[dict[str, object]]]:
    """Write the three files and return their records."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {split: compose(split) for split in SIZES}
    for split, records in files.items():
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
        path = folder / f"{split}.jsonl"
        path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return files


def main() -> None:
    """Write the files, and print what the flags ask for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--show", type=int, default=0, help="print so many of each")
    arguments = parser.parse_args()
    for records in write_files(arguments.folder).values():
        for record in records[: arguments.show]:
            print(*record.values(), sep="\n  ")


if __name__ == "__main__":
    main()
