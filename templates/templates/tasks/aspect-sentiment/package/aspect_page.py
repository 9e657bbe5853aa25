"""A page of the errors: each text with its gold and predicted spans."""

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from .aspects import Example
from .metrics import found_items, gold_items
from .runs import write_text

STYLE = """
body { font: 16px/1.6 system-ui, sans-serif; color: #222; max-width: 46em;
       margin: 2em auto; padding: 0 1em; }
article { border-top: 1px solid #ddd; padding: 0.6em 0 1em; }
.aspect { background: #cdeccd; }
.opinion { background: #d6e6fa; }
.found { color: #b00020; border-bottom: 2px solid #b00020; }
.words { color: #b00020; border-bottom: 2px dotted #b00020; }
.facts { color: #666; font-size: 0.9em; }
ul { margin: 0.3em 0; }
td { padding-right: 1.5em; }
"""
LEGEND = (
    "<span class='aspect'>gold aspect</span>, <span class='opinion'>gold opinion</span>"
    ", <span class='found'>predicted aspect</span>, "
    "<span class='words'>predicted opinion</span>"
)


def write_errors(
    path: Path,
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    kind: str,
    limit: int = 100,
) -> None:
    """Write one HTML page with counts of all errors, and `limit` texts with errors.

    `kind` is what is compared: "triplet" or "pair". Texts with most errors go first.
    The file is whole or absent.
    """
    counts: Counter[str] = Counter()
    rows = []
    for example, prediction in zip(examples, predictions, strict=True):
        gold = gold_items(example)[kind]
        found = found_items(prediction["aspects"])[kind]
        errors = sort_errors(gold, found)
        counts.update(what for what, _ in errors)
        if errors:
            rows.append((len(errors), example, prediction, errors))
    rows.sort(key=lambda row: -row[0])
    table = "".join(
        f"<tr><td>{what}</td><td>{count}</td></tr>" for what, count in counts.items()
    )
    page = [
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8">',
        f"<title>Errors</title><style>{STYLE}</style></head><body><h1>Errors</h1>",
        f"<p>{len(rows)} of {len(examples)} texts have {kind}s that are wrong.</p>",
        f"<table>{table}</table><p class='facts'>Marks: {LEGEND}.</p>",
        *(article(*row[1:]) for row in rows[:limit]),
        "</body></html>",
    ]
    write_text(path, "\n".join(page))


def sort_errors(gold: Iterable[Any], found: Iterable[Any]) -> list[tuple[str, tuple]]:
    """Return (what is wrong, item) of the items that are in one set only.

    Where all but the polarity is right, the two items are one error.
    """
    gold, found = set(gold), set(found)
    missed, extra = gold - found, found - gold
    places = {item[:-1] for item in missed}
    errors = [("missed", x) for x in missed if x[:-1] not in {y[:-1] for y in extra}]
    for item in extra:
        wrong = "wrong polarity" if item[:-1] in places else "not in the data"
        errors.append((wrong, item))
    return sorted(errors, key=lambda error: (error[0], repr(error[1])))


def article(
    example: Example, prediction: dict[str, Any], errors: Sequence[tuple[str, tuple]]
) -> str:
    """Return one text with its errors as HTML."""
    items = "".join(
        f"<li>{what}: {escape(item_words(item, example.text))}</li>"
        for what, item in errors
    )
    return (
        f"<article><p>{marked_text(example, prediction)}</p><ul>{items}</ul>"
        f"<p class='facts'>{escape(example.id)}</p></article>"
    )


def item_words(item: tuple, text: str) -> str:
    """Return aspect, perhaps opinion, and polarity in words."""
    *places, polarity = item
    words = [
        "(implicit)" if place is None else text[place[0] : place[1]] for place in places
    ]
    return " – ".join([*words, polarity])


def marks(example: Example, prediction: dict[str, Any]) -> list[tuple[int, int, str]]:
    """Return (start, end, CSS class) of all spans."""
    found = [(aspect, "found") for aspect in prediction["aspects"]]
    found += [(y, "words") for x in prediction["aspects"] for y in x["opinions"]]
    spans = [(x["start"], x["end"], name) for x, name in found]
    for aspect in example.aspects:
        spans.append((aspect.start, aspect.end, "aspect"))
        spans += [(each.start, each.end, "opinion") for each in aspect.opinions or ()]
    return [span for span in spans if span[0] is not None]


def marked_text(example: Example, prediction: dict[str, Any]) -> str:
    """Return the text as HTML, each span marked."""
    text, spans = example.text, marks(example, prediction)
    edges = {edge for start, end, _ in spans for edge in (start, end)}
    pieces = []
    for start, end in itertools.pairwise(sorted({0, len(text), *edges})):
        names = sorted({name for a, b, name in spans if a <= start and end <= b})
        piece = escape(text[start:end])
        classes = " ".join(names)
        pieces.append(f"<span class='{classes}'>{piece}</span>" if names else piece)
    return "".join(pieces)
