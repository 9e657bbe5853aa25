"""Precision, recall and F1 on small cases worked out by hand."""

import itertools

import numpy as np
import pytest

from aspect_sentiment_bert import metrics
from aspect_sentiment_bert.aspects import (
    Aspect,
    Example,
    Opinion,
)

COLD = Opinion("cold", 13, 17, "negative")
GOOD = Opinion("good", 22, 26, "positive")
SOUP = Aspect("soup", 4, 8, ("negative", "positive"), (COLD, GOOD))
WHOLE = Aspect(None, None, None, ("negative",), (COLD,))
EXAMPLE = Example("a", "The soup was cold and good.", (SOUP, WHOLE), "here")


def aspect(start, end, polarity, *opinions):
    """Return a predicted aspect; an opinion is (start, end, polarity)."""
    names = ("start", "end", "polarity")
    inner = [dict(zip(names, each, strict=True)) for each in opinions]
    return {"start": start, "end": end, "polarity": polarity, "opinions": inner}


def test_items():
    """An implicit aspect is one by itself; each polarity is a pair of its own."""
    gold = metrics.gold_items(EXAMPLE)
    assert gold["aspect"] == {(4, 8), None}
    assert gold["pair"] == {
        ((4, 8), "negative"),
        ((4, 8), "positive"),
        (None, "negative"),
    }
    assert gold["opinion"] == {
        ((4, 8), (13, 17)),
        ((4, 8), (22, 26)),
        (None, (13, 17)),
    }
    assert gold["triplet"] == {
        ((4, 8), (13, 17), "negative"),
        ((4, 8), (22, 26), "positive"),
        (None, (13, 17), "negative"),
    }
    found = metrics.found_items(
        [
            aspect(4, 8, "negative", (13, 17, "negative"), (22, 26, "positive")),
            aspect(None, None, "negative", (13, 17, "negative")),
        ]
    )
    assert found == {**gold, "pair": gold["pair"] - {((4, 8), "positive")}}


def test_only_exact_matches_count():
    """An end that is off by one, a polarity or an aspect that differs is an error."""
    gold = [metrics.gold_items(EXAMPLE)]
    found = [
        metrics.found_items(
            [
                aspect(4, 8, "neutral", (13, 18, "negative"), (22, 26, "negative")),
                aspect(None, None, "negative", (13, 17, "negative")),
                aspect(0, 3, "negative", (13, 17, "negative")),
            ]
        )
    ]
    assert metrics.exact_scores(gold, found, "aspect") == pytest.approx(
        {"aspect_precision": 200 / 3, "aspect_recall": 100.0, "aspect_f1": 80.0}
    )
    pairs = metrics.exact_scores(gold, found, "pair")
    assert pairs["pair_f1"] == pytest.approx(100 / 3)
    scores = metrics.exact_scores(gold, found, "opinion", "given")
    assert scores["given_precision"] == pytest.approx(50.0)
    assert scores["given_recall"] == pytest.approx(200 / 3)
    assert metrics.exact_scores(gold, found, "triplet")["triplet_f1"] == pytest.approx(
        100 * 2 / 7
    )


def test_nothing_found_or_wanted_is_zero():
    """0 / 0 is 0; texts count together, not each by itself."""
    nothing = metrics.found_items([])
    gold = metrics.gold_items(EXAMPLE)
    assert set(metrics.exact_scores([gold], [nothing], "aspect").values()) == {0.0}
    assert set(metrics.exact_scores([nothing], [nothing], "pair").values()) == {0.0}
    both = metrics.exact_scores([gold, nothing], [gold, gold], "triplet")
    assert both["triplet_precision"] == 50.0 and both["triplet_recall"] == 100.0


def test_accuracy_of_given_aspects():
    """Aspects whose annotations disagree do not count."""
    answers = [aspect(4, 8, "negative"), aspect(None, None, "negative")]
    assert metrics.polarity_accuracy([EXAMPLE], [answers]) == 100.0
    answers[1]["polarity"] = "positive"
    assert metrics.polarity_accuracy([EXAMPLE], [answers]) == 0.0


def test_best_thresholds_are_the_best():
    """No other two thresholds of the grid give a higher F1."""
    random = np.random.default_rng(3)
    right = random.random(200) < 0.4
    means = np.where(right, 0.6, 0.4)[:, None]
    scores = np.clip(random.normal(means, 0.2, (200, 2)), 0, 1)

    def f1(first, second):
        left = (scores[:, 0] >= first) & (scores[:, 1] >= second)
        return 200 * (left & right).sum() / (left.sum() + 90)

    chosen = metrics.best_thresholds([*map(tuple, scores)], right.tolist(), 90)
    assert set(chosen) <= set(metrics.GRID.tolist())
    grid = itertools.product(metrics.GRID, repeat=2)
    assert f1(*chosen) == pytest.approx(max(f1(*pair) for pair in grid))
    assert f1(*chosen) > f1(0.05, 0.05) + 5


def test_thresholds_that_make_no_difference_stay_in_the_middle():
    """With nothing to choose by, both are 0.5."""
    assert metrics.best_thresholds([], [], 3) == (0.5, 0.5)
    assert metrics.best_thresholds([(0.9, 1.0)], [True], 1) == (0.5, 0.5)
    assert metrics.best_thresholds([(0.2, 1.0)], [True], 1) == (0.2, 0.5)
