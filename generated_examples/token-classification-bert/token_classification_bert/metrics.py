"""Precision, recall and F1 of entities, as seqeval and conlleval report them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from . import schemes

MONITOR = "f1"  # the figure that picks the best model
REPORTED = ("f1", "accuracy")  # the figures shown after each epoch

Rows = Sequence[Sequence[str]]  # for each sentence, the label of each word


def evaluate_labels(golds: Rows, predictions: Rows, scheme: str) -> dict[str, Any]:
    """Return the figures of predicted labels, in percent but for the counts.

    With a scheme ("iob2" or "bioes") `f1`, `precision` and `recall` count entities
    over all sentences: one is right where type, first and last word are. They read
    tags as seqeval does by default and conlleval does, so that an I- without a B-
    begins an entity; `strict_*` count what is written by the scheme's rules alone, as
    seqeval does with `mode="strict"`. `accuracy` counts words, `per_type` has the
    figures and the number of gold entities of each type.

    With the scheme "none" each word's label counts as an entity of its own: `f1` is
    then the accuracy, and `macro_f1` the mean over the labels.
    """
    words = sum(map(len, golds))
    right = sum(
        gold == predicted
        for row, other in zip(golds, predictions, strict=True)
        for gold, predicted in zip(row, other, strict=True)
    )
    accuracy = {"accuracy": 100.0 * right / words if words else 0.0, "words": words}
    if scheme == "none":
        counts = count_items(items_of_words(golds), items_of_words(predictions))
        table = per_type(counts)
        macro = sum(row["f1"] for row in table.values()) / max(1, len(table))
        figures = {"f1": accuracy["accuracy"], "macro_f1": macro}
        return {**figures, **accuracy, "rules": "each word", "per_type": table}
    counts = count_items(items_of_spans(golds), items_of_spans(predictions))
    strict = count_items(
        items_of_spans(golds, scheme), items_of_spans(predictions, scheme)
    )
    figures = scores(*sum_up(counts))
    return {
        **figures,
        **{f"strict_{name}": value for name, value in scores(*sum_up(strict)).items()},
        **accuracy,
        "entities": sum_up(counts)[2],
        "rules": f"seqeval's default; strict_*: its strict mode, {scheme.upper()}",
        "per_type": per_type(counts),
    }


Items = set[tuple[str, int, int, int]]  # type, sentence, first word, one past the last
Counts = tuple[Counter[str], Counter[str], Counter[str]]  # right, predicted, gold


def items_of_spans(rows: Rows, strict: str = "") -> Items:
    """Return the entities of all sentences, by a scheme's strict rules if given."""
    items: Items = set()
    for number, tags in enumerate(rows):
        found = schemes.strict_spans(tags, strict) if strict else schemes.spans(tags)
        items.update((span.label, number, span.start, span.stop) for span in found)
    return items


def items_of_words(rows: Rows) -> Items:
    """Return the labels of all words."""
    return {
        (label, number, index, index + 1)
        for number, labels in enumerate(rows)
        for index, label in enumerate(labels)
    }


def count_items(golds: Items, predictions: Items) -> Counts:
    """Return how many are right, predicted and gold, by type."""
    right, predicted, gold = (
        Counter(item[0] for item in items)
        for items in (golds & predictions, predictions, golds)
    )
    return right, predicted, gold


def sum_up(counts: Counts) -> tuple[int, int, int]:
    """Return the counts over all types."""
    right, predicted, gold = (counter.total() for counter in counts)
    return right, predicted, gold


def scores(right: int, predicted: int, gold: int) -> dict[str, float]:
    """Return F1, precision and recall in percent, 0 where there is nothing to count."""
    precision = 100.0 * right / predicted if predicted else 0.0
    recall = 100.0 * right / gold if gold else 0.0
    # The harmonic mean of the two.
    f1 = 200.0 * right / (predicted + gold) if right else 0.0
    return {"f1": f1, "precision": precision, "recall": recall}


def per_type(counts: Counts) -> dict[str, dict[str, float]]:
    """Return the scores of each type by name, with the number of gold ones."""
    return {
        label: {**scores(*(count[label] for count in counts)), "gold": counts[2][label]}
        for label in sorted(counts[1] | counts[2])
    }


def differences(gold: Iterable[Any], predicted: Iterable[Any]) -> tuple[list, list]:
    """Return what was missed, and what was found though it is not there, in order."""
    golds, found = list(gold), list(predicted)
    missed = [each for each in golds if each not in found]
    return missed, [each for each in found if each not in golds]
