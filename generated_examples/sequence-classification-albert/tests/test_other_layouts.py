"""Checkpoints in albert_zh's own layout, and Google's without a projection.

albert_zh has other names and another graph. released.py has both: it computes the
graph in NumPy and float64 from the file's entries, so that neither comes from the code
under test.
"""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import released
from sequence_classification_albert import (
    reshape,
    weight_names,
)
from sequence_classification_albert.checkpoints import (
    model_variables,
)
from sequence_classification_albert.encoder import (
    EncoderConfig,
    build_encoder,
)
from sequence_classification_albert.errors import UserError
from sequence_classification_albert.weights import (
    from_pretrained,
    load_config,
    load_pretrained,
)

SETTINGS = {
    "vocab_size": 40,
    "embedding_size": 6,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "hidden_act": "gelu",
    "max_position_embeddings": 20,
    "type_vocab_size": 2,
}


def write(folder, ln_type="postln", shapes=released.ALBERT_ZH):
    """Write a checkpoint with its config; return its arrays."""
    random = np.random.default_rng(5)
    arrays = {
        name: (random.normal(0, 0.3, shape) + name.endswith("gamma")).astype("float32")
        for name, shape in shapes.items()
    }
    others = {
        "cls/predictions/output_bias": np.zeros(40, "float32"),
        "bert/pooler/dense/kernel/adam_m": np.zeros((16, 16), "float32"),
    }
    write_checkpoint(folder, arrays | others, {**SETTINGS, "ln_type": ln_type})
    return arrays


def write_checkpoint(folder, arrays, settings):
    """Write a TensorFlow checkpoint and its config."""
    tf.raw_ops.SaveV2(
        prefix=str(folder / "albert_model.ckpt"),
        tensor_names=list(arrays),
        shape_and_slices=[""] * len(arrays),
        tensors=[tf.constant(array) for array in arrays.values()],
    )
    (folder / "albert_config.json").write_text(json.dumps(settings))


def make_inputs():
    """Return rows of different lengths, padded, with two segments."""
    mask = (np.arange(15) < np.array([[15], [9], [3]])).astype("int32")
    ids = np.random.default_rng(0).integers(1, 40, mask.shape).astype("int32")
    segments = (np.arange(15) > 4).astype("int32") * mask
    return {"input_ids": ids, "segment_ids": segments, "attention_mask": mask}


def difference(found, expected, mask):
    """Return the largest difference of any output where there are tokens."""
    real = mask.astype(bool)
    pairs = {name: (np.asarray(found[name]), expected[name]) for name in expected}
    for name, (one, other) in pairs.items():
        assert one.shape == other.shape, name
        if name == "sequence_output":
            pairs[name] = one[real], other[real]
        elif name == "hidden_states":
            one, other = (np.moveaxis(each, 1, 2)[real] for each in (one, other))
            pairs[name] = one, other
    return max(float(np.abs(one - other).max()) for one, other in pairs.values())


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-5)])
@pytest.mark.parametrize("ln_type", ["postln", "preln"])
def test_graph(tmp_path, ln_type, dtype, tolerance):
    """Each layer equals the graph in NumPy; other graphs are far away."""
    keras.config.set_dtype_policy(dtype)
    arrays = write(tmp_path, ln_type)
    inputs = make_inputs()
    found = from_pretrained(tmp_path, return_states=True)(inputs)
    mask = inputs["attention_mask"]
    expected = released.AlbertZh(arrays, ln_type).forward(inputs)
    assert difference(found, expected, mask) <= tolerance
    other_type = {"postln": "preln", "preln": "postln"}[ln_type]
    for wrong in (
        released.AlbertZh(arrays, other_type),
        released.AlbertZh(arrays, ln_type, widen="after the sum"),
    ):
        assert difference(found, wrong.forward(inputs), mask) > 0.1


@pytest.mark.parametrize("prefix", ["", "module/"])
def test_every_entry_arrives_once(tmp_path, prefix):
    """Each variable has its entry, and the projection has no bias."""
    arrays = write(
        tmp_path,
        shapes={prefix + name: released.ALBERT_ZH[name] for name in released.ALBERT_ZH},
    )
    encoder = build_encoder(load_config(tmp_path))
    report = load_pretrained(encoder, tmp_path)
    variables = model_variables(encoder)
    assert report.loaded == tuple(variables) and len(variables) == len(
        released.ALBERT_ZH
    )
    assert "embeddings_projection/bias" not in variables
    assert report.unused == ("cls/predictions/output_bias",)
    for name, layer in (
        ("embeddings/word_embeddings_2", "embeddings_projection/kernel"),
        ("encoder/layer_shared/output/LayerNorm/beta", "output_layer_norm/beta"),
    ):
        (found,) = (v for key, v in variables.items() if key.endswith(layer))
        expected = arrays[f"{prefix}bert/{name}"]
        np.testing.assert_array_equal(np.asarray(found), expected)


def test_config_is_read_as_it_is_meant(tmp_path):
    """GELU is the tanh form, and ln_type decides; only these two are known."""
    write(tmp_path, "preln")
    config = load_config(tmp_path)
    assert config.hidden_act == "gelu_new"
    assert config.wide_embeddings and config.ln_type == "preln"
    write(tmp_path, "sandwich")
    with pytest.raises(UserError, match="sandwich"):
        load_config(tmp_path)


def test_other_files_have_one_way():
    """Code for other layouts does not look for ln_type, so it changes nothing."""
    config = EncoderConfig(**{**SETTINGS, "ln_type": "preln", "wide_embeddings": True})
    for style in ("google", "torch", "keras"):
        adapted = weight_names.adapt_config(config, style)
        assert adapted.ln_type == "postln" and not adapted.wide_embeddings


def test_layers_of_their_own_are_not_taken_for_shared(tmp_path):
    """A file with the projection but without the shared layer says what it lacks."""
    shapes = {
        name.replace("shared", "0"): shape for name, shape in released.ALBERT_ZH.items()
    }
    write(tmp_path, shapes=shapes)
    with pytest.raises(UserError, match="layer_shared/attention"):
        from_pretrained(tmp_path)


@pytest.mark.parametrize("style", ["torch", "google"])
@pytest.mark.parametrize(
    "change", [{"wide_embeddings": True}, {"ln_type": "preln"}], ids=str
)
def test_other_formats_cannot_hold_it(style, change):
    """An export that would compute something else is refused."""
    config = EncoderConfig(**SETTINGS)
    assert "ln_type" not in weight_names.release_config(
        EncoderConfig(**{**SETTINGS, "hidden_act": "relu"}), style
    )
    with pytest.raises(UserError, match="albert_zh"):
        weight_names.release_config(EncoderConfig(**{**vars(config), **change}), style)


def test_reshape_refuses_before_it_writes(tmp_path):
    """Its folder would be Hugging Face's, so nothing is left behind."""
    write(tmp_path)
    config, folder = load_config(tmp_path), tmp_path / "new"
    arrays = {reshape.TOKENS: np.zeros((40, 6)), reshape.POSITIONS: np.zeros((20, 16))}
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UserError, match="albert_zh"):
        reshape.write(arrays, config, None, folder)
    assert sorted(tmp_path.iterdir()) == before


def test_doubtful_config_is_warned_of():
    """For xlarge albert_zh has published both values, and the weights fit either."""
    config = EncoderConfig(**{**SETTINGS, "num_hidden_layers": 24})
    wide = {**vars(config), "wide_embeddings": True, "hidden_size": 2048}
    assert "ln_type" in weight_names.doubts(EncoderConfig(**wide))
    narrow = {**wide, "wide_embeddings": False}
    assert weight_names.doubts(EncoderConfig(**narrow)) == ""


@pytest.mark.parametrize("kept", ["", "kernel", "bias"])
def test_projection_that_is_not_in_the_file(tmp_path, kept):
    """Google leaves it out where widths are equal: the identity, and reported."""
    settings = {**SETTINGS, "embedding_size": 16}
    encoder = build_encoder(EncoderConfig(**settings))
    arrays = {
        released.google_name(key): np.ones(variable.shape, "float32")
        for key, variable in model_variables(encoder).items()
        if not key.startswith("embeddings_projection") or key.endswith(f"/{kept}")
    }
    write_checkpoint(tmp_path, arrays, settings)
    if kept:  # half of it is no file of Google's
        with pytest.raises(UserError, match="embeddings_projection/"):
            load_pretrained(encoder, tmp_path)
        return
    report = load_pretrained(encoder, tmp_path)
    projection = "embeddings_projection"
    assert report.filled == (f"{projection}/kernel", f"{projection}/bias")
    assert f"set as the file implies: {projection}/kernel, " in str(report)
    assert f"set as the file implies: {projection}/bias" in report.details()
    kernel, bias = encoder.get_layer(projection).get_weights()
    np.testing.assert_array_equal(kernel, np.eye(16))
    np.testing.assert_array_equal(bias, np.zeros(16))
