"""A page of the worst answers: each passage with its gold and predicted span."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from .runs import write_text

KINDS = ("wrong span", "partly right", "should have been empty", "missed answer")
CONTEXT_CHARACTERS = 160  # shown on each side of a mark
STYLE = """
body { font: 16px/1.6 system-ui, sans-serif; color: #222; max-width: 46em;
       margin: 2em auto; padding: 0 1em; }
article { border-top: 1px solid #ddd; padding: 0.6em 0 1em; }
h2 { font-size: 1.05em; margin: 0.4em 0; }
.gold { background: #cdeccd; }
.predicted { color: #b00020; border-bottom: 2px solid #b00020; }
.facts { color: #666; font-size: 0.9em; }
td { padding-right: 1.5em; }
"""


def error_kind(row: Mapping[str, Any]) -> str:
    """Return which of `KINDS` a wrong answer is."""
    if not row["answers"]:
        return "should have been empty"
    if not row["prediction"]:
        return "missed answer"
    return "partly right" if row["f1"] > 0 else "wrong span"


def worst_errors(
    rows: Sequence[Mapping[str, Any]], limit: int | None = None
) -> list[Mapping[str, Any]]:
    """Return the rows without an exact match: lowest F1 first, then highest score.

    Each row has `id`, `question`, `context`, `answers`, `prediction`, `exact` and `f1`
    (0 to 1) and `score` (the model's, higher is surer).
    """
    errors = [row for row in rows if not row["exact"]]
    return sorted(errors, key=lambda row: (row["f1"], -row["score"]))[:limit]


def write_errors(
    path: Path | str, rows: Sequence[Mapping[str, Any]], limit: int = 100
) -> None:
    """Write one HTML page with counts of all errors and the `limit` worst of them.

    Besides the keys of `worst_errors`, rows have `start` and `end`, the character
    offsets of the prediction in the context, and `answer_starts`, those of `answers`.
    Offsets that do not fit the context leave no mark. The file is whole or absent.
    """
    errors = worst_errors(rows)
    counts = Counter(error_kind(row) for row in errors)
    table = "".join(
        f"<tr><td>{kind}</td><td>{counts[kind]}</td></tr>" for kind in KINDS
    )
    shown = errors[:limit]
    page = [
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8">',
        f"<title>Worst errors</title><style>{STYLE}</style></head><body>",
        "<h1>Worst errors</h1>",
        f"<p>{len(errors)} of {len(rows)} answers are not an exact match.</p>",
        f"<table>{table}</table>",
        f"<p class='facts'>The {len(shown)} worst follow. Marks: ",
        "<span class='gold'>gold answer</span>, ",
        "<span class='predicted'>prediction</span>.</p>",
        *map(_article, shown),
        "</body></html>",
    ]
    write_text(Path(path), "\n".join(page))


def _article(row: Mapping[str, Any]) -> str:
    """Return one error as HTML."""
    answers = " | ".join(dict.fromkeys(row["answers"])) or "(no answer)"
    facts = f"{error_kind(row)} · F1 {row['f1']:.2f} · score {row['score']:.3f}"
    return (
        f"<article><h2>{escape(row['question'])}</h2>"
        f"<p class='facts'>{facts} · {escape(str(row['id']))}</p>"
        f"<p>{_marked_passage(row)}</p>"
        f"<p>Gold: <span class='gold'>{escape(answers)}</span><br>Predicted: "
        f"<span class='predicted'>{escape(row['prediction'] or '(no answer)')}</span>"
        "</p></article>"
    )


def _marks(row: Mapping[str, Any]) -> list[tuple[int, int, str]]:
    """Return (start, end, CSS class) of the spans that fit the context."""
    context, marks = row["context"], []
    for text, start in zip(row["answers"], row["answer_starts"], strict=False):
        if start is None or start < 0:  # it could not be placed
            continue
        if text and context[start : start + len(text)] == text:
            marks.append((start, start + len(text), "gold"))
    start, end = row["start"], row["end"]
    if row["prediction"] and start is not None and 0 <= start < end <= len(context):
        marks.append((start, end, "predicted"))
    return marks


def _marked_passage(row: Mapping[str, Any]) -> str:
    """Return the context as HTML, marked, and cut where it is far from every mark."""
    context, marks = row["context"], _marks(row)
    near = [
        (
            max(0, start - CONTEXT_CHARACTERS),
            min(len(context), end + CONTEXT_CHARACTERS),
        )
        for start, end, _ in marks
    ] or [(0, min(len(context), 2 * CONTEXT_CHARACTERS))]
    spans = [(start, end) for start, end, _ in marks] + near
    edges = sorted({0, len(context), *(edge for span in spans for edge in span)})
    pieces: list[str] = []
    for start, end in itertools.pairwise(edges):
        if not any(left <= start and end <= right for left, right in near):
            pieces.append(" … ")
            continue
        classes = {
            name for left, right, name in marks if left <= start and end <= right
        }
        text = escape(context[start:end])
        names = " ".join(sorted(classes))
        pieces.append(f"<span class='{names}'>{text}</span>" if classes else text)
    return "".join(pieces)
