"""A page of the worst pairs: where the model's order departs most from the labels."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from .examples import Example
from .metrics import average_ranks
from .runs import write_text

STYLE = """
body { font: 16px/1.6 system-ui, sans-serif; color: #222; max-width: 60em;
       margin: 2em auto; padding: 0 1em; }
td, th { border-top: 1px solid #ddd; padding: 0.4em 1em 0.4em 0; text-align: left;
         vertical-align: top; }
.facts { color: #666; font-size: 0.9em; }
"""


def worst_scored(
    examples: Sequence[Example], predictions: Sequence[dict[str, Any]], limit: int
) -> list[tuple[float, Example, dict[str, Any]]]:
    """Return scored pairs with the difference of their places, the largest first.

    A place is a pair's part of the way from the least to the most alike, in percent:
    by the model less by the scores.
    """
    both = zip(examples, predictions, strict=True)
    pairs = [(e, p) for e, p in both if e.score is not None]
    if len(pairs) < 2:
        return []
    by_model = average_ranks(np.array([p["similarity"] for _, p in pairs]))
    by_score = average_ranks(np.array([e.score for e, _ in pairs]))
    moved = 100.0 * (by_model - by_score) / (len(pairs) - 1)
    order = np.argsort(-np.abs(moved), kind="stable")[:limit]
    return [(float(moved[i]), *pairs[i]) for i in order]


def worst_ranked(
    examples: Sequence[Example], predictions: Sequence[dict[str, Any]], limit: int
) -> list[tuple[Example, dict[str, Any]]]:
    """Return the pairs whose positive was not found first, the worst rank first."""
    both = zip(examples, predictions, strict=True)
    wrong = [(e, p) for e, p in both if p.get("rank", 1) > 1]
    return sorted(wrong, key=lambda pair: -pair[1]["rank"])[:limit]


def write_errors(
    path: Path,
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    limit: int = 100,
) -> None:
    """Write one HTML page of the worst pairs. The file is whole or absent."""
    page = [
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8">',
        f"<title>Worst pairs</title><style>{STYLE}</style></head><body>",
        f"<h1>Worst pairs</h1><p class='facts'>of {len(examples)} examples</p>",
    ]
    if scored := worst_scored(examples, predictions, limit):
        page += ["<h2>Held for too like (+) or too unlike (−)</h2><table>"]
        page.append("<tr><th>places moved</th><th>score</th><th>cosine</th></tr>")
        for moved, example, prediction in scored:
            cells = f"{moved:+.0f}%", f"{example.score:g}", pair_of(example)
            page.append(row(cells[0], cells[1], f"{prediction['similarity']:.3f}"))
            page[-1] += f"<tr><td colspan='3'>{cells[2]}</td></tr>"
        page.append("</table>")
    if ranked := worst_ranked(examples, predictions, limit):
        page += ["<h2>Not found first</h2><table>"]
        page.append("<tr><th>rank</th><th>cosine</th><th>nearest instead</th></tr>")
        for example, prediction in ranked:
            cosine = f"{prediction['similarity']:.3f}"
            page.append(row(str(prediction["rank"]), cosine, prediction["nearest"]))
            page[-1] += f"<tr><td colspan='3'>{pair_of(example)}</td></tr>"
        page.append("</table>")
    write_text(path, "\n".join([*page, "</body></html>"]))


def pair_of(example: Example) -> str:
    """Return both sentences and the id as HTML."""
    both = f"{escape(example.sentence)}<br>{escape(example.other or '')}"
    return f"{both}<br><span class='facts'>{escape(example.id)}</span>"


def row(*cells: str) -> str:
    """Return a line of a table."""
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
