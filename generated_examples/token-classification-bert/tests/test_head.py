"""Softmax: each word by itself, padding aside."""

import numpy as np
import pytest

from token_classification_bert import (
    head,
)

LABELS = np.array([[2, 0, 1, -1], [1, -1, -1, -1]], "int32")


def make_logits():
    """Return scores of two rows of words, three labels."""
    return np.random.default_rng(0).normal(0, 3, (2, 4, 3)).astype("float32")


def softmax(logits):
    """Return probabilities along the last axis, float64."""
    exponents = np.exp(logits.astype("float64"))
    return exponents / exponents.sum(-1, keepdims=True)


def test_loss_is_the_mean_over_words():
    """The four words count the same, and padding not at all."""
    logits = make_logits()
    probabilities = softmax(logits)
    words = [(0, 0, 2), (0, 1, 0), (0, 2, 1), (1, 0, 1)]
    expected = -np.mean([np.log(probabilities[place]) for place in words])
    found = head.make_loss(None)(LABELS, logits)
    assert float(found) == pytest.approx(expected, rel=1e-6)
    logits[1, 2] = 100.0
    assert float(head.make_loss(None)(LABELS, logits)) == pytest.approx(expected)


def test_no_words():
    """A batch of padding has a loss of 0, not of 0 / 0."""
    assert float(head.make_loss(None)(np.full((2, 4), -1), make_logits())) == 0.0


def test_decoding():
    """The best label of each word, and the probabilities of all."""
    logits = make_logits()[0]
    labels, probabilities = head.decode(logits, {})
    np.testing.assert_array_equal(labels, logits.argmax(-1))
    np.testing.assert_allclose(probabilities, softmax(logits), atol=1e-12)
    shifted = head.decode(logits + 1000.0, {})[1]
    np.testing.assert_allclose(shifted, probabilities, atol=1e-3)


def test_export_decodes():
    """The graph of an export gives the same labels, -1 for padding."""
    logits = make_logits()
    positions = np.array([[1, 2, 4, 0], [3, 0, 0, 0]], "int32")
    found = np.asarray(head.serving_outputs({"logits": logits}, positions)["labels"])
    expected = np.where(positions > 0, logits.argmax(-1), -1)
    np.testing.assert_array_equal(found, expected)
