"""The CRF against plain enumeration of all rows of labels, and its gradients."""

import itertools

import keras
import numpy as np
import pytest
from keras import layers

from token_classification_bert_crf import (
    head,
)

SIZES = list(itertools.product((2, 3, 4), (1, 2, 3, 4, 5, 6)))  # labels, words


def all_rows(logits, table):
    """Return every row of labels with its score, by the definition in head.py."""
    words, count = logits.shape
    start, end = table[count], table[count + 1]
    rows = list(itertools.product(range(count), repeat=words))
    scores = []
    for row in rows:
        score = start[row[0]] + end[row[-1]]
        score += sum(logits[place, label] for place, label in enumerate(row))
        score += sum(table[one, other] for one, other in itertools.pairwise(row))
        scores.append(score)
    return np.array(rows), np.array(scores)


def log_sum(scores):
    """Return the log of the sum of exponentials."""
    return scores.max() + np.log(np.exp(scores - scores.max()).sum())


def draw(count, words, seed=0):
    """Return random scores of words, and a random table that is not symmetric."""
    random = np.random.default_rng([count, words, seed])
    return random.normal(0, 2, (words, count)), random.normal(0, 2, (count + 2, count))


def make_model(count, table, logits):
    """Return a model whose word k has row k of `logits` as its scores."""
    ids = keras.Input((None,), dtype="int32", name="ids")
    positions = keras.Input((None,), dtype="int32", name="positions")
    scores = layers.Embedding(len(logits), count, name="scores")
    outputs = head.add_head(scores(ids), positions)
    model = keras.Model({"ids": ids, "positions": positions}, outputs)
    model.get_layer("scores").set_weights([logits])
    model.get_layer("crf_transitions").set_weights([table])
    return model


def make_batch(lengths, count, seed=0):
    """Return inputs and labels of rows of words, and their labels; padding is 0, -1."""
    random = np.random.default_rng(seed)
    width = max(lengths) + 2
    ids = np.zeros((len(lengths), width), "int32")
    labels = np.full((len(lengths), width), -1, "int32")
    total = 0
    for row, length in enumerate(lengths):
        ids[row, :length] = total + np.arange(length)
        labels[row, :length] = random.integers(0, count, length)
        total += length
    positions = np.where(labels >= 0, np.arange(1, width + 1), 0)
    return {"ids": ids, "positions": positions}, labels, total


def expected_loss(labels, logits, table):
    """Return the negative log-likelihood for each word, by enumeration."""
    total, first = 0.0, 0
    for row in labels:
        row = row[row >= 0]
        own = logits[first : first + len(row)]
        rows, scores = all_rows(own, table)
        (place,) = np.flatnonzero((rows == row).all(1))
        total += log_sum(scores) - scores[place]
        first += len(row)
    return total / first


@pytest.mark.parametrize("count", [2, 3, 4])
def test_loss(count):
    """Rows of all lengths, padded to one, have the likelihood of an enumeration."""
    lengths = (1, 6, 2, 5, 3, 4)
    inputs, labels, total = make_batch(lengths, count)
    logits, table = draw(count, total)
    model = make_model(count, table, logits)
    outputs = model.predict_on_batch(inputs)
    found = float(head.make_loss(model)(labels, outputs["logits"]))
    assert found == pytest.approx(expected_loss(labels, logits, table), abs=1e-5)
    np.testing.assert_allclose(outputs["transitions"][3], table, atol=1e-6)


@pytest.mark.parametrize(("count", "words"), SIZES)
def test_decoding(count, words):
    """The best row, and each label's probability, are those of all rows together."""
    logits, table = draw(count, words)
    rows, scores = all_rows(logits, table)
    best, probabilities = head.decode(logits, {"transitions": table})
    np.testing.assert_array_equal(best, rows[scores.argmax()])
    weights = np.exp(scores - log_sum(scores))
    for place, label in itertools.product(range(words), range(count)):
        expected = weights[rows[:, place] == label].sum()
        assert probabilities[place, label] == pytest.approx(expected, abs=1e-9)


def test_ties():
    """Of equally good rows, the same one comes from NumPy and from an export."""
    random = np.random.default_rng(5)
    for _ in range(12):
        logits = random.integers(0, 2, (4, 3)).astype("float32")
        table = random.integers(0, 2, (5, 3)).astype("float32")
        rows, scores = all_rows(logits, table)
        equal = rows[scores == scores.max()]
        best = head.best_row(logits, table)
        assert best.tolist() == min(equal.tolist(), key=lambda row: row[::-1])
        found = head.Viterbi()(logits[None], table[None], np.array([[1, 2, 3, 4]]))
        np.testing.assert_array_equal(np.asarray(found)[0], best)


def test_export_decodes():
    """The graph of an export finds the rows that NumPy finds; padding is -1."""
    lengths = (5, 1, 3, 7)
    inputs, _, total = make_batch(lengths, 4)
    logits, table = draw(4, total)
    model = make_model(4, table, logits)
    outputs = head.serving_outputs(model.output, model.input["positions"])
    found = keras.Model(model.input, outputs).predict_on_batch(inputs)["labels"]
    first = 0
    for row, length in zip(found, lengths, strict=True):
        best = head.best_row(logits[first : first + length], table)
        np.testing.assert_array_equal(row[:length], best)
        assert set(row[length:].tolist()) == {-1}
        first += length
    one = {name: array[1:2, :1] for name, array in inputs.items()}
    single = keras.Model(model.input, outputs).predict_on_batch(one)["labels"]
    assert single.tolist() == [[found[1, 0]]]


def test_gradients():
    """A step of gradient descent goes where finite differences of the loss point."""
    inputs, labels, total = make_batch((3, 1, 4), 3)
    logits, table = draw(3, total)
    model = make_model(3, table, logits)
    model.compile(keras.optimizers.SGD(1.0), loss={"logits": head.make_loss(model)})
    model.train_on_batch(inputs, {"logits": labels})
    for name, array in (("scores", logits), ("crf_transitions", table)):
        (moved,) = model.get_layer(name).get_weights()
        expected = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            sides = []
            for step in (1e-5, -1e-5):
                array[place] += step
                sides.append(expected_loss(labels, logits, table))
                array[place] -= step
            expected[place] = (sides[0] - sides[1]) / 2e-5
        np.testing.assert_allclose(array - moved, expected, atol=1e-5)


def test_a_row_without_words_costs_nothing():
    """Padding in place of a whole row leaves loss and likelihoods as they are."""
    inputs, labels, total = make_batch((2, 3), 3)
    logits, table = draw(3, total)
    model = make_model(3, table, logits)
    scores = model.predict_on_batch(inputs)["logits"]
    loss = head.make_loss(model)
    empty = np.concatenate([labels, np.full_like(labels[:1], -1)])
    more = np.concatenate([scores, scores[:1]])
    assert float(loss(empty, more)) == pytest.approx(float(loss(labels, scores)))
