"""The head: the right loss for both steps, and what is served."""

import keras
import numpy as np
import pytest

from aspect_sentiment_bert.config import TrainConfig
from aspect_sentiment_bert.encoder import (
    EncoderConfig,
    build_encoder,
)
from aspect_sentiment_bert.model import (
    build_model,
    compile_model,
    divergence,
    hugging_face_config,
    serving_model,
)
from aspect_sentiment_bert.served_spans import (
    search,
    text_tokens,
)
from aspect_sentiment_bert.span_search import find_spans

CONFIG = TrainConfig(
    polarities=("bad", "fair", "good"),
    classifier_dropout=0.0,
    aspect_threshold=0.3,
    opinion_threshold=0.2,
)


def make_model():
    """Return a small compiled model whose dropout is off."""
    config = EncoderConfig.small(vocab_size=50)
    values = {**vars(config), "hidden_dropout_prob": 0.0, "initializer_range": 0.2}
    encoder = build_encoder(EncoderConfig(**{**values, "num_hidden_layers": 1}))
    model = build_model(encoder, CONFIG)
    compile_model(model, keras.optimizers.Adam(1e-3), CONFIG)
    model.optimizer.build(model.trainable_variables)  # or a step is traced twice
    return model


def make_batch():
    """Return rows of step 1, step 2, and one of which nothing is known."""
    ids = np.random.default_rng(0).integers(1, 50, (3, 12)).astype("int32")
    mask = np.ones((3, 12), "int32")
    mask[1, 9:] = 0
    segments = (np.arange(12) > 3).astype("int32") * mask
    inputs = {"input_ids": ids, "segment_ids": segments, "attention_mask": mask}
    targets = np.full((3, 12, 3), -1, "int32")
    targets[0, 4:, :2] = 0
    targets[0, 0, :2] = 1  # an aspect that the text does not name
    targets[0, [5, 9], 0] = targets[0, [6, 9], 1] = 1  # and two that it names
    targets[1, 4:9, :2] = 0
    targets[1, [5, 7], 0] = targets[1, [5, 8], 1] = 1
    targets[1, [0, 5, 7], 2] = [2, 2, 0]
    return inputs, {"logits": targets}


def test_loss_is_minus_the_log_of_the_probability():
    """Starts and ends each by itself, a polarity among the others, unknowns nowhere."""
    model = make_model()
    inputs, targets = make_batch()
    logits = model.predict_on_batch(inputs)["logits"].astype("float64")
    expected = np.zeros(3)
    for row, position, column in np.argwhere(targets["logits"] >= 0):
        target, vector = targets["logits"][row, position, column], logits[row, position]
        if column < 2:
            probability = 1 / (1 + np.exp(-vector[column]))
            probability = probability if target else 1 - probability
        else:
            powers = np.exp(vector[2:])
            probability = powers[target] / powers.sum()
        expected[row] -= np.log(probability)
    assert expected[2] == 0 < expected[0]
    for rows in ([0, 1, 2], [0], [1]):
        part = {name: array[rows] for name, array in inputs.items()}
        found = model.evaluate(
            part, {"logits": targets["logits"][rows]}, verbose=0, return_dict=True
        )["loss"]
        np.testing.assert_allclose(found, expected[rows].mean(), rtol=1e-5)


def test_padding_takes_no_part():
    """Scores do not depend on how far a row is padded."""
    model = make_model()
    inputs, _ = make_batch()
    expected = model.predict_on_batch(inputs)["logits"]
    longer = {name: np.pad(array, ((0, 0), (0, 9))) for name, array in inputs.items()}
    found = model.predict_on_batch(longer)["logits"]
    np.testing.assert_allclose(found[1, :9], expected[1, :9], atol=1e-5)


def test_served_probabilities():
    """start and end are sigmoids, hidden at padding; polarity is a softmax."""
    model = make_model()
    inputs, _ = make_batch()
    logits = model.predict_on_batch(inputs)["logits"].astype("float64")
    served = serving_model(model, CONFIG).predict_on_batch(inputs)
    spans = inputs["attention_mask"][..., None] / (1 + np.exp(-logits[..., :2]))
    powers = np.exp(logits[..., 2:])
    expected = {"start": spans[..., 0], "end": spans[..., 1]}
    expected["implicit"] = spans[:, 0].prod(axis=1)
    expected["polarity"] = powers / powers.sum(-1, keepdims=True)
    for name, array in expected.items():
        np.testing.assert_allclose(served.pop(name), array, atol=1e-6)
    assert {name: array.shape for name, array in served.items()} == {
        "span_end": (3, 12),
        "span_score": (3, 12),
    }


@pytest.mark.parametrize("threshold", [0.02, 0.1, 0.5])
def test_served_spans_are_those_of_the_search(threshold):
    """The search in the graph gives the spans of span_search.py, the best so many."""
    random = np.random.default_rng(2)
    start, end = (random.random((2, 5, 14)) ** 2).astype("float32")
    shown = (np.arange(14) < np.array([14, 9, 5, 1, 0])[:, None]).astype("float32")
    for longest, most in ((4, 14), (9, 14), (9, 2)):
        found = search(start * shown, end * shown, threshold, longest, most)
        span_end, score = (np.asarray(array) for array in found)
        assert np.array_equal(span_end >= 0, score > 0)
        for row, keep in enumerate(shown):
            spans = find_spans(start[row] * keep, end[row] * keep, threshold, longest)
            found = np.flatnonzero(span_end[row] >= 0)
            pairs = {(int(first), int(span_end[row, first])) for first in found}
            assert pairs == {(first, last) for _, first, last in spans[:most]}
            scores = {first: value for value, first, _ in spans[:most]}
            expected = [scores[first] for first in found]
            np.testing.assert_allclose(score[row, found], expected, rtol=1e-4)


def test_the_text_is_found_without_segments():
    """Between the first [SEP] and the last, also where the aspect begins the text."""
    inputs = {
        "input_ids": np.array([[1, 7, 2, 8, 9, 2, 0], [1, 7, 2, 7, 9, 5, 2]]),
        "attention_mask": np.array([[1, 1, 1, 1, 1, 1, 0], [1] * 7]),
        "segment_ids": np.array([[0, 0, 0, 1, 1, 1, 0], [0, 0, 0, 0, 1, 1, 1]]),
    }
    found = text_tokens(inputs["input_ids"], inputs["attention_mask"])
    found = np.asarray(found).astype(int)
    assert found.tolist() == [[0, 0, 0, 1, 1, 0, 0], [0, 0, 0, 1, 1, 1, 0]]
    model = make_model()
    inputs = {name: array.astype("int32") for name, array in inputs.items()}
    served = serving_model(model, CONFIG).predict_on_batch(inputs)
    logits = model.predict_on_batch(inputs)["logits"].astype("float64")
    logits = np.where(found[..., None] == 1, logits, -1e4)
    probabilities = 1 / (1 + np.exp(-np.maximum(logits, -500)))
    for row, columns in enumerate(probabilities):
        start, end = columns[:, 0], columns[:, 1]
        spans = find_spans(start, end, 0.2, CONFIG.max_span_length)
        ends = np.full(7, -1)
        for _, first, last in spans:
            ends[first] = last
        assert served["span_end"][row].tolist() == ends.tolist()
        assert spans


def test_names_of_the_outputs():
    """transformers' config.json names all outputs of a token, in their order."""
    names = hugging_face_config(CONFIG)["id2label"]
    width = make_model().output["logits"].shape[-1]
    assert list(names.values()) == ["START", "END", "bad", "fair", "good"]
    assert [int(number) for number in names] == list(range(width))


def test_learns():
    """A few steps on one batch bring the loss down and change the encoder."""
    model = make_model()
    inputs, targets = make_batch()
    query = next(each for each in model.layers if each.name.endswith("_query"))
    before = keras.ops.convert_to_numpy(query.kernel).copy()
    first = model.evaluate(inputs, targets, verbose=0, return_dict=True)["loss"]
    for _ in range(40):
        model.train_on_batch(inputs, targets)
    last = model.evaluate(inputs, targets, verbose=0, return_dict=True)["loss"]
    assert last < first / 4
    assert not np.array_equal(before, query.kernel)


def test_divergence():
    """KL of labels that are there or not, and of polarities; unknowns take no part."""
    random = np.random.default_rng(3)
    expected, found = (random.normal(0, 3, (3, 12, 5)).astype("float32") for _ in "ab")
    _, targets = make_batch()
    known = targets["logits"] >= 0

    def kl(one, other):
        p, q = (np.exp(each.astype("float64") / 2) for each in (one, other))
        p, q = p / p.sum(), q / q.sum()
        return 4 * np.sum(p * np.log(p / q))

    rows = np.zeros(3)
    for row, token, part in np.argwhere(known):
        logits = expected[row, token], found[row, token]
        if part == 2:
            rows[row] += kl(*(each[2:] for each in logits))
        else:  # there against not there, whose logit is 0
            rows[row] += kl(*(np.stack([each[part], 0]) for each in logits))
    assert (rows > 0).tolist() == [True, True, False]
    outputs = {"logits": expected}, {"logits": found}
    apart = divergence(targets, *outputs, CONFIG, temperature=2.0)
    assert float(apart) == pytest.approx(rows.mean(), rel=1e-5)
    expected[..., :2] = np.where(known[..., :2], expected[..., :2], 9.0)
    assert float(divergence(targets, *outputs, CONFIG, 2.0)) == float(apart)
