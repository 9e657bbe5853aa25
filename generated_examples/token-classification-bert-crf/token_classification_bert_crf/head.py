"""Labels from scores: a sentence gets its most probable row of labels, by a CRF.

A linear-chain conditional random field (Lafferty et al., 2001) scores a whole row:

    score(y) = start[y_1] + Σ logits[t, y_t] + Σ transitions[y_t, y_t+1] + end[y_n]
    p(y) = exp(score(y)) / Σ over all rows y' of exp(score(y'))

`logits` (batch, words, labels) are the classifier's scores of the words. The rest is
one table, `transitions` (labels + 2, labels): row i < labels holds the scores of going
from label i to each other, the last two rows those of starting and of ending with a
label. Words stand side by side, without pieces or [CLS] between them; padding follows
and takes no part.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

Tensor = Any  # a KerasTensor while the graph is built

HUGGING_FACE_TASK = ""  # transformers has no model with a CRF
# The head's layers, and their learning rate as a multiple of the encoder's: a table
# that starts at 0 has a long way to go at a rate that is right for BERT.
LAYERS = ("crf_transitions",)
LEARNING_RATE = 100.0


def add_head(logits: Tensor, word_positions: Tensor) -> dict[str, Tensor]:
    """Return the model's outputs: the words' scores, and the table for each sentence.

    The table is the same for all; a stock Embedding layer holds it, so that a saved
    model needs no code of ours.
    """
    count = logits.shape[-1]
    table = layers.Embedding(
        count + 2,
        count,
        embeddings_initializer="zeros",
        dtype=logits.dtype,
        name="crf_transitions",
    )
    rows = np.arange(count + 2, dtype="int32")
    rows = ops.zeros_like(word_positions[:, :1]) + rows  # (batch, labels + 2)
    return {"logits": logits, "transitions": table(rows)}


def make_loss(model: keras.Model) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the loss: the negative log-likelihood of the rows, for each word.

    It is the sum over the batch by the number of its words, so that a word counts the
    same in a long and in a short sentence. Words with a negative label are padding.
    """
    table = model.get_layer("crf_transitions")

    def negative_log_likelihood(labels: Tensor, logits: Tensor) -> Tensor:
        labels = ops.cast(labels, "int32")  # (batch, words)
        real = ops.cast(labels >= 0, logits.dtype)
        scores = row_scores(logits, ops.maximum(labels, 0), real, table.embeddings)
        likelihoods = scores - log_partition(logits, real, table.embeddings)
        likelihoods = likelihoods * real[:, 0]  # a row without words has none
        return -ops.sum(likelihoods) / ops.maximum(ops.sum(real), 1.0)

    return negative_log_likelihood


def row_scores(logits: Tensor, labels: Tensor, real: Tensor, table: Tensor) -> Tensor:
    """Return the score of each row of labels, (batch,)."""
    count = logits.shape[-1]
    at_words = ops.take_along_axis(logits, ops.expand_dims(labels, -1), axis=-1)
    table = ops.reshape(table, (-1,))
    steps = ops.take(table, labels[:, :-1] * count + labels[:, 1:])
    start = ops.take(table, count * count + labels[:, 0])
    last = ops.cast(ops.maximum(ops.sum(real, axis=1) - 1, 0), "int32")
    last = ops.take_along_axis(labels, ops.expand_dims(last, -1), axis=1)[:, 0]
    end = ops.take(table, (count + 1) * count + last)
    inner = ops.sum(ops.squeeze(at_words, -1) * real, axis=1)
    return start + inner + ops.sum(steps * real[:, 1:], axis=1) + end


def log_partition(logits: Tensor, real: Tensor, table: Tensor) -> Tensor:
    """Return the log of the sum over all rows of labels, (batch,).

    The forward algorithm: `alpha[b, j]` is the same sum over the rows of the words so
    far that end with label j. Past the last word it stays as it is.
    """
    count = logits.shape[-1]
    transitions, start, end = table[:count], table[count], table[count + 1]

    def step(alpha: Tensor, word: Tensor) -> tuple[Tensor, Tensor]:
        paths = ops.expand_dims(alpha, -1) + transitions  # (batch, from, to)
        following = ops.logsumexp(paths, axis=1) + word[:, :count]
        alpha = ops.where(word[:, count:] > 0, following, alpha)
        return alpha, alpha

    words = ops.concatenate([logits, ops.expand_dims(real, -1)], axis=-1)
    words = ops.transpose(words, (1, 0, 2))  # (words, batch, labels + 1)
    alpha, _ = ops.scan(step, start + logits[:, 0], words[1:])
    return ops.logsumexp(alpha + end, axis=-1)


class Viterbi(layers.Layer):
    """Finds the best row of labels in the graph of an export.

    It has no weights and is in no `model.keras`: an export holds its operations.
    """

    def call(self, logits: Tensor, table: Tensor, word_positions: Tensor) -> Tensor:
        """Return labels (batch, words), -1 for padding."""
        count = logits.shape[-1]
        transitions, start, end = table[:, :count], table[:, count], table[:, count + 1]
        same = ops.zeros_like(logits[:, 0]) + ops.arange(count, dtype=logits.dtype)

        def step(carry: Tensor, word: Tensor) -> tuple[Tensor, Tensor]:
            best, _ = carry
            paths = ops.expand_dims(best, -1) + transitions  # (batch, from, to)
            real = word[:, count:] > 0
            back = ops.cast(ops.argmax(paths, axis=1), same.dtype)
            best = ops.where(real, ops.max(paths, axis=1) + word[:, :count], best)
            carry = (best, ops.where(real, back, same))
            return carry, carry

        def step_back(label: Tensor, back: Tensor) -> tuple[Tensor, Tensor]:
            before = ops.take_along_axis(back, ops.expand_dims(label, -1), axis=1)
            return ops.cast(before[:, 0], "int32"), label

        real = ops.expand_dims(ops.cast(word_positions > 0, logits.dtype), -1)
        words = ops.transpose(ops.concatenate([logits, real], axis=-1), (1, 0, 2))
        (best, _), (_, backs) = ops.scan(step, (start + logits[:, 0], same), words[1:])
        last = ops.cast(ops.argmax(best + end, axis=-1), "int32")
        first, labels = ops.scan(step_back, last, backs, reverse=True)
        labels = ops.concatenate([ops.expand_dims(first, 0), labels], axis=0)
        return ops.where(word_positions > 0, ops.transpose(labels), -1)

    def compute_output_spec(
        self, logits: Tensor, table: Tensor, word_positions: Tensor
    ) -> keras.KerasTensor:
        """Return the shape of the labels."""
        return keras.KerasTensor(word_positions.shape, dtype="int32")


def serving_outputs(
    outputs: Mapping[str, Tensor], word_positions: Tensor
) -> dict[str, Tensor]:
    """Return what an export computes: all scores, and the best `labels` (batch, words).

    A label is the number of its name in settings.json, -1 for padding.
    """
    best = Viterbi(name="viterbi")(
        outputs["logits"], outputs["transitions"], word_positions
    )
    return {**outputs, "labels": best}


def decode(
    logits: np.ndarray, shared: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best row of labels (words,), and all probabilities (words, labels).

    `logits` (words, labels) are those of the whole sentence; `shared` are the outputs
    that are the same for all sentences. A probability is the exact one of a word's
    label, over all rows.
    """
    scores, table = logits.astype("float64"), shared["transitions"].astype("float64")
    return best_row(scores, table), marginals(scores, table)


def best_row(logits: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return the row with the highest score, by Viterbi's algorithm.

    Of equal ones, the row with the lowest label at the last place where they differ.
    """
    count = logits.shape[-1]
    best = table[count] + logits[0]
    backs = []
    for word in logits[1:]:
        paths = best[:, None] + table[:count]  # (from, to)
        backs.append(paths.argmax(0))
        best = paths.max(0) + word
    row = [int((best + table[count + 1]).argmax())]
    for back in reversed(backs):
        row.append(int(back[row[-1]]))
    return np.array(row[::-1])


def marginals(logits: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return the probability of each label at each word, by forward and backward."""
    count = logits.shape[-1]
    forward, backward = np.empty_like(logits), np.empty_like(logits)
    forward[0], backward[-1] = table[count] + logits[0], table[count + 1]
    for t in range(1, len(logits)):
        paths = forward[t - 1][:, None] + table[:count]
        forward[t] = np.logaddexp.reduce(paths, axis=0) + logits[t]
        after = backward[-t] + logits[-t]
        backward[-t - 1] = np.logaddexp.reduce(table[:count] + after, axis=1)
    both = forward + backward
    return np.exp(both - np.logaddexp.reduce(both, axis=1)[:, None])
