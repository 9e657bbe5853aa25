"""What the field reports of sentence vectors: correlations, ranks, geometry."""

from collections.abc import Sequence

import numpy as np

MONITOR = "score"  # the figure that picks the best model
REPORTED = ("score",)  # the figures shown after each epoch


def pearson(first: Sequence[float], second: Sequence[float]) -> float:
    """Return Pearson's correlation, -1 to 1.

    It is nan where either side is constant or has a nan, as SciPy's is: a constant
    orders nothing. Raises ValueError for lists of different lengths or of fewer than
    two numbers.
    """
    one, other = (np.asarray(x, "float64") for x in (first, second))
    if one.shape != other.shape or one.ndim != 1 or len(one) < 2:
        raise ValueError("correlation needs two lists of one length, two numbers each")
    if (one == one[0]).all() or (other == other[0]).all():
        return float("nan")
    product = np.dot(*(unit(x - x.mean()) for x in (one, other)))
    return float(np.clip(product, -1.0, 1.0))


def unit(vector: np.ndarray) -> np.ndarray:
    """Return the vector at length 1; very large numbers do not overflow."""
    vector = vector / np.abs(vector).max()
    return vector / np.linalg.norm(vector)


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Return Spearman's correlation: Pearson's of the ranks, ties sharing theirs.

    It is nan, and raises ValueError, where `pearson` does.
    """
    both = [np.asarray(x, "float64") for x in (first, second)]
    if any(np.isnan(x).any() for x in both):
        return float("nan")
    return pearson(*(average_ranks(x) for x in both))


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Return each value's place from 1 on; equal values get the mean of theirs."""
    _, groups, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2.0)[groups]


def accuracy_and_mrr(ranks: Sequence[int]) -> tuple[float, float]:
    """Return the share of ranks that are 1, and the mean of their reciprocals."""
    places = np.asarray(ranks, "float64")
    return float(np.mean(places == 1)), float(np.mean(1.0 / places))


def alignment(cosines: Sequence[float]) -> float:
    """Return the mean squared distance of pairs that mean the same, as unit vectors.

    Wang and Isola, 2020, https://arxiv.org/abs/2005.10242; 0 is best, 2 unrelated.
    """
    return float(np.mean(2.0 - 2.0 * np.asarray(cosines, "float64")))


def uniformity(crowding: Sequence[float]) -> float:
    """Return the logarithm of the mean Gaussian potential of sentence pairs.

    `crowding` is, for each sentence, the mean of exp(-2 · distance²) to the others, on
    unit vectors. The same paper; lower is better, -4 is even, 0 a single point.
    """
    return float(np.log(np.mean(np.asarray(crowding, "float64"))))
