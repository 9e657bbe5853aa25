"""Draws the values of a frame's slots and writes them into its sentences."""

import random
import re
from typing import Any

from qa_sample.pools import NAME_POOLS, WORD_POOLS, Person, phrase_share

UNITS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
fifteen sixteen seventeen eighteen nineteen
""".split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
}
ORDINALS |= {"nine": "ninth", "twelve": "twelfth"}
PRONOUNS = {"he": "she", "him": "her", "his": "her", "himself": "herself"}


def number_words(number: int) -> str:
    """Spell a number from 0 to 99."""
    if number < 20:
        return UNITS[number]
    tens, unit = divmod(number, 10)
    return TENS[tens] + (f"-{UNITS[unit]}" if unit else "")


def ordinal_words(number: int) -> str:
    """Spell the ordinal of a number from 1 to 99."""
    head, hyphen, last = number_words(number).rpartition("-")
    if last in ORDINALS:
        last = ORDINALS[last]
    else:
        last = last[:-1] + "ieth" if last.endswith("y") else last + "th"
    return head + hyphen + last


def with_article(phrase: str) -> str:
    """Put "a" or "an" before a phrase."""
    return f"{'an' if phrase[0].lower() in 'aeiou' else 'a'} {phrase}"


def write_value(value: Any, form: str | None) -> str:
    """Return a slot's value as text, in the form named in ``{slot:form}``."""
    if isinstance(value, Person) and form in ("first", "last"):
        return getattr(value, form)
    if isinstance(value, Person) and form and form.lower() in PRONOUNS:
        pronoun = PRONOUNS[form.lower()] if value.female else form.lower()
        return pronoun.capitalize() if form[0].isupper() else pronoun
    writers = {
        None: str,
        "words": number_words,
        "ordinal": ordinal_words,
        "comma": lambda number: f"{number:,}",
        "a": lambda phrase: with_article(str(phrase)),
    }
    if form not in writers:
        raise ValueError(f"Unknown form {form!r} of the value {value!r}.")
    return writers[form](value)


def fill(text: str, values: dict[str, Any]) -> str:
    """Replace every ``{slot}`` and ``{slot:form}`` of a text by its value."""

    def replace(match: re.Match) -> str:
        return write_value(values[match[1]], match[2])

    return re.sub(r"\{(\w+)(?::(\w+))?\}", replace, text)


def _term(term: str, values: dict[str, Any], rng: random.Random) -> int:
    """Return one term of a sum: a slot, a number, or a range ``low..high/step``."""
    if term in values:
        return values[term]
    bounds = re.fullmatch(r"(\d+)(?:\.\.(\d+)(?:/(\d+))?)?", term)
    if not bounds:
        raise ValueError(f"Cannot read the slot term {term!r}.")
    low, high, step = int(bounds[1]), int(bounds[2] or bounds[1]), int(bounds[3] or 1)
    return rng.randrange(low, high + 1, step)


def draw(
    expression: str, values: dict[str, Any], rng: random.Random, split: str
) -> Any:
    """Draw a value from a pool, from a list ``a / b / c`` or from a sum of ranges."""
    if " / " in expression:
        phrases = expression.split(" / ")
        return rng.choice(phrases if split == "new" else phrase_share(phrases, split))
    pool_split = "test" if split == "new" else split
    if expression in NAME_POOLS or expression in WORD_POOLS:
        pool = NAME_POOLS.get(expression) or WORD_POOLS[expression]
        return pool(rng, pool_split)
    total, sign = 0, 1
    for part in re.split(r"([+-])", expression):
        if part in "+-":
            sign = 1 if part == "+" else -1
        else:
            total += sign * _term(part, values, rng)
    return total


def draw_new(
    expression: str, taken: set[str], values: dict, rng: random.Random, split: str
) -> Any:
    """Draw a value that shares no word with those already taken."""
    for _ in range(200):
        value = draw(expression, values, rng, split)
        if isinstance(value, int) or not taken & set(str(value).split()):
            return value
    raise ValueError(f"The pool {expression!r} has too few values.")


def draw_slots(slots: dict[str, str], rng: random.Random, split: str) -> dict[str, Any]:
    """Draw all slots of a frame in order, without using a name twice."""
    values: dict[str, Any] = {}
    taken: set[str] = set()
    for slot, expression in slots.items():
        value = draw_new(expression, taken, values, rng, split)
        if expression in NAME_POOLS or expression in WORD_POOLS:
            if expression != "date":
                taken |= set(str(value).split()) - {"the"}
        values[slot] = fill(value, values) if isinstance(value, str) else value
    return values
