"""A page of the masked tokens that the model found least likely."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from .runs import write_text

CONTEXT_CHARACTERS = 120  # shown on each side of a token
STYLE = """
body { font: 16px/1.6 system-ui, sans-serif; color: #222; max-width: 46em;
       margin: 2em auto; padding: 0 1em; }
article { border-top: 1px solid #ddd; padding: 0.4em 0; }
.masked { background: #cdeccd; }
.predicted { color: #b00020; }
.facts { color: #666; font-size: 0.9em; }
"""


def most_surprising(
    rows: Sequence[Mapping[str, Any]], limit: int | None = None
) -> list[Mapping[str, Any]]:
    """Return the rows in which another token was likelier, highest loss first."""
    wrong = [row for row in rows if row["token"] != row["expected"]]
    return sorted(wrong, key=lambda row: -row["loss"])[:limit]


def write_page(path: Path, rows: Sequence[Mapping[str, Any]], limit: int = 100) -> None:
    """Write one HTML page; the file is whole or absent.

    Each row has `id`, `context`, and of a masked token `start` and `end` in the
    context, `expected`, `loss`, `token` and `n_best`, as predictions have them.
    """
    wrong = most_surprising(rows)
    page = [
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8">',
        f"<title>Surprises</title><style>{STYLE}</style></head><body>",
        "<h1>Surprises</h1>",
        f"<p>{len(wrong)} of {len(rows)} masked tokens were not the likeliest. ",
        f"The {len(wrong[:limit])} least likely follow.</p>",
        *map(_article, wrong[:limit]),
        "</body></html>",
    ]
    write_text(path, "\n".join(page))


def _article(row: Mapping[str, Any]) -> str:
    """Return one token in its surroundings as HTML."""
    text, start, end = row["context"], row["start"], row["end"]
    before = text[max(0, start - CONTEXT_CHARACTERS) : start]
    after = text[end : end + CONTEXT_CHARACTERS]
    guesses = ", ".join(
        f"{escape(each['token'])} {each['score']:.0%}" for each in row["n_best"][:5]
    )
    return (
        f"<article><p>{escape(before)}<span class='masked'>{escape(text[start:end])}"
        f"</span>{escape(after)}<br>Likelier: <span class='predicted'>{guesses}</span>"
        f"</p><p class='facts'>{escape(row['expected'])} · loss {row['loss']:.2f} · "
        f"{escape(row['id'])}</p></article>"
    )
