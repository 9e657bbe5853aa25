"""From the encoder's layers to vectors, as one functional graph."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from .config import ExtractConfig
from .encoder import EncoderConfig
from .selection import check_pooling
from .transformer import full_precision

HUGGING_FACE_TASK = "Model"  # transformers' name of the encoder alone
Tensor = Any


def encoder_options(config: ExtractConfig) -> dict[str, Any]:
    """Return what `build_encoder` is asked for: the chosen layers side by side."""
    if config.layers == ("-1",):
        return {}
    return {"concatenate_layers": tuple(int(number) for number in config.layers)}


def build_model(encoder: keras.Model, config: ExtractConfig) -> keras.Model:
    """Return a model with the encoder's inputs and the output `vectors`, float32.

    `vectors` is (batch, width), the poolings side by side, each of them the layers side
    by side. For tokens it is (batch, length, width), and zeros where there is padding.

    `last_hidden_state` and `pooler_output` are the encoder's own, so that a saved model
    holds all of it. Raises UserError for poolings that cannot be.
    """
    check_pooling(config.pooling)
    hidden = encoder.output["sequence_output"]
    if config.layers != ("-1",):
        hidden = encoder.output["last_layers_output"]
    hidden = ops.cast(hidden, full_precision())
    mask = ops.cast(encoder.input["attention_mask"], hidden.dtype)[:, :, None]
    pooled = ops.cast(encoder.output["pooled_output"], full_precision())
    parts = [
        pooled if name == "nsp" else POOLINGS[name](hidden, mask)
        for name in config.pooling
    ]
    vectors = layers.Concatenate(axis=-1)(parts) if len(parts) > 1 else parts[0]
    outputs = {
        "vectors": layers.Identity(dtype=hidden.dtype, name="vectors")(vectors),
        "last_hidden_state": encoder.output["sequence_output"],
        "pooler_output": encoder.output["pooled_output"],
    }
    return keras.Model(encoder.input, outputs, name="feature_extraction")


def first_token(hidden: Tensor, mask: Tensor) -> Tensor:
    """Return the vector of [CLS], before BERT's pooler: (batch, width)."""
    return hidden[:, 0]


def mean(hidden: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over the tokens, [CLS] and [SEP] too: (batch, width)."""
    return ops.sum(hidden * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1.0)


def maximum(hidden: Tensor, mask: Tensor) -> Tensor:
    """Return the largest value of each dimension over the tokens: (batch, width)."""
    return ops.max(ops.where(mask > 0, hidden, -1e9), axis=1)


def tokens(hidden: Tensor, mask: Tensor) -> Tensor:
    """Return all vectors, and zeros for padding: (batch, length, width)."""
    return hidden * mask


POOLINGS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cls": first_token,
    "mean": mean,
    "max": maximum,
    "tokens": tokens,
}


def serving_model(model: keras.Model, config: ExtractConfig) -> keras.Model:
    """Return the model as it is used: `vectors` alone, and no layer above them."""
    return keras.Model(model.input, {"vectors": model.output["vectors"]})


def hugging_face_model(model: keras.Model, config: ExtractConfig) -> keras.Model:
    """Return what a Hugging Face folder holds: the encoder."""
    names = ("last_hidden_state", "pooler_output")
    return keras.Model(model.input, {name: model.output[name] for name in names})


def hugging_face_config(config: ExtractConfig) -> dict[str, Any]:
    """Return what transformers' config.json says beside the encoder's sizes."""
    return {}


def hugging_face_files(
    model: keras.Model, encoder_config: EncoderConfig, config: ExtractConfig
) -> dict[str, bytes]:
    """Return further files of the folder: there are none."""
    return {}
