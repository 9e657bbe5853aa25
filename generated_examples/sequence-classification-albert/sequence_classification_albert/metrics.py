"""What the field reports of classification, equal to scikit-learn and SciPy.

Figures are in percent, correlations too, but for `mse`. Where a figure would divide by
zero it is 0: precision, recall and F1 of a class that nothing is counted for
(scikit-learn's `zero_division=0`), Matthews' coefficient (as there), and correlations
with something constant (SciPy says NaN).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

# The figure that picks the best model: `score` is what `FIGURES[kind][0]` is, unless
# the settings say another.
MONITOR = "score"
FIGURES = {
    "single": ("accuracy", "macro_f1", "micro_f1", "matthews"),
    "multi": ("micro_f1", "macro_f1", "exact_match"),
    "regression": ("spearman", "pearson"),
}
# The figures shown after each epoch, where there are such.
REPORTED = ("score", "accuracy", "exact_match", "micro_f1", "macro_f1", "matthews")
REPORTED += ("pearson", "spearman")


def classification_scores(
    gold: np.ndarray, predicted: np.ndarray, labels: Sequence[str]
) -> dict[str, Any]:
    """Return the scores of one label a text; both arrays are numbers of labels.

    `macro_f1` is the mean over all labels that the model knows: one that is neither
    in `gold` nor predicted counts 0, as with scikit-learn's `labels=`. `micro_f1` is
    the accuracy. Of two labels, `f1` is that of the second one, `f1_of`.
    """
    matrix = confusion_matrix(gold, predicted, len(labels))
    right, found = np.diag(matrix), matrix.sum(axis=0)
    classes = class_scores(right, found, matrix.sum(axis=1), labels)
    scores: dict[str, Any] = {
        "total": len(gold),
        "accuracy": 100.0 * ratio(right.sum(), len(gold)),
        "macro_f1": mean_f1(classes),
        "micro_f1": 100.0 * ratio(right.sum(), len(gold)),
        "matthews": 100.0 * matthews(matrix),
    }
    if len(labels) == 2:
        scores |= {"f1": classes[labels[1]]["f1"], "f1_of": labels[1]}
    return scores | {"per_class": classes}


def multi_label_scores(
    gold: np.ndarray, predicted: np.ndarray, labels: Sequence[str]
) -> dict[str, Any]:
    """Return the scores of several labels a text; bool (examples, labels) both.

    `exact_match` is the share of examples with just the right labels.
    """
    right, found = np.sum(gold & predicted, axis=0), np.sum(predicted, axis=0)
    classes = class_scores(right, found, np.sum(gold, axis=0), labels)
    micro = f1(int(right.sum()), int(found.sum()), int(gold.sum()))
    return {
        "total": len(gold),
        "exact_match": 100.0
        * ratio(np.sum((gold == predicted).all(axis=1)), len(gold)),
        "micro_f1": 100.0 * micro,
        "macro_f1": mean_f1(classes),
        "per_class": classes,
    }


def regression_scores(gold: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """Return both correlations and the mean squared error of numbers."""
    return {
        "total": len(gold),
        "pearson": 100.0 * pearson(gold, predicted),
        "spearman": 100.0 * pearson(ranks(gold), ranks(predicted)),
        "mse": float(np.mean((gold - predicted) ** 2)),
    }


def confusion_matrix(gold: np.ndarray, predicted: np.ndarray, count: int) -> np.ndarray:
    """Return how often each label (rows) was taken for each (columns)."""
    cells = np.bincount(gold * count + predicted, minlength=count * count)
    return cells.reshape(count, count)


def class_scores(
    right: np.ndarray, found: np.ndarray, there: np.ndarray, labels: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return precision, recall, F1 and support (examples) of each label.

    Of each, `right` of the `found` ones are among those that are `there`.
    """
    return {
        name: {
            "precision": 100.0 * ratio(hits, predictions),
            "recall": 100.0 * ratio(hits, examples),
            "f1": 100.0 * f1(hits, predictions, examples),
            "support": examples,
        }
        for name, hits, predictions, examples in zip(
            labels, right.tolist(), found.tolist(), there.tolist(), strict=True
        )
    }


def mean_f1(classes: dict[str, dict[str, float]]) -> float:
    """Return the mean F1 of all classes."""
    return float(np.mean([each["f1"] for each in classes.values()]))


def f1(right: int, found: int, there: int) -> float:
    """Return the harmonic mean of precision and recall, 0 to 1."""
    return ratio(2 * right, found + there)


def ratio(part: float, whole: float) -> float:
    """Return a quotient; 0 where there is nothing to divide by."""
    return float(part / whole) if whole else 0.0


def matthews(matrix: np.ndarray) -> float:
    """Return Matthews' correlation of any number of classes (Gorodkin, 2004)."""
    gold, found = matrix.sum(axis=1, dtype=float), matrix.sum(axis=0, dtype=float)
    total = gold.sum()
    covariance = np.trace(matrix) * total - gold @ found
    spread = (total**2 - found @ found) * (total**2 - gold @ gold)
    return ratio(covariance, float(np.sqrt(spread)))


def pearson(first: np.ndarray, second: np.ndarray) -> float:
    """Return the correlation of two series, -1 to 1."""
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    first, second = first - first.mean(), second - second.mean()
    first, second = first / np.linalg.norm(first), second / np.linalg.norm(second)
    return float(np.clip(first @ second, -1.0, 1.0))


def ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank of each value, from 1; equal values share their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[place]


def best_threshold(gold: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the threshold of best micro F1, for (examples, labels) both.

    A label is given where its probability is at least the threshold, which lies half
    way to the next lower probability. Of equally good ones it is the one nearest to
    0.5; 0.5 where no label applies anywhere.
    """
    order = np.argsort(-probabilities, axis=None, kind="stable")
    values = probabilities.ravel()[order]
    right = np.cumsum(gold.ravel()[order])
    scores = 2 * right / (np.arange(1, len(values) + 1) + gold.sum())
    following = np.append(values[1:], 0.0)
    possible = values > following  # no threshold tells equal probabilities apart
    if not gold.any() or not possible.any():
        return 0.5
    best = possible & (scores >= scores[possible].max() - 1e-12)
    middles = ((values + following) / 2)[best]
    return float(middles[np.argmin(np.abs(middles - 0.5))])
