"""Composes the sample of the feature-extraction template: short texts and pairs.

    python tools/compose_feature_extraction_sample.py

The same script always writes the same bytes. Texts are of four lengths, from a word to
a paragraph, and every third line is a pair, so that a batch has rows of many lengths.
Words that mean two things, such as "bank", stand in both meanings: the vectors of their
tokens differ.
"""

import argparse
import json
import random
from pathlib import Path

DATA = "templates/templates/tasks/feature-extraction/data"
FOLDER = Path(__file__).parents[1] / DATA
SEED = 17
COUNT = 240

PEOPLE = "The ferryman|Our neighbour|A young nurse|The retired judge|My cousin".split(
    "|"
)
PLACES = "in the harbour|behind the mill|at the market|near the old bridge".split("|")
TIMES = "before sunrise|every Thursday|last winter|during the storm".split("|")
ACTIONS = (
    "mended a torn net",
    "sold three baskets of pears",
    "waited for the late boat",
    "painted the door green",
    "counted the geese twice",
    "wrote a letter to the council",
)
AMBIGUOUS = (
    "The heron stood on the bank of the river.",
    "She opened an account at the bank on the square.",
    "A bat flew out of the barn at dusk.",
    "He swung the bat and missed the ball.",
    "The crane lifted the last beam onto the roof.",
    "A crane was fishing in the flooded meadow.",
    "The letter had a red seal under the signature.",
    "A seal slept on the rocks below the lighthouse.",
)
WORDS = ("Rain.", "Departures", "Good evening!", "Closed on Mondays", "Why?")
QUESTIONS = ("Who was it?", "When did it happen?", "Where did they go?")


def sentence(rng: random.Random) -> str:
    """Return a sentence of a person, an action, a place and a time."""
    person, place = rng.choice(PEOPLE), rng.choice(PLACES)
    return f"{person} {rng.choice(ACTIONS)} {place} {rng.choice(TIMES)}."


def text(number: int, rng: random.Random) -> str:
    """Return a text of one of four lengths."""
    if number % 4 == 0:
        return rng.choice(WORDS)
    if number % 4 == 1:
        return AMBIGUOUS[number // 4 % len(AMBIGUOUS)]
    return " ".join(sentence(rng) for _ in range(1 if number % 4 == 2 else 4))


def compose() -> list[dict[str, str]]:
    """Return the lines of the file."""
    rng = random.Random(SEED)
    lines = []
    for number in range(COUNT):
        line = {"id": f"text-{number + 1:03d}", "text": text(number, rng)}
        if number % 3 == 2:
            line = {**line, "text": rng.choice(QUESTIONS), "pair": line["text"]}
        lines.append(line)
    return lines


def write_files(folder: Path) -> None:
    """Write texts.jsonl into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(line, ensure_ascii=False) + "\n" for line in compose()]
    path = folder / "texts.jsonl"
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    write_files(parser.parse_args().folder)


if __name__ == "__main__":
    main()
