"""Checkpoints of TensorFlow 2's model garden: numbered layers, an axis for heads."""

import numpy as np
import pytest
import tensorflow as tf

from aspect_sentiment_bert.checkpoints import (
    model_variables,
)
from aspect_sentiment_bert.encoder import (
    EncoderConfig,
    build_encoder,
)
from aspect_sentiment_bert.errors import UserError
from aspect_sentiment_bert.weights import (
    from_pretrained,
    load_pretrained,
)

CONFIG = EncoderConfig(
    vocab_size=20,
    hidden_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=12,
    max_position_embeddings=10,
)
NUMBERED = {
    "embeddings_token": "layer_with_weights-0",
    "embeddings_position": "layer_with_weights-1",
    "embeddings_segment": "layer_with_weights-2",
    "embeddings_layer_norm": "layer_with_weights-3",
    "pooler": "layer_with_weights-6",
}
PARTS = {
    "query": "_attention_layer/_query_dense",
    "key": "_attention_layer/_key_dense",
    "value": "_attention_layer/_value_dense",
    "attention_output": "_attention_layer/_output_dense",
    "attention_layer_norm": "_attention_layer_norm",
    "intermediate": "_intermediate_dense",
    "output": "_output_dense",
    "output_layer_norm": "_output_layer_norm",
}
# Other names in other releases.
OLD = {"attention_output": "_attention_output_dense"}
POOLER = "next_sentence..pooler_dense"


def garden_name(key, parts, root):
    """Return the name of one of our variables in such a file."""
    layer, variable = key.split("/")
    if layer.startswith("layer_"):
        number, part = layer.removeprefix("layer_").split("_", 1)
        place = f"layer_with_weights-{int(number) + 4}/{parts[part]}"
    else:
        place = NUMBERED[layer]
    return f"{root}/{place}/{variable}/.ATTRIBUTES/VARIABLE_VALUE"


def with_heads(key, array):
    """Return an attention matrix, or its bias, with an axis for the heads."""
    layer, variable = key.split("/")
    if layer.endswith(("_query", "_key", "_value")):
        return array.reshape(*array.shape[:-1], 2, 4)
    if layer.endswith("attention_output") and variable == "kernel":
        return array.reshape(2, 4, 8)
    return array


def write(folder, parts=PARTS, root="model", pooler=""):
    """Write a checkpoint with its config; return the weights by our names."""
    random = np.random.default_rng(0)
    weights = {
        key: random.normal(size=variable.shape).astype("float32")
        for key, variable in model_variables(build_encoder(CONFIG)).items()
    }
    arrays = {"save_counter/.ATTRIBUTES/VARIABLE_VALUE": np.int64(1)}
    for key, array in weights.items():
        name = garden_name(key, parts, root)
        if pooler:
            name = name.replace(f"{root}/layer_with_weights-6", pooler)
        arrays[name] = with_heads(key, array)
    tf.raw_ops.SaveV2(
        prefix=str(folder / "bert_model.ckpt"),
        tensor_names=list(arrays),
        shape_and_slices=[""] * len(arrays),
        tensors=[tf.constant(array) for array in arrays.values()],
    )
    (folder / "bert_config.json").write_text(CONFIG.to_json())
    return weights


@pytest.mark.parametrize(
    "change",
    [{}, {"parts": PARTS | OLD}, {"root": "encoder", "pooler": POOLER}],
    ids=["usual", "older", "with a sentence head"],
)
def test_model_garden(tmp_path, change):
    """Every variable arrives, whatever the release calls it."""
    weights = write(tmp_path, **change)
    encoder = build_encoder(CONFIG)
    report = load_pretrained(encoder, tmp_path)
    assert report.random == report.unused == ()
    for key, variable in model_variables(encoder).items():
        np.testing.assert_array_equal(np.asarray(variable), weights[key], key)


def test_pooler_is_told_by_the_depth_of_the_file(tmp_path):
    """Its number counts the layers of the file, not those that are taken."""
    weights = write(tmp_path)
    encoder = from_pretrained(tmp_path, num_hidden_layers=1)
    found = np.asarray(model_variables(encoder)["pooler/kernel"])
    np.testing.assert_array_equal(found, weights["pooler/kernel"])


def test_layer_that_the_file_lacks(tmp_path):
    """Another name for a layer is an error that says which was looked for."""
    write(tmp_path, parts=PARTS | {"output": "_feed_forward"})
    with pytest.raises(UserError, match="layer_with_weights-4/_output_dense"):
        from_pretrained(tmp_path)
