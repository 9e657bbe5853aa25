"""What was taken for what, as a table and as a picture."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .atomic import atomically
from .runs import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LARGEST = 40.0  # inches of a picture's side
MOST_NUMBERS = 2500  # more would be too small to read, and slow to draw


def write_matrix(path: Path, matrix: np.ndarray, labels: Sequence[str]) -> None:
    """Write a confusion matrix: rows are the gold labels, columns the predicted."""
    rows: list[list[Any]] = [["gold \\ predicted", *labels]]
    rows += [[name, *row] for name, row in zip(labels, matrix.tolist(), strict=True)]
    write_rows(path, rows)


def write_counts(
    path: Path, gold: np.ndarray, predicted: np.ndarray, labels: Sequence[str]
) -> None:
    """Write how often each of several labels was given rightly and wrongly.

    Both arrays are bool, (examples, labels).
    """
    columns = {
        "true positive": gold & predicted,
        "false positive": ~gold & predicted,
        "false negative": gold & ~predicted,
        "true negative": ~gold & ~predicted,
    }
    counts = np.stack([cells.sum(axis=0) for cells in columns.values()], axis=1)
    rows: list[list[Any]] = [["label", *columns]]
    rows += [[name, *row] for name, row in zip(labels, counts.tolist(), strict=True)]
    write_rows(path, rows)


def write_rows(path: Path, rows: Sequence[Sequence[Any]]) -> None:
    """Write a CSV file so that it is whole or absent."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(path, text.getvalue().removesuffix("\n"))


def draw_matrix(path: Path, matrix: np.ndarray, labels: Sequence[str]) -> list[str]:
    """Draw a confusion matrix where matplotlib is installed; return the file's name.

    Numbers are examples; the colour is their share of the row, so the diagonal's is
    recall. Labels that no font here can draw are numbered, as in the table.
    """
    figure = new_figure(min(LARGEST, 3.0 + len(labels) * cell_size(len(labels))))
    if figure is None:
        return []
    shares = matrix / np.maximum(1, matrix.sum(axis=1, keepdims=True))
    size = 10.0 if len(labels) <= 12 else 6.0
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    axes.set(xlabel="predicted", ylabel="gold")
    ticks = range(len(labels))
    names = tick_names(labels)
    axes.set_xticks(ticks, names, fontsize=size, rotation=90)
    axes.set_yticks(ticks, names, fontsize=size)
    cells = np.argwhere(matrix)
    for row, column in cells if len(cells) <= MOST_NUMBERS else ():
        color = "white" if shares[row, column] > 0.6 else "black"
        digits = str(matrix[row, column])
        small = size * min(1.0, 4.0 / len(digits)) * (1.0 if size > 6 else 0.75)
        style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": small}
        axes.text(column, row, digits, color=color, **style)
    return save(figure, path)


def cell_size(count: int) -> float:
    """Return the inches of a cell of a matrix of so many labels."""
    return 0.45 if count <= 12 else 0.17


def draw_scatter(
    path: Path, gold: Sequence[float], predicted: Sequence[float]
) -> list[str]:
    """Draw predicted over gold numbers where matplotlib is installed."""
    figure = new_figure(5.0)
    if figure is None:
        return []
    axes = figure.subplots()
    axes.scatter(gold, predicted, s=12, alpha=0.5)
    ends = (min(*gold, *predicted), max(*gold, *predicted))
    axes.plot(ends, ends, color="gray", linewidth=1)
    axes.set(xlabel="gold", ylabel="predicted")
    axes.grid(alpha=0.3)
    return save(figure, path)


def new_figure(side: float) -> "Figure | None":
    """Return an empty square figure, None where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return None
    return Figure(figsize=(side, side), layout="constrained")


def tick_names(labels: Sequence[str]) -> list[str]:
    """Return what labels are called in a picture; makes matplotlib find the fonts."""
    from matplotlib import font_manager, rcParams

    # matplotlib's own font has no Chinese, Japanese and Korean characters.
    fonts = {font.name for font in font_manager.fontManager.ttflist}
    eastern = sorted(name for name in fonts if "CJK" in name or "WenQuanYi" in name)
    rcParams["font.sans-serif"] = ["DejaVu Sans", *eastern[:1]]
    if not eastern and any(name and max(name) >= "\u2e80" for name in labels):
        return [str(number) for number, _ in enumerate(labels, start=1)]
    names = (name if len(name) <= 40 else f"{name[:39]}…" for name in labels)
    return [name.replace("$", r"\$") for name in names]  # no formulas


def save(figure: "Figure", path: Path) -> list[str]:
    """Write a picture so that it is whole or absent, and return its name."""
    with atomically(path) as unfinished:
        figure.savefig(unfinished, dpi=120, bbox_inches="tight")
    return [path.name]
