"""How far predictions are from others: Kullback and Leibler's divergence of logits.

Training methods compare two predictions for the same batch, such as a student's and its
teacher's; `divergence` in model.py says what that means for the task. A temperature T
divides the logits, which shows how probable the less probable is; the factor T² keeps
the gradients as large as without it (Hinton et al., 2015,
https://arxiv.org/abs/1503.02531).
"""

from typing import Any

from keras import ops

Tensor = Any


def categorical(expected: Tensor, found: Tensor, temperature: float = 1.0) -> Tensor:
    """Return T² · KL(expected ‖ found) of distributions over the last axis.

    Both are logits, (…, classes); the result is (…).
    """
    expected = ops.log_softmax(expected / temperature, axis=-1)
    found = ops.log_softmax(found / temperature, axis=-1)
    parts = ops.exp(expected) * (expected - found)
    return temperature**2 * ops.sum(parts, axis=-1)


def binary(expected: Tensor, found: Tensor, temperature: float = 1.0) -> Tensor:
    """Return T² · KL(expected ‖ found) of labels that are there or not.

    Both are logits; the result has their shape.
    """
    expected, found = expected / temperature, found / temperature
    there = ops.log_sigmoid(expected) - ops.log_sigmoid(found)
    absent = ops.log_sigmoid(-expected) - ops.log_sigmoid(-found)
    parts = ops.sigmoid(expected) * there + ops.sigmoid(-expected) * absent
    return temperature**2 * parts
