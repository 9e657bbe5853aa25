"""Composes the sample data of the aspect-sentiment template from clauses and words.

    python tools/compose_aspect_sentiment_sample.py                 # writes six files
    python tools/compose_aspect_sentiment_sample.py --statistics    # what is in them

`data/` is in English, `data-zh/` in Chinese. The same script always writes the same
bytes. No text is in two files, and the words after "|" in
`aspect_sentiment_sample/words.toml` and `words-zh.toml` occur in test.jsonl alone.
"""

import argparse
import json
import random
import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

TASK = Path(__file__).parents[1] / "templates/templates/tasks/aspect-sentiment"
SOURCES = Path(__file__).with_name("aspect_sentiment_sample")
SEED = 11
# For each folder of the task its words, and the texts of each file.
FOLDERS = {
    "data": ("words.toml", {"train": 800, "validation": 120, "test": 200}),
    "data-zh": ("words-zh.toml", {"train": 500, "validation": 80, "test": 120}),
}
HELD_BACK = 0.25  # so many of test.jsonl's words are held back elsewhere
POLARITIES = {"good": "positive", "bad": "negative", "fair": "neutral"}
TURNED = {"good": "bad", "bad": "good", "fair": "bad"}
FACT_THINGS = {"restaurant": ("food", "drinks"), "computer": ("body", "screen")}
# In the clauses of the words' file, aspects are {A}, {B}, and {C}, which is A's word
# again. {was} agrees with the aspect before it, {wasA} with A. Opinions are these
# marks; each says on which aspects it is an opinion, in whose tone, and whether that is
# turned.
OPINIONS = {
    "a": ("A", "A", False),
    "a2": ("A", "A", False),
    "b": ("B", "B", False),
    "ab": ("AB", "A", False),
    "other": ("A", "A", True),
    "c": ("C", "A", True),
    "not": ("A", "A", False),  # "not" and a word of the turned tone
}


@dataclass
class Draft:
    """A text in the making, what it says, and the words that it has used."""

    text: str = ""
    aspects: list[dict] = field(default_factory=list)
    used: set[str] = field(default_factory=set)


class Composer:
    """Writes texts with the words of one file."""

    def __init__(self, name: str, words: str) -> None:
        self.table = tomllib.loads((SOURCES / words).read_text(encoding="utf-8"))
        self.grammar = self.table["grammar"]
        self.clauses = [x for count, x in self.grammar["clauses"] for _ in range(count)]
        self.rng = random.Random(f"{SEED}-{name}")
        self.held_back = name == "test"

    def pick(self, words: str, used: set[str]) -> str:
        """Return a word of a list that is not used yet."""
        common, _, rare = words.partition("|")
        if self.held_back and rare and self.rng.random() < HELD_BACK:
            common = rare
        choices = [word.strip() for word in common.split(",")]
        word = self.rng.choice([x for x in choices if x not in used] or choices)
        used.add(word)
        return word

    def judgement(self, group: dict[str, str], tone: str, used: set[str]) -> str:
        """Return an opinion of a tone, one in four such as goes with anything."""
        source = self.table["any"] if self.rng.random() < 0.25 else group
        return self.pick(source[tone], used)

    def tone(self) -> str:
        """Return a tone; few are fair."""
        return self.rng.choices(("good", "bad", "fair"), (5, 5, 2))[0]

    def group(self, domain: str) -> dict[str, str]:
        """Return the words of one kind of things."""
        return self.table[domain][self.rng.choice(sorted(self.table[domain]))]

    def add_named(self, draft: Draft, domain: str) -> None:
        """Add a clause whose aspects are named."""
        clause, group = self.rng.choice(self.clauses), self.group(domain)
        tones = {"A": self.tone(), "B": self.tone()}
        aspects: dict[str, dict] = {}
        opinions: dict[str, dict] = {}
        for part in re.split(r"(\{\w+\})", clause):
            mark = part.strip("{}") if part.startswith("{") else ""
            words = part
            if mark == "C":
                words = aspects["A"]["text"]
            elif mark.startswith(("was", "is")):
                words = agree(mark, aspects)
                mark = ""
            elif mark in ("A", "B"):
                words = self.pick(group["things"], draft.used)
            elif mark:
                _, source, turned = OPINIONS[mark]
                tone = TURNED[tones[source]] if turned else tones[source]
                if mark == "not":  # "not ordinary" would say nothing
                    tone = "bad" if tone == "fair" else tone
                    turned_word = self.judgement(group, TURNED[tone], draft.used)
                    words = self.grammar["not"] + turned_word
                else:
                    words = self.judgement(group, tone, draft.used)
            start = len(draft.text)
            draft.text += words
            span = {"text": words, "start": start, "end": len(draft.text)}
            if mark in ("A", "B", "C"):
                aspects[mark] = span
            elif mark:
                opinions[mark] = {**span, "polarity": POLARITIES[tone]}
        for letter, span in aspects.items():
            own = [
                each for mark, each in opinions.items() if letter in OPINIONS[mark][0]
            ]
            draft.aspects.append({**span, "opinions": own})

    def add_implicit(self, draft: Draft, domain: str) -> None:
        """Add a judgement of what is not named."""
        tone, start = self.tone(), len(draft.text)
        words = self.pick(self.table["implicit"][tone], draft.used)
        draft.text += words
        opinion = {"text": words, "start": start, "end": len(draft.text)}
        opinion["polarity"] = POLARITIES[tone]
        draft.aspects.append({"text": None, "opinions": [opinion]})

    def add_fact(self, draft: Draft, domain: str) -> None:
        """Add a clause that judges nothing, perhaps with the name of a thing in it."""
        fact = self.pick(self.table["facts"][domain], draft.used)
        group = self.table[domain][self.rng.choice(FACT_THINGS[domain])]
        thing = self.pick(group["things"], draft.used)
        draft.text += fact.replace("{thing}", thing)

    def compose(self) -> dict:
        """Return a text of one to three clauses with its aspects."""
        draft, domain = Draft(), self.rng.choice(("computer", "restaurant"))
        kinds = {self.add_named: 8, self.add_implicit: 2, self.add_fact: 3}
        count, before = self.rng.choices((1, 2, 3), (3, 5, 3))[0], None
        for _ in range(count):
            add = self.rng.choices(list(kinds), list(kinds.values()))[0]
            joint = self.rng.choice(self.grammar["joints"])
            if self.add_implicit in (add, before):
                kinds.pop(self.add_implicit, None)  # one is enough
                joint = self.grammar["stop"]
            draft.text += joint if before else ""
            add(draft, domain)
            before = add
        text = sentence_case(draft.text) + self.grammar["stop"].strip()
        return {"text": text, "aspects": finish(draft)}


def agree(verb: str, aspects: dict[str, dict]) -> str:
    """Return "was" or "is", or their plural, as an aspect wants it."""
    letter = verb[-1] if verb[-1] in aspects else list(aspects)[-1]
    plural = aspects[letter]["text"].endswith("s")
    return (
        {"was": "were", "is": "are"}[verb.rstrip("AB")] if plural else verb.rstrip("AB")
    )


def finish(draft: Draft) -> list[dict]:
    """Return the aspects as a line of data has them: what is implied is left out.

    All implicit aspects of a text are one. An opinion has a polarity of its own only
    where the opinions on the aspect differ.
    """
    text, implicit = sentence_case(draft.text), []
    named = [aspect for aspect in draft.aspects if aspect["text"] is not None]
    for aspect in draft.aspects:
        implicit += aspect["opinions"] if aspect["text"] is None else []
    together = [{"text": None, "opinions": implicit}] if implicit else []
    aspects = []
    for aspect in [*named, *together]:
        opinions = [
            {**each, "text": text[each["start"] : each["end"]]}
            for each in aspect["opinions"]
        ]
        polarities = {each["polarity"] for each in opinions}
        if aspect["text"] is not None:
            aspect["text"] = text[aspect["start"] : aspect["end"]]
        record = {key: value for key, value in aspect.items() if key != "opinions"}
        if len(polarities) == 1:
            record["polarity"] = polarities.pop()
            for each in opinions:
                del each["polarity"]
        aspects.append({**record, "opinions": opinions})
    return aspects


def sentence_case(text: str) -> str:
    """Return the text with a capital at the beginning of each sentence."""
    return re.sub(r"(^|\. )([a-z])", lambda match: match[1] + match[2].upper(), text)


def compose_all(words: str, sizes: dict[str, int]) -> dict[str, list[dict]]:
    """Return the records of each file; no text is in two of them."""
    seen: set[str] = set()
    files = {}
    for name, size in sizes.items():
        composer, records = Composer(name, words), []
        while len(records) < size:
            record = composer.compose()
            if record["text"] not in seen:
                seen.add(record["text"])
                records.append({"id": f"{name}-{len(records) + 1:04d}", **record})
        files[name] = records
    return files


def write_files(task: Path) -> dict[Path, list[dict]]:
    """Write three files into each folder of the task; return their records by path."""
    written = {}
    for folder, (words, sizes) in FOLDERS.items():
        (task / folder).mkdir(parents=True, exist_ok=True)
        for name, records in compose_all(words, sizes).items():
            lines = [json.dumps(record, ensure_ascii=False) for record in records]
            path = task / folder / f"{name}.jsonl"
            path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
            written[path] = records
    return written


def print_statistics(path: Path, records: list[dict]) -> None:
    """Print what one file holds."""
    aspects = [aspect for record in records for aspect in record["aspects"]]
    opinions = [opinion for aspect in aspects for opinion in aspect["opinions"]]
    implicit = sum(aspect["text"] is None for aspect in aspects)
    tones = Counter(aspect.get("polarity", "mixed") for aspect in aspects)
    empty = sum(not record["aspects"] for record in records)
    name, size = f"{path.parent.name}/{path.name}", path.stat().st_size
    print(f"{name}: {len(records)} texts, {size:,} bytes; {empty} without an aspect")
    print(f"  {len(aspects)} aspects, {implicit} implicit; {len(opinions)} opinions")
    print("  polarities of aspects:", dict(tones.most_common()))


def main() -> None:
    """Write the files, and print what the flags ask for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--folder", type=Path, default=TASK, help="where to write data/ and data-zh/"
    )
    parser.add_argument(
        "--statistics", action="store_true", help="print what the files hold"
    )
    parser.add_argument("--show", type=int, default=0, help="print so many texts")
    arguments = parser.parse_args()
    for path, records in write_files(arguments.folder).items():
        if arguments.statistics:
            print_statistics(path, records)
        for record in records[: arguments.show]:
            print(json.dumps(record, ensure_ascii=False))


if __name__ == "__main__":
    main()
