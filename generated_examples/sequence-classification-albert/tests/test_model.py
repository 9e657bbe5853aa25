"""The head: what it looks at, its losses, and that it learns."""

import keras
import numpy as np
import pytest

from sequence_classification_albert.config import TrainConfig
from sequence_classification_albert.encoder import (
    EncoderConfig,
    build_encoder,
)
from sequence_classification_albert.model import (
    build_model,
    compile_model,
    divergence,
    hugging_face_config,
    serving_model,
)

LABELS = ("a", "b", "c")
SINGLE = TrainConfig(kind="single", labels=LABELS)
MULTI = TrainConfig(kind="multi", labels=LABELS)
REGRESSION = TrainConfig(kind="regression")
TARGETS = {
    "single": np.array([2, 0]),
    "multi": np.array([[1, 0, 1], [0, 0, 1]], "float32"),
    "regression": np.array([[1.5], [-2.0]], "float32"),
}


def make_model(config):
    """Return a very small compiled model whose encoder's dropout is off."""
    sizes = EncoderConfig(
        vocab_size=50,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.2,
    )
    model = build_model(build_encoder(sizes), config)
    compile_model(model, keras.optimizers.Adam(3e-3), config)
    model.optimizer.build(model.trainable_variables)  # or a step is traced twice
    return model


def make_batch():
    """Return two rows of different lengths."""
    ids = np.random.default_rng(0).integers(1, 50, (2, 12)).astype("int32")
    mask = np.ones((2, 12), "int32")
    mask[1, 7:] = 0
    segments = (np.arange(12) > 4).astype("int32") * mask
    return {"input_ids": ids, "segment_ids": segments, "attention_mask": mask}


def expected_loss(logits, config, weights=(1.0, 1.0, 1.0)):
    """Return the loss, from its definition in float64."""
    logits, targets = logits.astype("float64"), TARGETS[config.kind]
    if config.kind == "regression":
        return np.mean((logits - targets) ** 2)
    if config.kind == "multi":
        p = 1 / (1 + np.exp(-logits))
        losses = targets * np.log(p) * weights + (1 - targets) * np.log(1 - p)
        return -np.mean(losses)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    picked = [weights[label] * np.log(p[i, label]) for i, label in enumerate(targets)]
    return -np.mean(picked)


@pytest.mark.parametrize("config", [SINGLE, MULTI, REGRESSION], ids=lambda c: c.kind)
def test_loss_is_that_of_logits(config):
    """The loss is cross-entropy of one label or of each, or the squared error."""
    model = make_model(config)
    inputs, targets = make_batch(), {"logits": TARGETS[config.kind]}
    logits = model.predict_on_batch(inputs)["logits"]
    assert logits.shape == ((2, 1) if config is REGRESSION else (2, 3))
    found = model.evaluate(inputs, targets, verbose=0, return_dict=True)["loss"]
    np.testing.assert_allclose(found, expected_loss(logits, config), rtol=1e-5)


@pytest.mark.parametrize("config", [SINGLE, MULTI], ids=lambda c: c.kind)
def test_class_weights(config):
    """An example counts as much as its class; of several labels, positives do."""
    weights = ("a=0.5", "b=1", "c=4")
    model = make_model(TrainConfig(**{**vars(config), "class_weights": weights}))
    inputs, targets = make_batch(), {"logits": TARGETS[config.kind]}
    logits = model.predict_on_batch(inputs)["logits"]
    found = model.evaluate(inputs, targets, verbose=0, return_dict=True)["loss"]
    expected = expected_loss(logits, config, (0.5, 1.0, 4.0))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_head_is_on_the_pooler():
    """Logits are a Dense layer on pooled_output; dropout works in training alone."""
    model = make_model(SINGLE)
    inputs = make_batch()
    assert "pooler" in [layer.name for layer in model.layers]
    pooler = model.get_layer("pooler")
    classifier = model.get_layer("classifier")
    pooled = keras.Model(model.input, pooler.output).predict_on_batch(inputs)
    kernel, bias = (np.array(weight) for weight in classifier.weights)
    found = model.predict_on_batch(inputs)["logits"]
    np.testing.assert_allclose(found, pooled @ kernel + bias, atol=1e-5)
    repeated = {name: np.repeat(array[:1], 50, 0) for name, array in inputs.items()}
    trained = np.array(model(repeated, training=True)["logits"])
    assert len(np.unique(trained.round(5), axis=0)) > 25


def test_padding_takes_no_part():
    """Scores do not depend on padding."""
    model = make_model(SINGLE)
    inputs = make_batch()
    expected = model.predict_on_batch(inputs)["logits"]
    longer = {name: np.pad(array, ((0, 0), (0, 9))) for name, array in inputs.items()}
    found = model.predict_on_batch(longer)["logits"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_learns():
    """A few steps on one batch bring the loss down and change the encoder."""
    config = TrainConfig(**{**vars(SINGLE), "class_weights": ("a=1", "b=1", "c=2")})
    model = make_model(config)
    inputs, targets = make_batch(), {"logits": TARGETS[config.kind]}
    query = next(each for each in model.layers if each.name.endswith("_query"))
    before = np.array(query.kernel)
    first = model.evaluate(inputs, targets, verbose=0, return_dict=True)["loss"]
    for _ in range(30):
        model.train_on_batch(inputs, targets)
    last = model.evaluate(inputs, targets, verbose=0, return_dict=True)["loss"]
    assert last < first / 4
    assert not np.array_equal(before, query.kernel)


def test_served_outputs():
    """Served are probabilities that add up to 1, or each for itself, or the number."""
    inputs = make_batch()
    for config in (SINGLE, MULTI, REGRESSION):
        model = make_model(config)
        logits = model.predict_on_batch(inputs)["logits"]
        served = serving_model(model, config).predict_on_batch(inputs)
        if config is REGRESSION:
            np.testing.assert_array_equal(served["value"], logits[:, 0])
            continue
        np.testing.assert_array_equal(served["logits"], logits)
        powers = np.exp(logits)
        total = powers.sum(1, keepdims=True) if config is SINGLE else 1 + powers
        np.testing.assert_allclose(served["probabilities"], powers / total, rtol=1e-4)


def test_names_for_transformers():
    """An exported config has the names of the labels by number, and the kind."""
    values = hugging_face_config(MULTI)
    assert values["id2label"] == {"0": "a", "1": "b", "2": "c"}
    assert values["label2id"] == {"a": 0, "b": 1, "c": 2}
    assert values["problem_type"] == "multi_label_classification"
    assert len(hugging_face_config(REGRESSION)["id2label"]) == 1


def kl(expected, found):
    """Return the divergence of probabilities in float64."""
    return np.sum(expected * (np.log(expected) - np.log(found)))


@pytest.mark.parametrize("config", [SINGLE, MULTI, REGRESSION], ids=lambda c: c.kind)
def test_divergence(config):
    """KL in NumPy, with a temperature; of numbers the squared difference."""
    random = np.random.default_rng(3)
    shape = (2, len(config.labels) or 1)
    expected, found = (random.normal(0, 3, shape).astype("float32") for _ in "ab")
    total = 0.0
    for p, q in zip(expected.astype("float64"), found.astype("float64"), strict=True):
        if config.kind == "single":
            p, q = (np.exp(x / 2) / np.exp(x / 2).sum() for x in (p, q))
            total += 4 * kl(p, q) / 2
        elif config.kind == "multi":
            p, q = (1 / (1 + np.exp(-x / 2)) for x in (p, q))
            total += 4 * (kl(p, q) + kl(1 - p, 1 - q)) / 6
        else:
            total += (p - q)[0] ** 2 / 2
    outputs = {"logits": expected}, {"logits": found}
    apart = divergence(None, *outputs, config, temperature=2.0)
    assert float(apart) == pytest.approx(total, rel=1e-5)
    assert float(divergence(None, outputs[0], outputs[0], config)) == 0.0
