"""From the encoder's token vectors to one vector for the sentence, and its losses."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from . import sentence_transformers_files
from .config import TrainConfig
from .encoder import EncoderConfig
from .errors import UserError
from .losses import contrastive_loss, regression_loss
from .transformer import full_precision

HUGGING_FACE_TASK = "Model"  # transformers' name of the encoder alone
Tensor = Any


def encoder_options(config: TrainConfig) -> dict[str, Any]:
    """Return what `build_encoder` is asked for beside its last layer: nothing."""
    return {}


def build_model(encoder: keras.Model, config: TrainConfig) -> keras.Model:
    """Return a model with the encoder's inputs and the output `embedding`.

    `embedding` is (batch, hidden), float32, of length 1 with `normalize`. With `mlp`
    "train" there is a second output, `projected`, the embedding after SimCSE's layer:
    the loss sees that one, everything else `embedding`. Raises UserError for an
    unknown pooling.
    """
    pool = POOLINGS.get("mean" if config.pooling == "auto" else config.pooling)
    if pool is None:
        raise UserError(
            f'unknown pooling "{config.pooling}"',
            "there is no such way to one vector",
            f"choose from {', '.join(POOLINGS)}",
        )
    pooled = pool(encoder)
    projected = mlp(pooled) if config.mlp in ("train", "always") else pooled
    embedding = projected if config.mlp == "always" else pooled
    if config.normalize:
        embedding = ops.normalize(embedding, axis=-1)
    outputs = {"embedding": embedding}
    if config.mlp == "train":
        outputs["projected"] = projected
    return keras.Model(encoder.input, outputs, name="sentence_embedding")


def mlp(pooled: Tensor) -> Tensor:
    """Apply SimCSE's head, a Dense layer with tanh, (batch, hidden) in and out."""
    head = layers.Dense(
        pooled.shape[-1],
        activation="tanh",
        kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02),
        dtype=full_precision(),
        name="mlp",
    )
    return head(pooled)


def first_token(encoder: keras.Model) -> Tensor:
    """Return the last layer's vector of [CLS], before BERT's pooler."""
    return tokens(encoder)[:, 0]


def pooler(encoder: keras.Model) -> Tensor:
    """Return the output of BERT's pooler, a tanh layer on [CLS]."""
    return ops.cast(encoder.output["pooled_output"], full_precision())


def mean(encoder: keras.Model) -> Tensor:
    """Return the mean of the last layer's vectors."""
    return masked_mean(tokens(encoder), encoder)


def maximum(encoder: keras.Model) -> Tensor:
    """Return the largest value of each dimension over the tokens."""
    hidden = tokens(encoder)
    return ops.max(hidden - 1e9 * (1.0 - token_mask(encoder, hidden)), axis=1)


def first_last(encoder: keras.Model) -> Tensor:
    """Return the mean of the first and the last layer's vectors.

    The first layer is the lowest Transformer layer, `hidden_states[1]` as
    transformers counts, not the embeddings.
    """
    lowest = next(x for x in encoder.layers if x.name.endswith("_output_layer_norm"))
    first = ops.cast(lowest.output, full_precision())
    return masked_mean((first + tokens(encoder)) / 2.0, encoder)


POOLINGS: dict[str, Callable[[keras.Model], Tensor]] = {
    "cls": first_token,
    "pooler": pooler,
    "mean": mean,
    "max": maximum,
    "first-last": first_last,
}


def tokens(encoder: keras.Model) -> Tensor:
    """Return the last layer's vectors, (batch, length, hidden)."""
    return ops.cast(encoder.output["sequence_output"], full_precision())


def token_mask(encoder: keras.Model, hidden: Tensor) -> Tensor:
    """Return 1 for tokens and 0 for padding, (batch, length, 1)."""
    return ops.cast(encoder.input["attention_mask"], hidden.dtype)[:, :, None]


def masked_mean(hidden: Tensor, encoder: keras.Model) -> Tensor:
    """Return the mean over the tokens that are not padding, (batch, hidden)."""
    mask = token_mask(encoder, hidden)
    return ops.sum(hidden * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1.0)


def compile_model(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, config: TrainConfig
) -> None:
    """Give the model the loss of its objective, on what the loss shall see."""
    loss = regression_loss
    if config.objective != "sts":
        loss = contrastive_loss(config.temperature, config.hard_negative_weight)
    seen = "projected" if "projected" in model.output else "embedding"
    model.compile(
        optimizer,
        loss={name: loss if name == seen else None for name in model.output},
        # XLA would compile anew for each length; JAX has no other way to be fast.
        jit_compile=keras.config.backend() == "jax",
    )


def serving_model(model: keras.Model, config: TrainConfig) -> keras.Model:
    """Return the model as it is served: `embedding` alone."""
    return keras.Model(model.input, {"embedding": model.output["embedding"]})


def hugging_face_model(model: keras.Model, config: TrainConfig) -> keras.Model:
    """Return what a Hugging Face folder holds: the same."""
    return serving_model(model, config)


def hugging_face_config(config: TrainConfig) -> dict[str, Any]:
    """Return what transformers' config.json says beside the encoder's sizes."""
    return sentence_transformers_files.encoder_settings(config)


def hugging_face_files(
    model: keras.Model, encoder_config: EncoderConfig, config: TrainConfig
) -> dict[str, bytes]:
    """Return further files of the folder: those that sentence-transformers reads."""
    return sentence_transformers_files.module_files(model, encoder_config, config)
