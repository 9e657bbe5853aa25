"""Labels from scores: each word gets its most probable one, by itself.

`logits` (batch, words, labels) are the classifier's scores of the words.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = Any  # a KerasTensor while the graph is built

HUGGING_FACE_TASK = "ForTokenClassification"  # transformers' name of the same head
# The head's layers, and their learning rate as a multiple of the encoder's.
LAYERS = ("classifier",)
LEARNING_RATE = 1.0


def add_head(logits: Tensor, word_positions: Tensor) -> dict[str, Tensor]:
    """Return the model's outputs: the scores as they are."""
    return {"logits": logits}


def make_loss(model: keras.Model) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the loss: the mean of the words' cross-entropies.

    Words with a negative label, padding among them, take no part. The outputs are
    logits, so `from_logits` must be said: Keras assumes probabilities and would train
    on nonsense without a word.
    """

    def cross_entropy(labels: Tensor, logits: Tensor) -> Tensor:
        labels = ops.cast(labels, "int32")  # (batch, words)
        real = ops.cast(labels >= 0, logits.dtype)
        losses = ops.sparse_categorical_crossentropy(
            ops.maximum(labels, 0), logits, from_logits=True
        )
        return ops.sum(losses * real) / ops.maximum(ops.sum(real), 1.0)

    return cross_entropy


def serving_outputs(
    outputs: Mapping[str, Tensor], word_positions: Tensor
) -> dict[str, Tensor]:
    """Return what an export computes: `logits`, and `labels` (batch, words).

    A label is the number of its name in settings.json, -1 for padding.
    """
    best = ops.cast(ops.argmax(outputs["logits"], axis=-1), "int32")
    return {**outputs, "labels": ops.where(word_positions > 0, best, -1)}


def decode(
    logits: np.ndarray, shared: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels (words,) of a sentence, and all probabilities (words, labels).

    `logits` (words, labels) are those of the whole sentence; `shared` are the outputs
    that are the same for all sentences, of which this head has none.
    """
    exponents = np.exp(logits.astype("float64") - logits.max(-1, keepdims=True))
    return logits.argmax(-1), exponents / exponents.sum(-1, keepdims=True)
