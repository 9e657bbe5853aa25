"""The head: the right loss for both steps, and what is served."""

import keras
import numpy as np

from {{ cookiecutter.package }}.config import TrainConfig
from {{ cookiecutter.package }}.encoder import (
    EncoderConfig,
    build_encoder,
)
from {{ cookiecutter.package }}.model import (
    build_model,
    compile_model,
    hugging_face_config,
    serving_model,
)

CONFIG = TrainConfig(polarities=("bad", "fair", "good"), classifier_dropout=0.0)


def make_model():
    """Return a small compiled model whose dropout is off."""
    config = EncoderConfig.small(vocab_size=50)
    values = {**vars(config), "hidden_dropout_prob": 0.0, "initializer_range": 0.2}
    encoder = build_encoder(EncoderConfig(**values))
    model = build_model(encoder, CONFIG)
    compile_model(model, keras.optimizers.Adam(1e-3), CONFIG)
    return model


def make_batch():
    """Return rows of step 1, step 2, and one of which nothing is known, with targets."""
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
    """start and end are sigmoids, hidden outside of the text; polarity a softmax."""
    model = make_model()
    inputs, _ = make_batch()
    logits = model.predict_on_batch(inputs)["logits"].astype("float64")
    served = serving_model(model, CONFIG).predict_on_batch(inputs)
    assert {name: array.shape for name, array in served.items()} == {
        "start": (3, 12),
        "end": (3, 12),
        "polarity": (3, 12, 3),
    }
    shown = (inputs["segment_ids"] == 1) | (np.arange(12) == 0)
    for number, name in enumerate(("start", "end")):
        expected = shown / (1 + np.exp(-logits[..., number]))
        np.testing.assert_allclose(served[name], expected, atol=1e-6)
    powers = np.exp(logits[..., 2:])
    expected = powers / powers.sum(-1, keepdims=True)
    np.testing.assert_allclose(served["polarity"], expected, atol=1e-6)


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
    losses = [model.train_on_batch(inputs, targets) for _ in range(40)]
    assert losses[-1] < losses[0] / 4
    assert not np.array_equal(before, query.kernel)
