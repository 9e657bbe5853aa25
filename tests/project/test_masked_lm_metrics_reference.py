"""The scores of masked-lm are those of scikit-learn, on random and extreme cases."""

from __future__ import annotations

import math

import numpy as np
import pytest

from .conftest import make_load, make_project

metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory):
    """The module `metrics` of a generated project."""
    folder = tmp_path_factory.mktemp("metrics")
    return make_load(make_project(folder, "masked-lm"))("metrics")


@pytest.mark.parametrize("seed", range(20))
def test_mlm_scores(scores, seed: int) -> None:
    """Accuracy and mean cross-entropy, from nearly certain to nearly flat."""
    random = np.random.default_rng(seed)
    size, count = int(random.integers(2, 50)), int(random.integers(1, 300))
    logits = random.normal(0, 10.0 ** random.integers(-2, 2), (count, size))
    expected = random.integers(0, size, count)
    shifted = logits - logits.max(1, keepdims=True)
    chances = np.exp(shifted) / np.exp(shifted).sum(1, keepdims=True)
    chances = np.clip(chances, 1e-15, None)
    chances /= chances.sum(1, keepdims=True)
    found = scores.mlm_scores(
        -np.log(chances[np.arange(count), expected]),
        chances.argmax(1) == expected,
    )
    loss = metrics.log_loss(expected, chances, labels=range(size))
    accuracy = metrics.accuracy_score(expected, chances.argmax(1))
    assert found["mlm_loss"] == pytest.approx(loss, rel=1e-9)
    assert found["perplexity"] == pytest.approx(math.exp(loss), rel=1e-9)
    assert found["mlm_accuracy"] == pytest.approx(100 * accuracy)
    labels, guesses = expected % 2, chances.argmax(1) % 2
    found = scores.order_scores(labels.tolist(), guesses.tolist())
    accuracy = metrics.accuracy_score(labels, guesses)
    assert found == {"order_accuracy": pytest.approx(100 * accuracy), "pairs": count}
