"""The classifier of words on the encoder; how scores become labels is in head.py."""

from typing import Any

import keras
from keras import layers, ops

from . import head
from .config import TrainConfig
from .encoder import EncoderConfig
from .errors import UserError
from .transformer import full_precision

HUGGING_FACE_TASK = head.HUGGING_FACE_TASK


def encoder_options(config: TrainConfig) -> dict[str, Any]:
    """Return what `build_encoder` is asked for beside its last layer."""
    if config.last_layers == 1:
        return {}
    return {"concatenate_layers": config.last_layers}


def build_model(encoder: keras.Model, config: TrainConfig) -> keras.Model:
    """Return a model that scores the labels of each word at the word's first piece.

    Inputs are the encoder's and `word_positions`, int32 (batch, words): where in the
    row each word's first piece stands, 0 for padding, which [CLS] makes room for. The
    outputs are `logits` (batch, words, labels), float32, and what the head adds.
    """
    name = "sequence_output" if config.last_layers == 1 else "last_layers_output"
    hidden = encoder.output[name]  # (batch, length, layers · hidden)
    dropout = layers.Dropout(config.classifier_dropout, name="classifier_dropout")
    classifier = layers.Dense(
        len(config.labels) or 1,
        kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02),
        dtype=full_precision(),
        name="classifier",
    )
    word_positions = keras.Input((None,), dtype="int32", name="word_positions")
    logits = ops.take_along_axis(  # from (batch, length, labels)
        classifier(dropout(hidden)), ops.expand_dims(word_positions, -1), axis=1
    )
    logits = layers.Identity(dtype=logits.dtype, name="logits")(logits)
    inputs = {**encoder.input, "word_positions": word_positions}
    outputs = head.add_head(logits, word_positions)
    return keras.Model(inputs, outputs, name="token_classification")


def compile_model(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, config: TrainConfig
) -> None:
    """Give the model its loss, and the head its own learning rate."""
    factor = config.head_learning_rate
    factor = head.LEARNING_RATE if factor is None else factor
    if factor != 1:
        optimizer.rate_factors = dict.fromkeys(head.LAYERS, factor)
    model.compile(
        optimizer,
        loss={"logits": head.make_loss(model)},
        # XLA would compile anew for each length; JAX has no other way to be fast.
        jit_compile=keras.config.backend() == "jax",
    )


def serving_model(model: keras.Model, config: TrainConfig) -> keras.Model:
    """Return the model as it is served: with the `labels` that the scores mean."""
    outputs = head.serving_outputs(model.output, model.input["word_positions"])
    return keras.Model(model.input, outputs, name=model.name)


def hugging_face_model(model: keras.Model, config: TrainConfig) -> keras.Model:
    """Return what a Hugging Face folder holds: all of the model."""
    return model


def hugging_face_config(config: TrainConfig) -> dict[str, Any]:
    """Return what transformers' config.json says of the head.

    Raises UserError where transformers' classifier cannot do the same.
    """
    if config.last_layers != 1:
        raise UserError(
            f"transformers cannot classify from {config.last_layers} layers",
            "its model for tokens takes the encoder's last layer alone",
            "export a SavedModel, or train with --last-layers 1",
        )
    names = config.labels or ("LABEL_0",)
    return {
        "id2label": {str(number): name for number, name in enumerate(names)},
        "label2id": {name: number for number, name in enumerate(names)},
        # BERT's name of it, and ALBERT's.
        "classifier_dropout": config.classifier_dropout,
        "classifier_dropout_prob": config.classifier_dropout,
    }


def hugging_face_files(
    model: keras.Model, encoder_config: EncoderConfig, config: TrainConfig
) -> dict[str, bytes]:
    """Return further files of such a folder by their path in it; here none."""
    return {}
