"""Precision, recall and F1 of exact matches, for each step and for triplets."""

import itertools
from collections.abc import Hashable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

from .aspects import Example

MONITOR = "score"  # F1 of triplets, or of pairs: the figure that picks the best model
REPORTED = ("score", "aspect_f1", "pair_f1")  # the figures shown after each epoch

GRID = np.arange(5, 100, 5) / 100  # thresholds that are tried
Items = dict[str, AbstractSet[Hashable]]


def gold_items(example: Example) -> Items:
    """Return the sets of a text that predictions are compared with.

    aspect: places, None for an implicit one; pair: with the polarity; opinion: place
    of aspect and opinion; triplet: with the polarity of that.
    """
    judged = [(x, opinion) for x in example.aspects for opinion in x.opinions or ()]
    return {
        "aspect": {x.place for x in example.aspects},
        "pair": {(x.place, name) for x in example.aspects for name in x.polarities},
        "opinion": {(x.place, (each.start, each.end)) for x, each in judged},
        "triplet": {(x.place, (y.start, y.end), y.polarity) for x, y in judged},
    }


def found_items(aspects: Sequence[dict[str, Any]]) -> Items:
    """Return the same sets of predicted aspects."""

    def place(item: dict[str, Any]) -> tuple[int, int] | None:
        return None if item["start"] is None else (item["start"], item["end"])

    judged = [(place(x), opinion) for x in aspects for opinion in x["opinions"]]
    return {
        "aspect": {place(x) for x in aspects},
        "pair": {(place(x), x["polarity"]) for x in aspects},
        "opinion": {(aspect, place(each)) for aspect, each in judged},
        "triplet": {(aspect, place(each), each["polarity"]) for aspect, each in judged},
    }


def exact_scores(
    gold: Sequence[Items], found: Sequence[Items], kind: str, name: str = ""
) -> dict[str, float]:
    """Return precision, recall and F1 in percent over all texts together.

    `kind` picks the set of each text, `name` begins the figures' names. Only what is in
    both sets is right. 0 / 0 counts as 0, as in scikit-learn's micro average.
    """
    pairs = [(g[kind], f[kind]) for g, f in zip(gold, found, strict=True)]
    right = sum(len(wanted & given) for wanted, given in pairs)
    wanted = sum(len(wanted) for wanted, _ in pairs)
    given = sum(len(given) for _, given in pairs)
    return {
        f"{name or kind}_precision": percent(right, given),
        f"{name or kind}_recall": percent(right, wanted),
        f"{name or kind}_f1": percent(2 * right, given + wanted),
    }


def polarity_accuracy(
    examples: Sequence[Example], given: Sequence[Sequence[dict[str, Any]]]
) -> float:
    """Return how often, in percent, the polarity of a gold aspect is right.

    `given` are the aspects of `examples` as step 2 sees them, in the same order. Those
    whose annotations disagree do not count.
    """
    right = [
        aspect.polarities == (answer["polarity"],)
        for example, answers in zip(examples, given, strict=True)
        for aspect, answer in zip(example.aspects, answers, strict=True)
        if len(aspect.polarities) == 1
    ]
    return percent(sum(right), len(right))


def percent(part: float, whole: float) -> float:
    """Return a share in percent, 0 of nothing."""
    return 100.0 * part / whole if whole else 0.0


def best_thresholds(
    scores: Sequence[tuple[float, float]], right: Sequence[bool], wanted: int
) -> tuple[float, float]:
    """Return the two thresholds of GRID under which what is left has the best F1.

    Each item has two scores, `right` says whether it is a gold one, of which there are
    `wanted`. An item is left where both scores reach their threshold. Of equally good
    ones those nearest to 0.5 win.
    """
    array = np.array(scores, "float64").reshape(-1, 2)
    hits = np.array(right, "float64")
    best, chosen = -1.0, (0.5, 0.5)
    for pair in sorted(itertools.product(GRID.tolist(), repeat=2), key=distance):
        left = (array >= pair).all(axis=1)
        f1 = percent(2 * hits[left].sum(), left.sum() + wanted)
        if f1 > best:
            best, chosen = f1, pair
    return chosen


def distance(thresholds: Sequence[float]) -> float:
    """Return how far thresholds are from the middle."""
    return round(sum(abs(each - 0.5) for each in thresholds), 6)
