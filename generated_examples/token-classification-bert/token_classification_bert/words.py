"""Words of a text, and entities between its characters and its words."""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from tokenizers import Regex, pre_tokenizers

from .schemes import Span, write_tags
from .token_text import google_words

Place = tuple[int, int]  # first character and last plus one
# The Chinese characters that Google's code sets apart: each is a word.
HANZI = (
    r"[\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}\x{F900}-\x{FAFF}\x{20000}-\x{2A6DF}"
    r"\x{2A700}-\x{2B73F}\x{2B740}-\x{2B81F}\x{2B820}-\x{2CEAF}\x{2F800}-\x{2FA1F}]"
)
DIVISION = pre_tokenizers.Sequence(
    [google_words(), pre_tokenizers.Split(Regex(HANZI), "isolated")]
)


def split_words(text: str) -> list[Place]:
    """Return the places of the words of a text, by the rule of BERT's tokenization.

    White space divides; each punctuation mark and each Chinese character is a word.
    Control and format characters (such as U+200B), which tokenizers drop, belong to
    no word where they stand at its edge.
    """
    places = (place for _, place in DIVISION.pre_tokenize_str(text))
    trimmed = (trim(text, *place) for place in places)
    return [(start, stop) for start, stop in trimmed if start < stop]


def trim(text: str, start: int, stop: int) -> Place:
    """Return a place without the characters at its edges that tokenizers drop."""
    while start < stop and is_dropped(text[start]):
        start += 1
    while start < stop and is_dropped(text[stop - 1]):
        stop -= 1
    return start, stop


def is_dropped(character: str) -> bool:
    """Return whether tokenizers drop a character as if it were not there."""
    return character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cf")


def join_words(tokens: Sequence[str]) -> tuple[str, list[Place]]:
    """Return the text of words with a space between each two, and their places."""
    places, start = [], 0
    for token in tokens:
        places.append((start, start + len(token)))
        start += len(token) + 1
    return " ".join(tokens), places


def tag_entities(
    text: str, words: Sequence[Place], entities: Iterable[dict[str, Any]]
) -> tuple[list[str], str]:
    """Return the IOB2 tags of words for entities given by characters, and a problem.

    An entity has `start`, `stop` and `label`, and perhaps its `text`. The problem says
    which entity cannot be written in tags, and why; it is empty where each of them can.
    """
    starts, stops = [place[0] for place in words], [place[1] for place in words]
    found: list[Span] = []
    for entity in sorted(entities, key=lambda entity: entity["start"]):
        start, stop, label = entity["start"], entity["stop"], entity["label"]
        name = f'the {label} "{text[start:stop][:60]}" [{start}:{stop}]'
        if not 0 <= start < stop <= len(text):
            return [], f"{name} lies outside of the {len(text)} characters of the text"
        if entity.get("text", text[start:stop]) != text[start:stop]:
            return [], f'{name} is "{str(entity["text"])[:60]}" by its own "text"'
        first, last = bisect_right(stops, start), bisect_left(starts, stop) - 1
        if first > last:
            return [], f"{name} holds no word"
        if starts[first] < start:
            return [], f'{name} begins inside the word "{text[slice(*words[first])]}"'
        if stops[last] > stop:
            return [], f'{name} ends inside the word "{text[slice(*words[last])]}"'
        if found and found[-1].stop > first:
            return [], f"{name} overlaps the entity before it"
        found.append(Span(label, first, last + 1))
    return write_tags(found, len(words), "iob2"), ""
