"""The head for aspects and opinions on the encoder, and its loss."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers, ops

from .answers import limit
from .config import TrainConfig
from .divergence import binary, categorical
from .encoder import EncoderConfig
from .served_spans import search, text_tokens
from .transformer import full_precision

# transformers' name of the same head: one vector of logits for each token.
HUGGING_FACE_TASK = "ForTokenClassification"


def encoder_options(config: TrainConfig) -> dict[str, Any]:
    """Return what `build_encoder` is asked for beside its last layer: nothing."""
    return {}


def build_model(encoder: keras.Model, config: TrainConfig) -> keras.Model:
    """Return a model that scores each token for both steps.

    Inputs are the encoder's; the output `logits`, (batch, length, 2 + polarities),
    float32, says of each token whether a span starts there, whether one ends there,
    and which polarity is meant. Position 0, [CLS], stands for the aspect: in step 1
    for one that the text does not name, in step 2 its polarity is the aspect's own.
    """
    hidden = encoder.output["sequence_output"]  # (batch, length, hidden)
    hidden = layers.Dropout(config.classifier_dropout, name="classifier_dropout")(
        hidden
    )
    head = layers.Dense(
        2 + len(config.polarities),
        kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02),
        dtype=full_precision(),
        name="classifier",
    )
    logits = layers.Identity(name="logits", dtype=full_precision())(head(hidden))
    return keras.Model(encoder.input, {"logits": logits}, name="aspect_sentiment")


def compile_model(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, config: TrainConfig
) -> None:
    """Give the model its loss, which takes logits."""
    model.compile(
        optimizer,
        loss={"logits": aspect_loss},
        # XLA would compile anew for each length; JAX has no other way to be fast.
        jit_compile=keras.config.backend() == "jax",
    )


def aspect_loss(targets: Any, logits: Any) -> Any:
    """Return the loss of each row, (batch,).

    `targets`, (batch, length, 3), are 0 or 1 for start and end, and the number of the
    polarity; -1 is passed over. Any number of tokens may start or end a span, so each
    has a binary cross-entropy, and a polarity is one of several. The loss is their
    sum, minus the logarithm of the probability of all that the row should say: a mean
    over the tokens would let the polarities outweigh the spans.
    """
    targets = ops.cast(targets, "int32")
    spans, polarity = targets[..., :2], targets[..., 2]
    losses = ops.binary_crossentropy(
        ops.cast(ops.maximum(spans, 0), logits.dtype), logits[..., :2], from_logits=True
    )
    loss = ops.sum(losses * ops.cast(spans >= 0, logits.dtype), axis=(1, 2))
    if logits.shape[-1] == 2:  # there are no polarities
        return loss
    losses = ops.sparse_categorical_crossentropy(
        ops.maximum(polarity, 0), logits[..., 2:], from_logits=True
    )
    return loss + ops.sum(losses * ops.cast(polarity >= 0, logits.dtype), axis=1)


def divergence(
    targets: Any,
    expected: Mapping[str, Any],
    found: Mapping[str, Any],
    config: TrainConfig,
    temperature: float = 1.0,
) -> Any:
    """Return how far the tokens' scores are from others: a mean over the rows.

    As in the loss, a row counts the sum over its tokens, and what has no target takes
    no part.
    """
    expected, found = expected["logits"], found["logits"]
    real = ops.cast(targets["logits"] >= 0, found.dtype)  # (batch, length, 3)
    spans = binary(expected[..., :2], found[..., :2], temperature)
    apart = ops.sum(spans * real[..., :2], axis=(1, 2))
    if found.shape[-1] > 2:
        polarity = categorical(expected[..., 2:], found[..., 2:], temperature)
        apart += ops.sum(polarity * real[..., 2], axis=1)
    return ops.mean(apart)


def serving_model(model: keras.Model, config: TrainConfig) -> keras.Model:
    """Return the model as it is served: with probabilities, and the spans they mean.

    `start` and `end`, (batch, length), are 0 at padding; `implicit`, (batch,), says
    that the text does not name an aspect; `polarity`, (batch, length, polarities), is
    in the order of settings.json, that of [CLS] the aspect's own. `span_end` and
    `span_score` are what served_spans.py finds, down to the lower of both thresholds.

    The model is called as a layer: its operations keep their names to themselves,
    which in a loaded model may be those of the new ones.
    """
    threshold = min(limit(config.aspect_threshold), limit(config.opinion_threshold))
    inputs = {
        name: keras.Input(each.shape[1:], dtype=each.dtype, name=name)
        for name, each in model.input.items()
    }
    logits = model(inputs)["logits"]
    real = ops.cast(inputs["attention_mask"], logits.dtype)
    start = ops.sigmoid(logits[..., 0]) * real
    end = ops.sigmoid(logits[..., 1]) * real
    shown = text_tokens(inputs["input_ids"], inputs["attention_mask"])
    shown = ops.cast(shown, logits.dtype)
    sizes = (config.max_span_length, config.max_aspects)
    span_end, span_score = search(start * shown, end * shown, threshold, *sizes)
    outputs = {"start": start, "end": end, "implicit": start[:, 0] * end[:, 0]}
    outputs |= {"span_end": span_end, "span_score": span_score}
    if logits.shape[-1] > 2:
        outputs["polarity"] = ops.softmax(logits[..., 2:])
    return keras.Model(inputs, outputs, name=model.name)


def hugging_face_model(model: keras.Model, config: TrainConfig) -> keras.Model:
    """Return what a Hugging Face folder holds: all of the model."""
    return model


def hugging_face_config(config: TrainConfig) -> dict[str, Any]:
    """Return what transformers' config.json says of the head."""
    names = ("START", "END", *config.polarities)
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
