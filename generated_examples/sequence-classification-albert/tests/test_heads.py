"""A task's last layers come from files that have them, whole, or stay random."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import save_file

import released
from sequence_classification_albert.checkpoints import (
    model_variables,
)
from sequence_classification_albert.encoder import (
    EncoderConfig,
    build_encoder,
)
from sequence_classification_albert.errors import UserError
from sequence_classification_albert.weights import (
    load_config,
    load_pretrained,
)

CONFIG = EncoderConfig(
    vocab_size=20,
    hidden_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=12,
    max_position_embeddings=10,
    **released.SIZES,
)
STYLES = pytest.mark.parametrize("style", ["google", "torch"])


def build_model(labels=3):
    """Build an encoder with every head that has a name in some file."""
    encoder = build_encoder(CONFIG)
    tokens, text = (encoder.output[f"{name}_output"] for name in ("sequence", "pooled"))
    transformed = keras.layers.Dense(6, name="mlm_transform")(tokens)
    normalized = keras.layers.LayerNormalization(name="mlm_layer_norm")(transformed)
    words = keras.ops.repeat(normalized[..., :1], CONFIG.vocab_size, axis=-1)
    outputs = [
        keras.layers.LayerNormalization(scale=False, name="mlm_bias")(words),
        keras.layers.Dense(2, name="qa_head")(tokens),
        keras.layers.Dense(labels, name="classifier")(text),
        keras.layers.Dense(2, name="sentence_order_head")(text),
    ]
    return keras.Model(encoder.input, outputs)


def random_weights(model):
    """Return random arrays by our names."""
    random = np.random.default_rng(0)
    return {
        key: random.normal(size=variable.shape).astype("float32")
        for key, variable in model_variables(model).items()
    }


def name_in_file(key, style):
    """Return the name that released files give one of our variables."""
    if key in released.HEADS:
        return released.HEADS[key][style == "torch"]
    if style == "google":
        return released.google_name(key)
    return f"{released.MODEL}.{released.hugging_face_name(key)}"


def write(folder, weights, style, old_norms=False):
    """Write a checkpoint with the names that released files have."""
    arrays = {}
    for key, array in weights.items():
        name = name_in_file(key, style)
        if old_norms and "LayerNorm" in name:
            name = name.replace("weight", "gamma").replace("bias", "beta")
        transposed = "kernel" if style == "torch" else "output_weights"
        turned = (key if style == "torch" else name).endswith(transposed)
        arrays[name] = np.ascontiguousarray(array.T if turned else array)
    if style == "google":
        tf.raw_ops.SaveV2(
            prefix=str(folder / "model.ckpt"),
            tensor_names=list(arrays),
            shape_and_slices=[""] * len(arrays),
            tensors=[tf.constant(array) for array in arrays.values()],
        )
    else:
        save_file(arrays, folder / "model.safetensors")
    (folder / "config.json").write_text(CONFIG.to_json())


@STYLES
@pytest.mark.parametrize("old_norms", [False, True])
def test_heads_arrive(tmp_path, style, old_norms):
    """Every head's variables come from under the names of released files."""
    model = build_model()
    weights = random_weights(model)
    assert released.HEADS.keys() < weights.keys()
    write(tmp_path, weights, style, old_norms and style == "torch")
    report = load_pretrained(model, tmp_path)
    assert report.random == report.unused == ()
    for key, variable in model_variables(model).items():
        np.testing.assert_array_equal(np.asarray(variable), weights[key], key)


@STYLES
def test_file_without_heads(tmp_path, style):
    """What the file does not have stays random, and the report names it."""
    model = build_model()
    weights = random_weights(model)
    heads = tuple(key for key in weights if key in released.HEADS)
    encoder = {key: array for key, array in weights.items() if key not in heads}
    write(tmp_path, encoder, style)
    report = load_pretrained(model, tmp_path)
    assert report.random == heads and report.unused == ()
    assert f"random: {', '.join(heads)}" in str(report)


@STYLES
def test_head_with_other_labels(tmp_path, style):
    """A head of another size is an error that says how to go on, and that works."""
    write(tmp_path, random_weights(build_model(labels=5)), style)
    model = build_model(labels=3)
    with pytest.raises(UserError, match=r"head does not fit.*5.*3") as caught:
        load_pretrained(model, tmp_path)
    assert 'skip=("head",)' in caught.value.remedy
    before = np.array(model.get_layer("classifier").kernel)
    report = load_pretrained(model, tmp_path, skip=("head",))
    np.testing.assert_array_equal(model.get_layer("classifier").kernel, before)
    assert set(report.random) == released.HEADS.keys()


@STYLES
@pytest.mark.parametrize(
    "key", ["qa_head/bias", "pooler/kernel", "mlm_layer_norm/beta"]
)
def test_half_a_layer_is_damage(tmp_path, style, key):
    """A file that has the kernel has the bias too: neither stays random alone."""
    model = build_model()
    weights = random_weights(model)
    del weights[key]
    write(tmp_path, weights, style)
    with pytest.raises(UserError, match=f"{key} needs it"):
        load_pretrained(model, tmp_path)


def test_short_report_names_what_matters(tmp_path):
    """Other tasks' heads and copies are counted; what nobody knows is named."""
    weights = random_weights(build_model())
    write(tmp_path, weights, "torch")
    plain = load_pretrained(build_encoder(CONFIG), tmp_path)
    assert set(plain.spare) == {names[1] for names in released.HEADS.values()}
    assert plain.unused == tuple(sorted(plain.spare))
    count = len(released.HEADS)
    assert f"; not needed: {count} (copies, heads of other tasks)" in str(plain)
    assert "not used" not in str(plain)
    few = build_encoder(load_config(tmp_path, num_hidden_layers=1))
    report = load_pretrained(few, tmp_path)
    top = released.blocks(CONFIG)[-1][-1]
    left_out = name_in_file(f"{top}_key/bias", "torch")
    assert left_out in report.unused and left_out not in report.spare
    assert f"not used: {released.MODEL}." in str(report) and " more" in str(report)
    assert f"not used: {left_out}" in report.details()
