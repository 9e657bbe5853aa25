"""A page of the worst errors: sentences with gold and predicted entities marked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from .runs import write_text
from .schemes import Span

KINDS = {  # of what was expected, and of what was found
    "label": "right words, another label",
    "place": "overlaps one, with other first or last words",
    "alone": "nothing like it on the other side",
}
SENTENCE_WORDS = 60  # shown of a sentence, from some words before its first error
STYLE = """
body { font: 16px/1.9 system-ui, sans-serif; color: #222; max-width: 50em;
       margin: 2em auto; padding: 0 1em; }
article { border-top: 1px solid #ddd; padding: 0.6em 0 1em; }
article p { margin: 0.2em 0; }
mark { background: #e8e8e8; padding: 0.1em 0.25em; border-radius: 3px; }
mark.wrong { background: #fff; color: #b00020; box-shadow: inset 0 -2px #b00020; }
mark.missed { background: #cdeccd; box-shadow: inset 0 -2px #2e7d32; }
mark small { color: #555; margin-left: 0.35em; }
.facts { color: #666; font-size: 0.9em; }
td, th { padding-right: 1.5em; text-align: left; }
"""


def write_errors(
    path: Path,
    rows: Sequence[Mapping[str, Any]],
    figures: Mapping[str, Mapping[str, float]],
    limit: int = 100,
) -> None:
    """Write one HTML page: figures by type, counts of errors, the `limit` worst.

    A row has `id`, `text`, `words` (their places in it), `gold` and `predicted` spans
    of words, `missed` and `spurious` out of those, and `scores` of the words. The file
    is whole or absent.
    """
    errors = worst_errors(rows)
    page = [
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8">',
        f"<title>Errors</title><style>{STYLE}</style></head><body>",
        "<h1>Errors</h1>",
        f"<p>{len(errors)} of {len(rows)} sentences have an error.</p>",
        type_table(figures),
        kind_table(rows),
        f"<p class='facts'>The {len(errors[:limit])} worst follow, first what was ",
        "expected, then what was found. Marks: <mark>the same in both</mark>, ",
        "<mark class='missed'>missed</mark>, ",
        "<mark class='wrong'>should not be there</mark>.</p>",
        *map(article, errors[:limit]),
        "</body></html>",
    ]
    write_text(path, "\n".join(page))


def worst_errors(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rows with errors: most errors first, then those the model was sure of.

    How sure it was is the lowest probability among the sentence's words.
    """
    errors = [row for row in rows if row["missed"] or row["spurious"]]
    return sorted(
        errors,
        key=lambda row: (
            -len(row["missed"]) - len(row["spurious"]),
            -min(row["scores"], default=0.0),
        ),
    )


def type_table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Return precision, recall and F1 of each type as HTML."""
    lines = [
        f"<tr><td>{escape(label)}</td><td>{row['precision']:.1f}</td>"
        f"<td>{row['recall']:.1f}</td><td>{row['f1']:.1f}</td><td>{row['gold']}</td></tr>"
        for label, row in figures.items()
    ]
    head = "<tr><th>type</th><th>precision</th><th>recall</th><th>F1</th><th>gold</th>"
    return f"<table>{head}</tr>{''.join(lines)}</table>"


def kind_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return how many errors are of each kind, and which labels are confused."""
    missed: Counter[str] = Counter()
    spurious: Counter[str] = Counter()
    confused: Counter[tuple[str, str]] = Counter()
    for row in rows:
        missed.update(error_kind(span, row["predicted"]) for span in row["missed"])
        spurious.update(error_kind(span, row["gold"]) for span in row["spurious"])
        places = {span[1:]: span.label for span in row["spurious"]}
        confused.update(
            (span.label, places[span[1:]])
            for span in row["missed"]
            if span[1:] in places
        )
    lines = [
        f"<tr><td>{text}</td><td>{missed[kind]}</td><td>{spurious[kind]}</td></tr>"
        for kind, text in KINDS.items()
    ]
    head = "<tr><th>errors</th><th>expected</th><th>found</th></tr>"
    pairs = [
        f"{escape(gold)} → {escape(found)} {count}"
        for (gold, found), count in confused.most_common(12)
    ]
    listed = f"<p class='facts'>Most confused: {', '.join(pairs)}.</p>" if pairs else ""
    return f"<table>{head}{''.join(lines)}</table>{listed}"


def error_kind(span: Span, others: Sequence[Span]) -> str:
    """Return which of `KINDS` an error is, by what the other side has there."""
    touching = [o for o in others if o.start < span.stop and span.start < o.stop]
    if any(other[1:] == span[1:] for other in touching):
        return "label"
    return "place" if touching else "alone"


def article(row: Mapping[str, Any]) -> str:
    """Return one sentence as HTML: what was expected, and what was found."""
    lines = [
        marked(row, "gold", row["missed"], "missed"),
        marked(row, "predicted", row["spurious"], "wrong"),
    ]
    return (
        f"<article><p>{lines[0]}</p><p>{lines[1]}</p>"
        f"<p class='facts'>{escape(str(row['id']))}</p></article>"
    )


def marked(row: Mapping[str, Any], side: str, errors: Sequence[Span], name: str) -> str:
    """Return the sentence with the spans of one side marked, cut where it is long.

    Where every word has a label, only the wrong ones are marked.
    """
    words, text = row["words"], row["text"]
    begin = min(span.start for span in [*row["missed"], *row["spurious"]])
    begin = max(0, begin - SENTENCE_WORDS // 3)
    stop = min(len(words), begin + SENTENCE_WORDS)
    shown = errors if len(row["gold"]) == len(words) else row[side]
    shown = [span for span in shown if begin <= span.start and span.stop <= stop]
    place = words[begin][0]
    pieces = ["… "] if begin else []
    for span in shown:
        first, last = words[span.start][0], words[span.stop - 1][1]
        kind = f" class='{name}'" if span in errors else ""
        pieces.append(escape(text[place:first]))
        pieces.append(
            f"<mark{kind}>{escape(text[first:last])}"
            f"<small>{escape(span.label)}</small></mark>"
        )
        place = last
    pieces.append(escape(text[place : words[stop - 1][1]]))
    return "".join(pieces) + (" …" if stop < len(words) else "")
