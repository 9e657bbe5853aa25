"""Keras' own LoRA and int8 quantization work on the encoder, saved and loaded too."""

import gc

import keras
import numpy as np
import pytest

import reference
import released
from sequence_classification_albert.checkpoints import (
    model_variables,
)
from sequence_classification_albert.encoder import (
    EncoderConfig,
    build_encoder,
)

CONFIG = EncoderConfig(
    vocab_size=50,
    hidden_size=16,
    num_hidden_layers=3,
    num_attention_heads=2,
    intermediate_size=24,
    max_position_embeddings=12,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    **released.SIZES,
)


def make_inputs():
    """Return a batch of two rows."""
    ids = np.random.default_rng(0).integers(0, 50, (2, 9)).astype("int32")
    ones = np.ones_like(ids)
    return {"input_ids": ids, "segment_ids": ones, "attention_mask": ones}


@pytest.fixture
def encoder():
    """An encoder of random weights, large enough for differences to show."""
    encoder = build_encoder(CONFIG)
    reference.randomize(model_variables(encoder), seed=1, scale=0.2)
    return encoder


def sequence(encoder):
    """Return the encoder's sequence output."""
    return np.asarray(encoder(make_inputs())["sequence_output"])


def test_lora(encoder, tmp_path):
    """LoRA begins with the same outputs, trains its own small matrices alone, saves."""
    expected = sequence(encoder)
    before = {key: np.array(v) for key, v in model_variables(encoder).items()}
    for layer in encoder.layers:
        layer.trainable = False
        if layer.name.endswith(("_query", "_value")):
            layer.trainable = True
            layer.enable_lora(rank=2)
            layer.bias.trainable = False
    np.testing.assert_array_equal(sequence(encoder), expected)
    names = {variable.name for variable in encoder.trainable_variables}
    assert names == {"lora_kernel_a", "lora_kernel_b"}
    model = keras.Model(encoder.input, encoder.output["sequence_output"])
    model.compile(keras.optimizers.SGD(1.0), loss="mse")
    model.train_on_batch(make_inputs(), np.zeros_like(expected))
    changed = sequence(encoder)
    assert np.abs(changed - expected).max() > 1e-4
    after = model_variables(encoder)
    for key, array in before.items():
        stored = after[key]._value if key.endswith("kernel") else after[key]
        np.testing.assert_array_equal(np.asarray(stored), array, key)
    encoder.save(tmp_path / "lora.keras")
    loaded = keras.saving.load_model(tmp_path / "lora.keras")
    np.testing.assert_allclose(sequence(loaded), changed, atol=1e-5)


def test_token_table_in_reverse(encoder, tmp_path):
    """In reverse the table gives vectors · tableᵀ in float32, LoRA and all; it saves.

    The table is one variable for both directions.
    """
    table = encoder.get_layer("embeddings_token")
    assert [variable.name for variable in table.weights] == ["embeddings"]
    vectors = np.random.default_rng(2).normal(size=(2, 4, table.output_dim))
    vectors = vectors.astype("float32")
    expected = vectors @ np.asarray(table.embeddings).T
    np.testing.assert_allclose(table(vectors, reverse=True), expected, atol=1e-5)
    table.enable_lora(rank=2)
    changed = np.random.default_rng(3).normal(size=(2, table.output_dim))
    table.lora_embeddings_b.assign(changed)
    rows = np.asarray(table(np.arange(50)))
    assert np.abs(rows @ vectors[0, 0] - expected[0, 0]).max() > 0.1
    found = np.asarray(table(vectors, reverse=True))
    np.testing.assert_allclose(found, vectors @ rows.T, atol=1e-5)
    encoder.save(tmp_path / "table.keras")
    loaded = keras.saving.load_model(tmp_path / "table.keras")
    loaded = loaded.get_layer("embeddings_token")
    np.testing.assert_array_equal(loaded(vectors, reverse=True), found)


def test_token_scores_are_in_full_precision():
    """Under mixed precision the table's scores in reverse are float32."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    table = build_encoder(CONFIG).get_layer("embeddings_token")
    assert table(np.arange(3)).dtype == "bfloat16"
    vectors = keras.ops.ones((2, table.output_dim), "bfloat16")
    assert table(vectors, reverse=True).dtype == "float32"


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")
def test_int8(encoder, tmp_path):
    """Quantized weights are int8, the outputs stay close, also after saving."""
    expected = sequence(encoder)
    gc.freeze()  # Keras collects garbage for each layer that it quantizes
    encoder.quantize("int8")
    gc.unfreeze()
    kernels = [v for v in encoder.variables if v.name == "kernel"]
    assert kernels and all(variable.dtype == "int8" for variable in kernels)
    found = sequence(encoder)
    assert 0 < np.abs(found - expected).mean() < 0.1
    encoder.save(tmp_path / "int8.keras")
    loaded = keras.saving.load_model(tmp_path / "int8.keras")
    np.testing.assert_allclose(sequence(loaded), found, atol=1e-5)
