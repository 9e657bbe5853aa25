"""Names and words to draw from, with a share of its own for every split."""

import random
from collections.abc import Callable
from typing import NamedTuple

from qa_sample import words

SHARES = {
    "train": (0, 1, 2, 3),
    "validation": (4,),
    "test": (5,),
}  # of every six list items


class Person(NamedTuple):
    """A person: full name in two words, and the gender that the pronouns follow."""

    first: str
    last: str
    female: bool

    def __str__(self) -> str:
        return f"{self.first} {self.last}"


def share(items: list, split: str) -> list:
    """Return the items of a list that belong to one split."""
    return [item for index, item in enumerate(items) if index % 6 in SHARES[split]]


def phrase_share(phrases: list[str], split: str) -> list[str]:
    """Return one split's part of a list of phrases; fewer than five are shared."""
    if len(phrases) < 5:
        return phrases
    residues = {"train": (0, 1, 2), "validation": (3,), "test": (4,)}[split]
    return [phrase for index, phrase in enumerate(phrases) if index % 5 in residues]


def _person(rng: random.Random, split: str, female: bool) -> Person:
    firsts = words.WOMEN if female else words.MEN
    first = rng.choice(share(firsts, split))
    return Person(first, rng.choice(share(words.SURNAMES, split)), female)


def _joined(
    heads: list[str], tails: list[str], glue: str, split_heads: bool
) -> Callable:
    """Return a function that joins a head and a tail, one from the split's share."""

    def draw(rng: random.Random, split: str) -> str:
        head = rng.choice(share(heads, split) if split_heads else heads)
        tail = rng.choice(tails if split_heads else share(tails, split))
        return head + glue + tail

    return draw


def _from_list(items: list[str]) -> Callable:
    return lambda rng, split: rng.choice(share(items, split))


def _from_words(text: str) -> Callable:
    phrases = [" ".join(phrase.split()) for phrase in text.split(",")]
    return lambda rng, split: rng.choice(phrase_share(phrases, split))


def _date(rng: random.Random, split: str) -> str:
    return f"{rng.randint(1, 28)} {rng.choice(words.MONTHS)}"


NAME_POOLS: dict[str, Callable] = {
    "person": lambda rng, split: _person(rng, split, rng.random() < 0.5),
    "woman": lambda rng, split: _person(rng, split, True),
    "man": lambda rng, split: _person(rng, split, False),
    "surname": _from_list(words.SURNAMES),
    "town": _joined(words.TOWN_STEMS, words.TOWN_ENDINGS, "", True),
    "water": _from_list(words.WATERS),
    "coined": _joined(words.COINED_HEADS, words.COINED_TAILS, "", True),
    "title": _joined(words.TITLE_ADJECTIVES, words.TITLE_NOUNS, " ", False),
    "ship": _joined(words.SHIP_ADJECTIVES, words.SHIP_NOUNS, " ", False),
}

WORD_POOLS: dict[str, Callable] = {
    "material": _from_words(words.MATERIALS),
    "colour": _from_words(words.COLOURS),
    "trade": _from_words(words.TRADES),
    "herb": _from_words(words.HERBS),
    "fruits": _from_words(words.FRUITS),
    "region": _from_words(words.FARAWAY),
    "date": _date,
    "month": lambda rng, split: rng.choice(words.MONTHS),
    "weekday": lambda rng, split: rng.choice(words.WEEKDAYS),
}
