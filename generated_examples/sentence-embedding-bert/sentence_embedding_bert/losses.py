"""SimCSE's contrastive loss and the regression of cosines, over a whole batch.

SimCSE: Gao et al., 2021, https://arxiv.org/abs/2104.08821, `simcse/models.py`.

A batch is a list of sentences, each a row of the model's output. Which rows belong
together is said by the targets, (rows, 3): the row's role, the number of its example
in the batch, and the example's score. So the order of the rows does not matter, and
an example without a negative has no row for it.
"""

from collections.abc import Callable
from typing import Any

from keras import ops

# Roles: the sentence, the one it is compared with, the hard negative.
ANCHOR, POSITIVE, NEGATIVE = 0, 1, 2

Tensor = Any
Loss = Callable[[Tensor, Tensor], Tensor]


def contrastive_loss(temperature: float, hard_negative_weight: float) -> Loss:
    """Return the loss of telling each positive from all other candidates.

    The candidates of an anchor are the positives and hard negatives of the whole
    batch; its logits are cosine / temperature. `hard_negative_weight` is added to the
    logit of the anchor's own negative, after the division. The loss is the mean
    cross-entropy of the anchors.
    """

    def loss(targets: Tensor, vectors: Tensor) -> Tensor:
        role, same_example = roles(targets)
        logits = cosines(vectors) / temperature
        own_negative = ops.logical_and(same_example, role == NEGATIVE)
        logits = logits + hard_negative_weight * ops.cast(own_negative, logits.dtype)
        logits = ops.where(role == ANCHOR, -1e9, logits)  # no candidates
        log_probabilities = ops.log_softmax(logits, axis=-1)
        return -mean_of_pairs(log_probabilities, role, same_example)

    return loss


def regression_loss(targets: Tensor, vectors: Tensor) -> Tensor:
    """Return the mean squared difference of each pair's cosine to its score."""
    role, same_example = roles(targets)
    differences = cosines(vectors) - targets[:, 2:]
    return mean_of_pairs(ops.square(differences), role, same_example)


def roles(targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return each row's role, and whether two rows are of one example."""
    number = targets[:, 1]
    return targets[:, 0], number[:, None] == number[None, :]


def cosines(vectors: Tensor) -> Tensor:
    """Return the cosine of every two rows, (rows, rows)."""
    unit = ops.normalize(vectors, axis=-1)
    return ops.matmul(unit, ops.transpose(unit))


def mean_of_pairs(values: Tensor, role: Tensor, same_example: Tensor) -> Tensor:
    """Return the mean of a (rows, rows) matrix where an anchor meets its positive."""
    pair = ops.logical_and(role[:, None] == ANCHOR, role[None, :] == POSITIVE)
    pair = ops.logical_and(pair, same_example)
    count = ops.sum(ops.cast(pair, values.dtype))
    return ops.sum(ops.where(pair, values, 0.0)) / count
