"""Reads the markup of sentences: ``<one|other>`` and ``[key=answer]``."""

import random
import re
from typing import NamedTuple


class Span(NamedTuple):
    """The answer to the questions of ``key``, as character offsets into a text."""

    key: str
    start: int
    end: int
    secondary: bool  # also acceptable, but not the answer to learn


def choose(text: str, rng: random.Random) -> str:
    """Settle every ``<one|other>``, innermost first, and ``[key=one|other]``."""
    while match := re.search(r"<([^<>]*)>", text):
        text = (
            text[: match.start()]
            + rng.choice(match[1].split("|"))
            + text[match.end() :]
        )
    return re.sub(
        r"(?<==)[^\[\]=]*\|[^\[\]]*(?=\])",
        lambda match: rng.choice(match[0].split("|")),
        text,
    )


def parse_spans(text: str) -> tuple[str, list[Span]]:
    """Take the marks out of a text and return it with the spans they marked.

    Marks nest: ``[+when=in [when=1843]]`` makes "1843" the answer and "in 1843"
    acceptable too.
    """
    plain = ""
    open_marks: list[tuple[str, int]] = []
    spans = []
    for token in re.split(r"(\[\+?[\w@]+=|\])", text):
        if token == "]":
            key, start = open_marks.pop()
            spans.append(Span(key.lstrip("+"), start, len(plain), key.startswith("+")))
        elif token.startswith("["):
            open_marks.append((token[1:-1], len(plain)))
        else:
            plain += token
    if open_marks or "[" in plain or "<" in plain:
        raise ValueError(f"Unbalanced marks in {text!r}.")
    return plain, spans


def sentence_case(text: str) -> str:
    """Write the first letter of a text as a capital."""
    return text[:1].upper() + text[1:]
