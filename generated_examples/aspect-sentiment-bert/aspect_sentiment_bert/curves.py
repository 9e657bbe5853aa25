"""The scores and losses of a run's epochs: a table and a picture."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .atomic import atomically


def write_history(history: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write history.csv, a line for each epoch.

    The loss is the mean over the epoch; in an epoch that was cut off, over the part
    since it was resumed.
    """
    with (
        atomically(folder / "history.csv") as path,
        path.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, history[0].keys())
        writer.writeheader()
        writer.writerows(history)


def draw_curves(
    history: Sequence[dict[str, Any]],
    losses: Sequence[tuple[float, float]],
    folder: Path,
) -> None:
    """Draw curves.png where matplotlib is installed: it is an extra."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    names = [name for name in history[0] if name != "epoch" and "loss" not in name]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    loss, scores = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    loss.plot(*zip(*losses, strict=True), label="mean since the epoch began")
    loss.set(title="Training loss", xlabel="epochs done", ylim=(0, None))
    for name in names:
        label = name.removeprefix("val_")
        scores.plot(epochs, [row[name] for row in history], marker="o", label=label)
    scores.set(title="Scores on the validation files", xlabel="epoch")
    scores.set_xticks(epochs)
    for axes in (loss, scores):
        axes.grid(alpha=0.3)
        axes.legend()
    with atomically(folder / "curves.png") as path:
        figure.savefig(path, dpi=120)
