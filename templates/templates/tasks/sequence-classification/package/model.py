"""The classifier on the encoder, and its loss."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import layers, ops

from .config import TrainConfig
from .divergence import binary, categorical
from .encoder import EncoderConfig
from .transformer import full_precision

HUGGING_FACE_TASK = "ForSequenceClassification"  # transformers' name of the same head
PROBLEM_TYPES = {  # and of the kinds
    "auto": None,  # not settled yet; transformers would go by the labels too
    "single": "single_label_classification",
    "multi": "multi_label_classification",
    "regression": "regression",
}


def encoder_options(config: TrainConfig) -> dict[str, Any]:
    """Return what `build_encoder` is asked for beside its last layer: nothing."""
    return {}


def build_model(encoder: keras.Model, config: TrainConfig) -> keras.Model:
    """Return a model that scores the labels of a text.

    Inputs are the encoder's; the output is `logits`, (batch, labels), float32, or
    (batch, 1), the number itself, where the labels are numbers.
    """
    pooled = encoder.output["pooled_output"]  # (batch, hidden)
    dropout = layers.Dropout(config.classifier_dropout, name="classifier_dropout")
    classifier = layers.Dense(
        len(config.labels) or 1,
        kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02),
        dtype=full_precision(),
        name="classifier",
    )
    outputs = {"logits": classifier(dropout(pooled))}
    return keras.Model(encoder.input, outputs, name="sequence_classification")


def compile_model(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, config: TrainConfig
) -> None:
    """Give the model the loss of its kind of labels.

    The outputs are logits, so `from_logits` must be said: Keras assumes
    probabilities and would train on nonsense without a word.
    """
    weights = [float(each.rpartition("=")[2]) for each in config.class_weights]
    loss: Callable | keras.losses.Loss
    if config.kind == "regression":
        loss = keras.losses.MeanSquaredError()
    elif config.kind == "multi":
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        loss = weighted_binary_crossentropy(weights) if weights else loss
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        loss = weighted_crossentropy(weights) if weights else loss
    model.compile(
        optimizer,
        loss={"logits": loss},
        # XLA would compile anew for each length; JAX has no other way to be fast.
        jit_compile=keras.config.backend() == "jax",
    )


def weighted_crossentropy(weights: Sequence[float]) -> Callable[[Any, Any], Any]:
    """Return the cross-entropy in which an example counts as much as its class.

    Keras divides the sum over a batch by the number of its examples; with "balanced"
    weights, whose mean over all examples is 1, the loss keeps its size.
    """

    def loss(targets: Any, logits: Any) -> Any:
        labels = ops.cast(ops.reshape(targets, (-1,)), "int32")  # (batch,)
        losses = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        return losses * ops.take(ops.convert_to_tensor(weights, losses.dtype), labels)

    return loss


def weighted_binary_crossentropy(weights: Sequence[float]) -> Callable[[Any, Any], Any]:
    """Return the cross-entropy of several labels in which positives count more.

    Each label's positive examples count as much as its weight, negative ones 1.
    """

    def loss(targets: Any, logits: Any) -> Any:
        losses = ops.binary_crossentropy(targets, logits, from_logits=True)
        factors = ops.convert_to_tensor(weights, losses.dtype) * targets + 1 - targets
        return ops.mean(losses * factors, axis=-1)  # (batch,)

    return loss


def divergence(
    targets: Any,
    expected: Mapping[str, Any],
    found: Mapping[str, Any],
    config: TrainConfig,
    temperature: float = 1.0,
) -> Any:
    """Return how far outputs are from others, a mean over the batch.

    Of numbers it is the squared difference.
    """
    expected, found = expected["logits"], found["logits"]  # (batch, labels)
    if config.kind == "regression":
        return ops.mean(ops.square(expected - found))
    compare = binary if config.kind == "multi" else categorical
    return ops.mean(compare(expected, found, temperature))


def serving_model(model: keras.Model, config: TrainConfig) -> keras.Model:
    """Return the model as it is served: with `probabilities`, or with `value`.

    `probabilities`, (batch, labels), are in the order of the labels in settings.json;
    `value`, (batch,), is the number where the labels are numbers.
    """
    logits = model.output["logits"]
    if config.kind == "regression":
        outputs = {"value": ops.squeeze(logits, axis=-1)}
    else:
        activation = ops.sigmoid if config.kind == "multi" else ops.softmax
        outputs = {"logits": logits, "probabilities": activation(logits)}
    return keras.Model(model.input, outputs, name=model.name)


def hugging_face_model(model: keras.Model, config: TrainConfig) -> keras.Model:
    """Return what a Hugging Face folder holds: all of the model."""
    return model


def hugging_face_config(config: TrainConfig) -> dict[str, Any]:
    """Return what transformers' config.json says of the head."""
    names = config.labels or ("LABEL_0",)
    return {
        "id2label": {str(number): name for number, name in enumerate(names)},
        "label2id": {name: number for number, name in enumerate(names)},
        "problem_type": PROBLEM_TYPES[config.kind],
        # BERT's name of it, and ALBERT's.
        "classifier_dropout": config.classifier_dropout,
        "classifier_dropout_prob": config.classifier_dropout,
    }


def hugging_face_files(
    model: keras.Model, encoder_config: EncoderConfig, config: TrainConfig
) -> dict[str, bytes]:
    """Return further files of such a folder by their path in it; here none."""
    return {}
