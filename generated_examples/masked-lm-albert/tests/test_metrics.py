"""Accuracy, loss and perplexity on small cases worked out by hand."""

import math

import pytest

from masked_lm_albert import metrics


def test_mlm_scores():
    """Probabilities 1/2 and 1/8: their geometric mean is 1/4, the perplexity 4."""
    scores = metrics.mlm_scores([math.log(2), math.log(8)], [True, False])
    assert scores == {
        "mlm_accuracy": 50.0,
        "mlm_loss": pytest.approx(math.log(4)),
        "perplexity": pytest.approx(4.0),
        "masked": 2,
    }


def test_a_model_that_knows_nothing():
    """With equal chances, the perplexity is the size of the vocabulary."""
    scores = metrics.mlm_scores([math.log(8000)] * 5, [False] * 5)
    assert scores["perplexity"] == pytest.approx(8000)


def test_hopeless_losses_are_finite():
    """A perplexity beyond all numbers stays a number."""
    assert math.isfinite(metrics.mlm_scores([5000.0], [False])["perplexity"])


def test_nothing_to_score():
    """Without a mask or a pair there are no figures to be wrong about."""
    assert metrics.mlm_scores([], []) == {"mlm_accuracy": 0.0, "masked": 0}
    assert metrics.order_scores([], []) == {}


def test_order_scores():
    """Three of four labels are right."""
    scores = metrics.order_scores([0, 1, 1, 0], [0, 1, 0, 0])
    assert scores == {"order_accuracy": 75.0, "pairs": 4}
