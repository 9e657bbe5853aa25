"""Vectors are what is computed by hand, token by token, in NumPy and float64."""

import keras
import numpy as np
import pytest

import reference
import released
from feature_extraction_albert.checkpoints import (
    model_variables,
)
from feature_extraction_albert.config import (
    ExtractConfig,
)
from feature_extraction_albert.encoder import (
    EncoderConfig,
    build_encoder,
)
from feature_extraction_albert.errors import UserError
from feature_extraction_albert.loading import settle
from feature_extraction_albert.model import (
    build_model,
    encoder_options,
    hugging_face_model,
    serving_model,
)

SIZES = EncoderConfig(30, 8, 3, 2, 12, max_position_embeddings=20, **released.SIZES)
LENGTHS = (11, 7, 3)


def make_model(**settings):
    """Return a model of float64 with large weights, and the weights."""
    keras.config.set_dtype_policy("float64")
    config = settle(ExtractConfig(max_length=12, **settings), SIZES)
    model = build_model(build_encoder(SIZES, **encoder_options(config)), config)
    return model, reference.randomize(model_variables(model), seed=1)


def make_inputs():
    """Return three rows of different lengths, with garbage where there is padding."""
    real = np.arange(max(LENGTHS)) < np.array(LENGTHS)[:, None]
    ids = np.random.default_rng(0).integers(1, 30, real.shape)
    segments = np.arange(max(LENGTHS)) > 4
    return {
        "input_ids": ids.astype("int32"),
        "segment_ids": (segments | ~real).astype("int32"),
        "attention_mask": real.astype("int32"),
    }


def states_by_hand(weights, inputs):
    """Return the embeddings and each layer's output, and the pooler's output."""
    outputs = reference.forward(weights, SIZES, inputs, released.blocks(SIZES))
    embeddings = outputs["embeddings"]
    if "embeddings_projection/kernel" in weights:  # what the first layer reads
        encoder = reference.Encoder(weights, SIZES)
        embeddings = encoder.dense(embeddings, "embeddings_projection")
    states = [embeddings, *(outputs[f"layer_{index}"] for index in range(3))]
    return states, outputs["pooled_output"]


def pool_by_hand(pooling, states, pooled, row):
    """Return one text's vector: the true tokens alone, a number at a time."""
    tokens = [
        [x for state in states for x in state[row, n]] for n in range(LENGTHS[row])
    ]
    columns = list(zip(*tokens, strict=True))
    parts = {
        "cls": tokens[0],
        "nsp": pooled[row],
        "max": [max(column) for column in columns],
        "mean": [sum(column) / len(column) for column in columns],
    }
    return np.concatenate([parts[name] for name in pooling])


CASES = [
    (("-1",), ("mean",)),
    (("0",), ("mean",)),
    (("-2",), ("max",)),
    (("3", "1"), ("cls",)),
    (("-1",), ("nsp",)),
    (("0:",), ("mean", "max")),
    (("-1", "0"), ("nsp", "cls", "max", "mean")),
    (("1", "3"), ("mean", "nsp")),
]


@pytest.mark.parametrize(("layers", "pooling"), CASES)
def test_pooled_vectors(layers, pooling):
    """Poolings and layers stand side by side in their order; padding takes no part."""
    model, weights = make_model(layers=layers, pooling=pooling)
    inputs = make_inputs()
    all_states, pooled = states_by_hand(weights, inputs)
    chosen = range(4) if layers == ("0:",) else map(int, layers)
    states = [all_states[number] for number in chosen]
    found = serving_model(model, ExtractConfig()).predict_on_batch(inputs)
    assert list(found) == ["vectors"]
    for row, vector in enumerate(found["vectors"]):
        expected = pool_by_hand(pooling, states, pooled, row)
        np.testing.assert_allclose(vector, expected, atol=1e-9)


def test_vectors_of_tokens():
    """Each token has the layers side by side; padding has zeros."""
    model, weights = make_model(layers=("2", "0"), pooling=("tokens",))
    inputs = make_inputs()
    states, _ = states_by_hand(weights, inputs)
    expected = np.concatenate([states[2], states[0]], axis=-1)
    expected *= inputs["attention_mask"][:, :, None]
    found = model.predict_on_batch(inputs)["vectors"]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_the_encoder_is_whole():
    """A model of a low layer still holds the last one, and what stands above it."""
    model, weights = make_model(layers=("1",), pooling=("cls",))
    inputs = make_inputs()
    states, pooled = states_by_hand(weights, inputs)
    found = hugging_face_model(model, ExtractConfig()).predict_on_batch(inputs)
    np.testing.assert_allclose(found["last_hidden_state"], states[3], atol=1e-9)
    np.testing.assert_allclose(found["pooler_output"], pooled, atol=1e-9)
    assert len(model.weights) == len(weights) == len(build_encoder(SIZES).weights)
    # What is computed for the vectors ends where they come from.
    lower = serving_model(model, ExtractConfig())
    names = [layer.name for layer in lower.layers]
    assert not any(name.startswith(("pooler", "layer_1_")) for name in names)


def test_vectors_are_float32_also_in_mixed_precision():
    """What is averaged is averaged in float32."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = build_model(build_encoder(SIZES), ExtractConfig(pooling=("mean", "nsp")))
    vectors = model.predict_on_batch(make_inputs())["vectors"]
    assert vectors.dtype == np.float32 and vectors.shape == (3, 16)


def test_lengths_are_checked():
    """More tokens than positions are refused."""
    for length, part in ((21, "20 positions"), (3, "must fit")):
        with pytest.raises(UserError, match=part):
            settle(ExtractConfig(max_length=length), SIZES)
