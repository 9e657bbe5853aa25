"""The figures are those of the field, here worked out by hand."""

import numpy as np
import pytest

from {{ cookiecutter.package }} import metrics

LABELS = ("a", "b", "c", "d")  # nothing is "d", in gold or in predictions


def test_one_label():
    """Gold a a b b c, predicted a b b b a: the figures of scikit-learn, by hand."""
    gold, predicted = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 0])
    scores = metrics.classification_scores(gold, predicted, LABELS)
    classes = scores["per_class"]
    assert scores["total"] == 5
    assert scores["accuracy"] == scores["micro_f1"] == pytest.approx(60.0)
    assert classes["a"] == {"precision": 50.0, "recall": 50.0, "f1": 50.0, "support": 2}
    assert classes["b"]["precision"] == pytest.approx(200 / 3)
    assert classes["b"]["recall"] == pytest.approx(100.0)
    assert classes["b"]["f1"] == pytest.approx(80.0)
    nothing = {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    assert classes["c"] == {**nothing, "support": 1}
    assert classes["d"] == {**nothing, "support": 0}
    assert "f1" not in scores


def test_absent_classes_count():
    """The mean is over all four labels, also those that do not occur."""
    gold, predicted = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 0])
    scores = metrics.classification_scores(gold, predicted, LABELS)
    assert scores["macro_f1"] == pytest.approx((50 + 80 + 0 + 0) / 4)


def test_matthews():
    """Of two classes (TP·TN - FP·FN) / √…; 0 where all predictions are the same."""
    gold, predicted = np.array([1] * 6 + [0] * 4), np.array([1] * 4 + [0] * 5 + [1])
    scores = metrics.classification_scores(gold, predicted, ("no", "yes"))
    expected = (4 * 3 - 1 * 2) / np.sqrt(5 * 6 * 4 * 5)
    assert scores["matthews"] == pytest.approx(100 * expected)
    assert scores["f1_of"] == "yes"
    assert scores["f1"] == pytest.approx(100 * 2 * 4 / (5 + 6))
    scores = metrics.classification_scores(gold, np.ones(10, int), ("no", "yes"))
    assert scores["matthews"] == 0.0
    wrong = metrics.classification_scores(gold, 1 - gold, ("no", "yes"))
    assert wrong["matthews"] == pytest.approx(-100.0)


def test_several_labels():
    """Exact match wants the whole list; micro F1 counts labels, macro F1 classes."""
    gold = np.array([[1, 1, 0], [0, 0, 0], [0, 1, 0]], bool)
    predicted = np.array([[1, 0, 0], [0, 0, 0], [1, 1, 0]], bool)
    scores = metrics.multi_label_scores(gold, predicted, LABELS[:3])
    assert scores["exact_match"] == pytest.approx(100 / 3)
    assert scores["micro_f1"] == pytest.approx(100 * 2 * 2 / (3 + 3))
    assert scores["macro_f1"] == pytest.approx(100 * (2 / 3 + 2 / 3 + 0) / 3)


def test_numbers():
    """Equal values share their rank; Pearson's is the covariance's share."""
    gold, predicted = np.array([1.0, 2.0, 2.0, 4.0]), np.array([0.5, 1.0, 3.0, 2.0])
    scores = metrics.regression_scores(gold, predicted)
    assert metrics.ranks(gold).tolist() == [1.0, 2.5, 2.5, 4.0]
    ranks = np.array([[1.0, 2.5, 2.5, 4.0], [1.0, 2.0, 4.0, 3.0]])
    assert scores["spearman"] == pytest.approx(100 * np.corrcoef(ranks)[0, 1])
    expected = np.corrcoef(gold, predicted)[0, 1]
    assert scores["pearson"] == pytest.approx(100 * expected)
    assert scores["mse"] == pytest.approx((0.25 + 1 + 1 + 4) / 4)


@pytest.mark.parametrize("values", [([1.0, 2.0], [3.0, 3.0]), ([1.0], [1.0])])
def test_correlation_with_a_constant(values):
    """A prediction that never changes is worth nothing, and a score all the same."""
    scores = metrics.regression_scores(*map(np.array, values))
    assert scores["pearson"] == scores["spearman"] == 0.0


def micro_f1(gold, probabilities, threshold):
    """Return micro F1 at a threshold, counted one by one."""
    cells = list(zip(gold.ravel(), probabilities.ravel(), strict=True))
    right = sum(1 for is_there, p in cells if is_there and p >= threshold)
    found = sum(1 for _, p in cells if p >= threshold)
    there = sum(1 for is_there, _ in cells if is_there)
    return 2 * right / (found + there)


@pytest.mark.parametrize("seed", range(20))
def test_best_threshold(seed):
    """No threshold gives a better micro F1; ties in probability stay together."""
    random = np.random.default_rng(seed)
    gold = random.random((7, 3)) < 0.4
    gold[0, 0] = True
    probabilities = np.round(random.random((7, 3)) * 0.6 + gold * 0.3, 1)
    best = metrics.best_threshold(gold, probabilities)
    scores = [micro_f1(gold, probabilities, t / 100) for t in range(101)]
    assert micro_f1(gold, probabilities, best) == pytest.approx(max(scores))


def test_threshold_without_labels():
    """Where no label applies, or all is told apart, the threshold is near 0.5."""
    assert metrics.best_threshold(np.zeros((2, 2), bool), np.full((2, 2), 0.9)) == 0.5
    gold = np.array([[True, False]])
    assert metrics.best_threshold(gold, np.array([[0.9, 0.1]])) == 0.5


def test_figures_that_can_pick_the_best_model():
    """Each kind's figures are among its scores, and are numbers."""
    two = np.array([0, 1])
    found = {
        "single": metrics.classification_scores(two, two, ("a", "b")),
        "multi": metrics.multi_label_scores(two[:, None] > 0, two[:, None] > 0, "a"),
        "regression": metrics.regression_scores(two, two),
    }
    for kind, names in metrics.FIGURES.items():
        assert all(isinstance(found[kind][name], float) for name in names)
