"""Batches of rows of similar length: which rows, in which order, and as tf.data.

The order of a whole training run is laid out beforehand, from the seed alone. So
a run that was cut off goes on at any step exactly as if nothing had happened.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

# Rows are sorted by length within pools of so many batches. Larger pools pad less
# and mix less.
POOL_BATCHES = 64
# Batches are padded to a multiple of this, so that few shapes have to be compiled.
PAD_MULTIPLE = 16
# So many batches are made ahead while the model works.
PREFETCHED = 4


def training_plan(
    lengths: np.ndarray, batch_size: int, epochs: int, seed: int
) -> list[np.ndarray]:
    """Return the rows of each batch of all epochs, shuffled anew in each epoch.

    Every row comes once an epoch; all batches but the last are full.
    """
    plan: list[np.ndarray] = []
    for epoch in range(epochs):
        plan += epoch_plan(lengths, batch_size, seed, epoch)
    return plan


def epoch_plan(
    lengths: np.ndarray, batch_size: int, seed: int, epoch: int
) -> list[np.ndarray]:
    """Return the rows of each batch of one epoch."""
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(lengths))
    batches: list[np.ndarray] = []
    pool_size = batch_size * POOL_BATCHES
    for first in range(0, len(order), pool_size):
        pool = order[first : first + pool_size]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
    return [batches[i] for i in random.permutation(len(batches))]


def evaluation_plan(lengths: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Return the rows of each batch, longest first: memory trouble shows at once."""
    order = np.argsort(-lengths, kind="stable")
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def pad_rows(rows: Sequence[np.ndarray], limit: int) -> dict[str, np.ndarray]:
    """Return `input_ids` and `attention_mask`, int32 (batch, length).

    Padding has id 0 and mask 0; as it is masked, any id would do.
    """
    longest = max(len(row) for row in rows)
    # No longer than the longest row of all: the encoder may have no more positions.
    length = max(longest, min(limit, -(-longest // PAD_MULTIPLE) * PAD_MULTIPLE))
    input_ids = np.zeros((len(rows), length), "int32")
    attention_mask = np.zeros((len(rows), length), "int32")
    for index, row in enumerate(rows):
        input_ids[index, : len(row)] = row
        attention_mask[index, : len(row)] = 1
    return {"input_ids": input_ids, "attention_mask": attention_mask}


def batch_dataset(
    collate: Callable[[np.ndarray], tuple[dict, dict]], plan: Sequence[np.ndarray]
) -> "tf.data.Dataset":
    """Return the batches of a plan as `tf.data`, made ahead.

    Not `Dataset.from_generator`: it makes TensorFlow give freed memory back to the
    system at every step, which costs a tenth and more of the training time.
    """
    import tensorflow as tf

    example = collate(plan[0] if len(plan) else np.array([0]))
    dtypes = [tf.as_dtype(array.dtype) for array in tf.nest.flatten(example)]
    ranks = [array.ndim for array in tf.nest.flatten(example)]

    def load(step: tf.Tensor) -> tuple[dict, dict]:
        arrays = tf.numpy_function(
            lambda index: tf.nest.flatten(collate(plan[index])), [step], dtypes
        )
        for array, rank in zip(arrays, ranks, strict=True):
            array.set_shape([None] * rank)
        return tf.nest.pack_sequence_as(example, arrays)

    return make_ahead(tf.data.Dataset.range(len(plan)).map(load))


def make_ahead(batches: "tf.data.Dataset") -> "tf.data.Dataset":
    """Return batches that are made while the model works on those before.

    Without `tf.data`'s tuner: with it, TensorFlow 2.21 at times waits for seconds when
    the batches end, it seems for the tuner's sleep of 10 ms, 20 ms … up to a minute.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(PREFETCHED).with_options(options)
