"""Correlations, ranks and geometry on small cases worked out by hand."""

import math

import numpy as np
import pytest

from {{ cookiecutter.package }} import metrics


def test_equal_values_share_their_ranks():
    """Ranks count from 1, and equal values get the mean of their places."""
    ranks = metrics.average_ranks(np.array([3.0, 1.0, 3.0, 2.0, 3.0]))
    assert ranks.tolist() == [4.0, 1.0, 4.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("first", "second", "pearson", "spearman"),
    [
        ([1, 2, 3], [2, 4, 6], 1, 1),
        ([1, 2, 3], [6, 4, 2], -1, -1),
        ([1, 2, 3, 4], [1, 4, 9, 16], 0.9843740387, 1),  # 25 / √(5 · 129)
        ([1, 2, 3], [1, 3, 2], 0.5, 0.5),
        ([1, 1, 2], [1, 2, 3], math.sqrt(0.75), math.sqrt(0.75)),  # ranks 1.5 1.5 3
        ([0, 1], [5, 5.0000001], 1, 1),
    ],
)
def test_correlations(first, second, pearson, spearman):
    """Both equal the formula's value, whatever the scale."""
    assert metrics.pearson(first, second) == pytest.approx(pearson)
    assert metrics.spearman(first, second) == pytest.approx(spearman)
    scaled = [7.0 - 1e6 * x for x in second]
    assert metrics.pearson(first, scaled) == pytest.approx(-pearson)
    assert metrics.spearman(first, scaled) == pytest.approx(-spearman)


def test_a_constant_has_no_correlation():
    """What orders nothing gives nan, and so does a nan; no list is an error."""
    for function in (metrics.pearson, metrics.spearman):
        assert math.isnan(function([1, 1, 1], [1, 2, 3]))
        assert math.isnan(function([1, 2, 3], [1, float("nan"), 3]))
        for first, second in (([], []), ([1], [1]), ([1, 2], [1, 2, 3])):
            with pytest.raises(ValueError, match="two lists of one length"):
                function(first, second)


def test_ranks():
    """Accuracy counts first places, the mean reciprocal rank all of them."""
    assert metrics.accuracy_and_mrr([1, 2, 4, 1]) == (0.5, 0.6875)


def test_geometry():
    """Pairs at a right angle are 2 apart; an even spread has uniformity -4."""
    assert metrics.alignment([1.0, 0.0]) == pytest.approx(1.0)
    assert metrics.uniformity([1.0, 1.0]) == 0.0
    assert metrics.uniformity([math.exp(-4.0)] * 3) == pytest.approx(-4.0)
