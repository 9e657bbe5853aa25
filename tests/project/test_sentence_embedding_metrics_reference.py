"""Correlations equal SciPy's on random and adversarial lists."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from .conftest import Load

scipy_stats = pytest.importorskip("scipy.stats", reason="SciPy is not installed")


def cases() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return lists with and without ties, of many sizes and scales."""
    random = np.random.default_rng(0)
    found = []
    for size in (2, 3, 5, 50, 1379):
        for scale in (1.0, 1e-8, 1e12):
            one, other = random.normal(size=(2, size))
            found.append((scale * one, one + other))
            found.append((scale * one, random.integers(0, 5, size).astype(float)))
            found.append((np.round(one), np.round(other)))
    steps = np.arange(10.0)
    found += [(steps, steps), (steps, -steps), (steps, steps**9)]
    found += [(steps + 1e9, steps[::-1] - 1e9), (steps, np.full(10, 3.0))]
    found += [(np.full(4, 0.1), np.full(4, 0.1)), (steps * 1e200, -steps)]
    found += [(np.where(steps == 9, 1.0, 0.0), np.where(steps == 0, 1.0, 0.0))]
    found += [(steps, np.where(steps == 3, np.nan, steps))]
    found += [(np.array([0.0, -0.0, 1.0]), np.array([1.0, 2.0, 3.0]))]
    return found


@pytest.mark.parametrize(
    ("name", "theirs"), [("pearson", "pearsonr"), ("spearman", "spearmanr")]
)
def test_correlations_equal_scipy(embedding: Load, name: str, theirs: str) -> None:
    """The same value to 1e-12, and nan where SciPy has nan."""
    ours = getattr(embedding("metrics"), name)
    count = 0
    for one, other in cases():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = float(getattr(scipy_stats, theirs)(one, other)[0])
        found = ours(one, other)
        assert math.isnan(found) == math.isnan(expected), (one, other)
        if not math.isnan(expected):
            assert found == pytest.approx(expected, abs=1e-12), (one, other)
            count += 1
    assert count > 45
