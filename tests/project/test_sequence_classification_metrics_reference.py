"""The classification metrics against scikit-learn and SciPy, on odd cases too."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TASK = REPOSITORY / "templates/templates/tasks/sequence-classification"
MISSING = [name for name in ("sklearn", "scipy") if not importlib.util.find_spec(name)]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}")


def load_metrics() -> ModuleType:
    """Import the template's metrics module, which needs NumPy alone."""
    path = TASK / "package/metrics.py"
    spec = importlib.util.spec_from_file_location("classification_metrics", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


METRICS = load_metrics()


def single_cases() -> dict[str, tuple[np.ndarray, np.ndarray, int]]:
    """Return gold, predicted and number of labels of each case."""
    random = np.random.default_rng(7)
    cases = {}
    for number in range(60):
        labels, count = int(random.integers(2, 9)), int(random.integers(1, 40))
        gold = random.integers(0, labels, count)
        noise = random.integers(0, labels, count)
        predicted = np.where(random.random(count) < random.random(), gold, noise)
        cases[f"random {number}"] = (gold, predicted, labels)
    zeros, ones = np.zeros(5, int), np.ones(5, int)
    cases["all right, one class"] = (zeros, zeros, 2)
    cases["all wrong, one class"] = (zeros, ones, 2)
    cases["one class predicted"] = (np.arange(5) % 3, ones, 3)
    cases["one class in gold"] = (ones, np.arange(5) % 3, 3)
    cases["absent classes"] = (zeros, ones, 9)
    cases["many"] = (random.integers(0, 150, 5000), random.integers(0, 150, 5000), 150)
    cases["swapped"] = (np.arange(8) % 2, 1 - np.arange(8) % 2, 2)
    return cases


@pytest.mark.parametrize("name", single_cases())
def test_one_label(name: str) -> None:
    """Accuracy, F1, Matthews and each class equal scikit-learn with all labels."""
    from sklearn import metrics as sklearn

    gold, predicted, count = single_cases()[name]
    labels = [f"label {number}" for number in range(count)]
    scores = METRICS.classification_scores(gold, predicted, labels)
    options = {"labels": range(count), "zero_division": 0.0}
    expected = {
        "accuracy": sklearn.accuracy_score(gold, predicted),
        "micro_f1": sklearn.f1_score(gold, predicted, average="micro", **options),
        "macro_f1": sklearn.f1_score(gold, predicted, average="macro", **options),
        "matthews": sklearn.matthews_corrcoef(gold, predicted),
    }
    if count == 2:
        expected["f1"] = sklearn.f1_score(gold, predicted, zero_division=0.0)
    assert {key: scores[key] for key in expected} == pytest.approx(
        {key: 100 * value for key, value in expected.items()}, rel=1e-12, abs=1e-9
    )
    classes = sklearn.precision_recall_fscore_support(gold, predicted, **options)
    for index, label in enumerate(labels):
        precision, recall, f1, support = (float(row[index]) for row in classes)
        assert scores["per_class"][label] == pytest.approx(
            {
                "precision": 100 * precision,
                "recall": 100 * recall,
                "f1": 100 * f1,
                "support": support,
            },
            rel=1e-12,
        )
    matrix = sklearn.confusion_matrix(gold, predicted, labels=range(count))
    found = METRICS.confusion_matrix(gold, predicted, count)
    np.testing.assert_array_equal(found, matrix)


@pytest.mark.parametrize("density", [0.0, 0.02, 0.3, 0.8, 1.0])
@pytest.mark.parametrize("seed", range(10))
def test_several_labels(seed: int, density: float) -> None:
    """Exact match and F1 equal scikit-learn, also where nothing is there or found."""
    from sklearn import metrics as sklearn

    random = np.random.default_rng(seed)
    gold = random.random((random.integers(1, 30), random.integers(1, 7))) < density
    predicted = np.where(random.random(gold.shape) < 0.7, gold, seed % 2 == 0)
    labels = [str(number) for number in range(gold.shape[1])]
    scores = METRICS.multi_label_scores(gold, predicted, labels)
    both = (gold.astype(int), predicted.astype(int))
    if gold.shape[1] == 1:  # scikit-learn would take one column for one label a text
        both = tuple(np.hstack([each, np.zeros_like(each)]) for each in both)
    options = {"labels": range(len(labels)), "zero_division": 0.0}
    expected = {
        "exact_match": sklearn.accuracy_score(*both),
        "micro_f1": sklearn.f1_score(*both, average="micro", **options),
        "macro_f1": sklearn.f1_score(*both, average="macro", **options),
    }
    assert {key: scores[key] for key in expected} == pytest.approx(
        {key: 100 * value for key, value in expected.items()}, rel=1e-12
    )


@pytest.mark.parametrize("kind", ["spread", "ties", "large", "tiny", "equal", "far"])
@pytest.mark.parametrize("seed", range(8))
def test_numbers(seed: int, kind: str) -> None:
    """Both correlations equal SciPy's, 0 where that says NaN."""
    from scipy import stats

    random = np.random.default_rng(seed)
    gold = random.normal(0, 2, random.integers(2, 50))
    predicted = gold + random.normal(0, 1, len(gold))
    if kind == "ties":
        gold, predicted = np.round(gold), np.round(predicted / 2)
    elif kind in ("large", "tiny"):
        factor = {"large": 1e150, "tiny": 1e-150}[kind]
        gold, predicted = gold * factor, predicted * factor
    elif kind == "far":
        gold = gold + 1e6
    elif kind == "equal":
        predicted = np.full(len(gold), 0.1 * seed)
    scores = METRICS.regression_scores(gold, predicted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy warns where the input is constant
        expected = {
            "pearson": stats.pearsonr(gold, predicted).statistic,
            "spearman": stats.spearmanr(gold, predicted).statistic,
        }
    for name, value in expected.items():
        wanted = 0.0 if np.isnan(value) else 100 * value
        assert scores[name] == pytest.approx(wanted, rel=1e-8, abs=1e-9), name
    np.testing.assert_array_equal(METRICS.ranks(predicted), stats.rankdata(predicted))
