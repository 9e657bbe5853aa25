"""A page of the worst errors: the ones that the model was surest of."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import TrainConfig
from .labels import as_label, names_in, shown
from .runs import write_text

if TYPE_CHECKING:
    from .dataset import Example

STYLE = """
body { font: 16px/1.6 system-ui, sans-serif; color: #222; max-width: 46em;
       margin: 2em auto; padding: 0 1em; }
article { border-top: 1px solid #ddd; padding: 0.6em 0 1em; }
.gold { background: #cdeccd; }
.predicted { color: #b00020; border-bottom: 2px solid #b00020; }
.facts { color: #666; font-size: 0.9em; }
td, th { padding-right: 1.5em; text-align: left; font-weight: normal; }
td.number { text-align: right; }
"""


def write_errors(
    path: Path,
    examples: Sequence["Example"],
    predictions: Sequence[Mapping[str, Any]],
    scores: Mapping[str, Any],
    config: TrainConfig,
    limit: int = 100,
) -> None:
    """Write one HTML page: the figures, what was taken for what, the worst errors.

    Each example has a label. Worst is where the model was surest; of numbers, where
    the difference is largest. The file is whole or absent.
    """
    rows = [
        (wrongness(example, prediction, config), example, prediction)
        for example, prediction in zip(examples, predictions, strict=True)
    ]
    rows = [row for row in rows if row[0] > 0]
    rows.sort(key=lambda row: -row[0])
    figures = [
        f"{name} {value:.2f}" for name, value in scores.items() if is_figure(value)
    ]
    page = [
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8">',
        f"<title>Worst errors</title><style>{STYLE}</style></head><body>",
        "<h1>Worst errors</h1>",
        f"<p>{len(rows)} of {len(examples)} are not right. {', '.join(figures)}.</p>",
        *frequent_errors(rows, config),
        *class_table(scores),
        f"<p class='facts'>The {len(rows[:limit])} worst follow. Marks: ",
        "<span class='gold'>gold label</span>, ",
        "<span class='predicted'>prediction</span>.</p>",
        *(article(*row) for row in rows[:limit]),
        "</body></html>",
    ]
    write_text(path, "\n".join(page))


def wrongness(
    example: "Example", prediction: Mapping[str, Any], config: TrainConfig
) -> float:
    """Return how wrong a prediction is; 0 where it is right.

    The probability that went to a wrong label, or did not go to a right one; of
    numbers, the difference.
    """
    if config.kind == "regression":
        return abs(prediction["label"] - float(str(example.label)))
    gold, found = names_in(example.label), prediction["label"]
    if config.kind == "single":
        return 0.0 if found in gold else prediction["scores"][found]
    scores = prediction["scores"]
    wrong = [scores[name] for name in found if name not in gold]
    missed = [1.0 - scores[name] for name in gold if name not in found]
    return max([*wrong, *missed], default=0.0)


def is_figure(value: Any) -> bool:
    """Return whether a score is a number to be shown with decimals."""
    return isinstance(value, float)


def frequent_errors(
    rows: Sequence[tuple[float, "Example", Mapping[str, Any]]], config: TrainConfig
) -> list[str]:
    """Return a table of the most frequent pairs of gold label and prediction."""
    if config.kind == "regression" or not rows:
        return []
    counts = Counter(
        (shown(example.label), shown(as_label(prediction["label"])))
        for _, example, prediction in rows
    )
    cells = [
        f"<tr><td class='number'>{count}</td><td>{escape(gold)}</td>"
        f"<td>{escape(found)}</td></tr>"
        for (gold, found), count in counts.most_common(10)
    ]
    head = "<tr><th>errors</th><th>gold label</th><th>prediction</th></tr>"
    return ["<h2>Most frequent</h2>", f"<table>{head}{''.join(cells)}</table>"]


def class_table(scores: Mapping[str, Any]) -> list[str]:
    """Return the table of all classes, the worst first."""
    classes = scores.get("per_class", {})
    names = ("precision", "recall", "f1")
    lines = [
        f"<tr><td>{escape(name)}</td>"
        + "".join(f"<td class='number'>{row[each]:.1f}</td>" for each in names)
        + f"<td class='number'>{row['support']}</td></tr>"
        for name, row in sorted(classes.items(), key=lambda item: item[1]["f1"])
    ]
    if not lines:
        return []
    head = "".join(f"<th>{name}</th>" for name in ("label", *names, "examples"))
    return ["<h2>Labels</h2>", f"<table><tr>{head}</tr>{''.join(lines)}</table>"]


def article(wrong: float, example: "Example", prediction: Mapping[str, Any]) -> str:
    """Return one error as HTML."""
    found = prediction["label"]
    text = f"{found:.3f}" if isinstance(found, float) else shown(as_label(found))
    best = list(prediction.get("scores", {}).items())[:3]
    facts = ", ".join(f"{name} {score:.0%}" for name, score in best)
    facts = facts or f"difference {wrong:.3f}"
    pair = f"<p>{escape(example.pair)}</p>" if example.pair is not None else ""
    return (
        f"<article><p>{escape(example.text)}</p>{pair}"
        f"<p>Gold: <span class='gold'>{escape(shown(example.label))}</span><br>"
        f"Predicted: <span class='predicted'>{escape(text)}</span></p>"
        f"<p class='facts'>{escape(facts)} · {escape(example.id)}</p></article>"
    )
