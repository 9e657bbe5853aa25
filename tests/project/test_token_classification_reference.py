"""Entity scores equal seqeval's, by its default and by its strict rules.

Most of the tags are broken: entities begin with I, change their type in the middle, end
without E. Scores of labels without a scheme equal scikit-learn's.
"""

from __future__ import annotations

import importlib.util
import random
import warnings

import pytest

from .conftest import Load

Rows = list[list[str]]
LETTERS = {"iob2": "BI", "bioes": "BIES"}


def needs(*names: str) -> pytest.MarkDecorator:
    """Return the mark of a test that needs some libraries."""
    missing = [name for name in names if not importlib.util.find_spec(name)]
    return pytest.mark.skipif(
        bool(missing), reason=f"not installed: {', '.join(missing)}"
    )


def draw(seed: int, letters: str, types: tuple[str, ...], share: float) -> Rows:
    """Return random tags of some sentences, a share of them outside of entities."""
    generator = random.Random(f"{seed}-{letters}")
    tags = [f"{letter}-{label}" for letter in letters for label in types]
    lengths = [generator.randint(1, 9) for _ in range(generator.randint(1, 12))]
    return [
        [
            "O" if generator.random() < share else generator.choice(tags)
            for _ in range(n)
        ]
        for n in lengths
    ]


def disturb(rows: Rows, seed: int, share: float) -> Rows:
    """Return tags of which a share is drawn anew from all that there are."""
    generator = random.Random(seed)
    tags = sorted({tag for row in rows for tag in row} | {"O"})
    return [
        [generator.choice(tags) if generator.random() < share else tag for tag in row]
        for row in rows
    ]


@needs("seqeval")
@pytest.mark.parametrize("scheme", LETTERS)
def test_scores_equal_seqeval(load_tagging: Load, scheme: str) -> None:
    """Micro figures and those of each type, lenient and strict, on 300 random sets."""
    from seqeval.metrics import accuracy_score, classification_report
    from seqeval.scheme import IOB2, IOBES

    warnings.simplefilter("ignore")  # of divisions by zero, which are zero here too
    metrics = load_tagging("metrics")
    for seed in range(300):
        types = (("x",), ("x", "y"), ("x", "a-b", "y"))[seed % 3]
        gold = draw(seed, LETTERS[scheme], types, share=(0.7, 0.3)[seed % 2])
        found = disturb(gold, seed, share=(0.0, 0.2, 0.8)[seed % 3])
        result = metrics.evaluate_labels(gold, found, scheme)
        settings = {"output_dict": True, "zero_division": 0}
        strict = {"mode": "strict", "scheme": {"iob2": IOB2, "bioes": IOBES}[scheme]}
        for prefix, mode in (("", {}), ("strict_", strict)):
            report = classification_report(gold, found, **settings, **mode)
            for ours, theirs in (
                ("f1", "f1-score"),
                ("precision", "precision"),
                ("recall", "recall"),
            ):
                expected = 100 * report["micro avg"][theirs]
                assert result[prefix + ours] == pytest.approx(expected), (gold, found)
                if not prefix:
                    for label, row in result["per_type"].items():
                        assert row[ours] == pytest.approx(100 * report[label][theirs])
                        assert row["gold"] == report[label]["support"]
        assert result["accuracy"] == pytest.approx(100 * accuracy_score(gold, found))


@needs("seqeval")
def test_entities_equal_seqeval(load_tagging: Load) -> None:
    """Whatever the tags, also letters alone, the entities are the same."""
    from seqeval.metrics.sequence_labeling import get_entities

    schemes = load_tagging("schemes")
    for seed in range(3000):
        for row in draw(seed, "BIES", ("x", "y"), 0.3):
            if seed % 3 == 0:
                row = [tag.partition("-")[0] for tag in row]
            expected = [(label, a, b + 1) for label, a, b in get_entities(row)]
            assert schemes.spans(row) == expected, row


@needs("sklearn")
def test_labels_without_a_scheme_equal_scikit_learn(load_tagging: Load) -> None:
    """Accuracy, macro F1 and the figures of each label."""
    from sklearn.metrics import classification_report

    metrics = load_tagging("metrics")
    for seed in range(50):
        gold = [[tag[-1] for tag in row] for row in draw(seed, "B", tuple("NVD"), 0.3)]
        found = disturb(gold, seed, 0.4)
        words = [[tag for row in rows for tag in row] for rows in (gold, found)]
        report = classification_report(*words, output_dict=True, zero_division=0)
        result = metrics.evaluate_labels(gold, found, "none")
        for label, row in result["per_type"].items():
            assert row["f1"] == pytest.approx(100 * report[label]["f1-score"])
        assert result["macro_f1"] == pytest.approx(
            100 * report["macro avg"]["f1-score"]
        )
        assert result["f1"] == pytest.approx(100 * report["accuracy"])
