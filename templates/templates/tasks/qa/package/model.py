"""The question-answering head on the encoder, and its loss."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers, ops

from .config import TrainConfig
from .divergence import categorical
from .encoder import EncoderConfig
from .transformer import full_precision

HUGGING_FACE_TASK = "ForQuestionAnswering"  # transformers' name of the same head


def encoder_options(config: TrainConfig) -> dict[str, Any]:
    """Return what `build_encoder` is asked for beside its last layer: nothing."""
    return {}


def build_model(encoder: keras.Model, config: TrainConfig) -> keras.Model:
    """Return a model that scores each token as start and as end of the answer.

    Inputs are the encoder's; outputs are logits `start` and `end`, (batch, length),
    float32. Position 0, [CLS], stands for "no answer". Padding gets a logit so low
    that it takes no part, so a score does not depend on the rest of the batch.
    """
    head = layers.Dense(
        2,
        kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02),
        dtype=full_precision(),
        name="qa_head",
    )
    logits = head(encoder.output["sequence_output"])  # (batch, length, 2)
    mask = ops.cast(encoder.input["attention_mask"], logits.dtype)
    hidden = -1e4 * (1.0 - mask)  # (batch, length)
    outputs = {
        name: layers.Identity(name=name, dtype=logits.dtype)(
            ops.take(logits, index, axis=-1) + hidden
        )
        for index, name in enumerate(("start", "end"))
    }
    return keras.Model(encoder.input, outputs, name="qa")


def compile_model(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, config: TrainConfig
) -> None:
    """Give the model its loss: the mean of start's and end's cross-entropy.

    The outputs are logits, so `from_logits` must be said: Keras assumes
    probabilities and would train on nonsense without a word.
    """
    names = ("start", "end")
    model.compile(
        optimizer,
        loss={
            name: keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            for name in names
        },
        loss_weights={name: 0.5 for name in names},
        # XLA would compile anew for each length; JAX has no other way to be fast.
        jit_compile=keras.config.backend() == "jax",
    )
    # Makes the losses' means, or TensorFlow would trace the first step twice.
    positions, logits = ops.zeros((1,), "int32"), ops.zeros((1, 2))
    model.compute_loss(
        y=dict.fromkeys(names, positions),
        y_pred=dict.fromkeys(names, logits),
        training=False,
    )


def divergence(
    targets: Any,
    expected: Mapping[str, Any],
    found: Mapping[str, Any],
    config: TrainConfig,
    temperature: float = 1.0,
) -> Any:
    """Return how far outputs are from others: the mean of start's and end's divergence.

    Padding has no probability in either, so it takes no part.
    """
    parts = [
        ops.mean(categorical(expected[name], found[name], temperature))
        for name in ("start", "end")
    ]
    return sum(parts) / 2


def serving_model(model: keras.Model, config: TrainConfig) -> keras.Model:
    """Return the model as it is served: the search for spans needs the text."""
    return model


def hugging_face_model(model: keras.Model, config: TrainConfig) -> keras.Model:
    """Return what a Hugging Face folder holds: all of the model."""
    return model


def hugging_face_config(config: TrainConfig) -> dict[str, Any]:
    """Return what transformers' config.json says of the head."""
    return {}


def hugging_face_files(
    model: keras.Model, encoder_config: EncoderConfig, config: TrainConfig
) -> dict[str, bytes]:
    """Return further files of such a folder by their path in it; here none."""
    return {}
