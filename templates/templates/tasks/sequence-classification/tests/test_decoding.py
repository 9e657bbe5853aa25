"""From logits to labels, to scores and to the report."""

import csv

import numpy as np
import pytest

from {{ cookiecutter.package }} import (
    confusion,
    decoding,
    metrics,
)
from {{ cookiecutter.package }}.config import TrainConfig
from {{ cookiecutter.package }}.dataset import Example
from {{ cookiecutter.package }}.errors import UserError
from {{ cookiecutter.package }}.tokenizer import train_tokenizer

TEXTS = [f"{'very ' * (i % 5)}good text number {i}" for i in range(9)]
SETTINGS = {"batch_size": 4, "cache_dir": "", "labels": ("a", "b", "c")}
SINGLE = TrainConfig(kind="single", **SETTINGS)
MULTI = TrainConfig(kind="multi", **SETTINGS)
REGRESSION = TrainConfig(kind="regression", batch_size=4, cache_dir="")


def example(index, label, pair=None):
    """Return an example with a label."""
    return Example(f"id{index}", TEXTS[index], pair, label, "here")


class Oracle:
    """Stands for a model: gives each text the logits that it is told."""

    def __init__(self, tokenizer, logits):
        self.rows = {}
        for text, row in zip(TEXTS, logits, strict=False):
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            self.rows[tuple(ids)] = row

    def predict_on_batch(self, inputs):
        """Return the logits of each row of a batch."""
        masks = inputs["attention_mask"] > inputs["segment_ids"]  # the first text
        rows = zip(inputs["input_ids"], masks, strict=True)
        logits = [self.rows[tuple(ids[mask][1:-1].tolist())] for ids, mask in rows]
        return {"logits": np.array(logits, "float32")}


@pytest.fixture(scope="module")
def tokenizer():
    """Return a tokenizer that knows the texts."""
    return train_tokenizer(TEXTS * 3, vocab_size=90)


def predict(tokenizer, examples, logits, config):
    """Return the predictions from an oracle."""
    oracle = Oracle(tokenizer, logits)
    return decoding.predict(oracle, examples, tokenizer, config)


def test_one_label(tokenizer):
    """Labels and probabilities come in the order of the examples, by their names."""
    logits = np.random.default_rng(1).normal(0, 2, (9, 3))
    examples = [example(index, "a") for index in range(9)]
    found = predict(tokenizer, examples, logits, SINGLE)
    assert [each["id"] for each in found] == [f"id{index}" for index in range(9)]
    for row, prediction in zip(logits, found, strict=True):
        expected = np.exp(row) / np.exp(row).sum()
        assert prediction["label"] == "abc"[int(np.argmax(row))]
        scores = prediction["scores"]
        np.testing.assert_allclose([scores[x] for x in "abc"], expected, rtol=1e-5)
        assert list(scores.values()) == sorted(scores.values(), reverse=True)
        assert next(iter(decoding.shorten(prediction, 1)["scores"])) in "abc"


def test_several_labels(tokenizer):
    """All labels above the threshold are given; it is tuned where it was not set."""
    logits = np.array([[3.0, -1.0, -4.0], [-3.0, -0.5, -4.0], [-5.0, -6.0, -7.0]])
    examples = [example(0, ("a", "b")), example(1, ("b",)), example(2, ())]
    found = predict(tokenizer, examples, logits, MULTI)
    assert [each["label"] for each in found] == [["a"], [], []]
    np.testing.assert_allclose(found[0]["scores"]["a"], 1 / (1 + np.exp(-3)), rtol=1e-5)
    config, tuned = decoding.tune(examples, found, MULTI)
    assert [each["label"] for each in tuned] == [["a", "b"], ["b"], []]
    assert 1 / (1 + np.exp(3)) < config.threshold < 1 / (1 + np.exp(1))
    assert predict(tokenizer, examples, logits, config) == tuned
    scores = decoding.evaluate(examples, tuned, config)
    assert scores["exact_match"] == scores["score"] == 100.0
    by_hand = TrainConfig(**{**vars(MULTI), "threshold": 0.9})
    assert decoding.tune(examples, found, by_hand) == (by_hand, found)


def test_numbers(tokenizer):
    """The one logit is the number."""
    logits = np.array([[1.5], [-2.0], [0.25]])
    examples = [example(index, text) for index, text in enumerate(("2", "-2.0", "0"))]
    found = predict(tokenizer, examples, logits, REGRESSION)
    assert [each["label"] for each in found] == [1.5, -2.0, 0.25]
    scores = decoding.evaluate(examples, found, REGRESSION)
    assert scores["monitor"] == "spearman"
    assert scores["score"] == scores["spearman"] == pytest.approx(100.0)
    assert scores["mse"] == pytest.approx((0.25 + 0 + 0.0625) / 3)
    assert "-2.000" in decoding.show(examples[1], found[1], 5)


def test_scores_by_name(tokenizer):
    """The monitored figure is the one in the settings; missing labels are counted."""
    logits = np.eye(3)[[0, 1, 1, 0]]
    examples = [example(i, label) for i, label in enumerate(("a", "b", "c", None))]
    found = predict(tokenizer, examples, logits, SINGLE)
    scores = decoding.evaluate(examples, found, SINGLE)
    assert scores["accuracy"] == scores["score"] == pytest.approx(200 / 3)
    assert (scores["total"], scores["without_label"]) == (3, 1)
    assert set(metrics.REPORTED) & set(scores) >= {"score", "macro_f1", "matthews"}
    config = TrainConfig(**{**vars(SINGLE), "monitor": "macro_f1"})
    scores = decoding.evaluate(examples, found, config)
    assert scores["score"] == scores["macro_f1"] == pytest.approx(100 * (1 + 2 / 3) / 3)
    with pytest.raises(UserError, match="no example has a label"):
        decoding.evaluate(examples[3:], found[3:], SINGLE)


def read_table(path):
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_report(tokenizer, tmp_path):
    """The page has the errors, the surest first and escaped; the table counts all."""
    logits = np.array([[0.0, 1, 0], [0, 3, 0], [0, 9, 0], [0, 0, 1], [2, 0, 0]])
    labels = ("a", "a", "b", "<c>", "a")
    config = TrainConfig(**{**vars(SINGLE), "labels": ("a", "b", "<c>")})
    examples = [example(i, label, "<b>") for i, label in enumerate(labels)]
    found = predict(tokenizer, examples, logits, config)
    written = decoding.write_report(tmp_path, examples, found, config)
    assert {"errors.html", "confusion.csv"} <= set(written)
    assert all((tmp_path / name).exists() for name in written)
    page = (tmp_path / "errors.html").read_text(encoding="utf-8")
    assert page.index("id1") < page.index("id0")
    assert "id2" not in page and "<c>" not in page and "<b>" not in page
    rows = read_table(tmp_path / "confusion.csv")
    assert rows[0][1:] == ["a", "b", "<c>"]
    assert rows[1:] == [["a", "1", "2", "0"], ["b", "0", "1", "0"], ["<c>", *"001"]]


def test_report_of_several_labels(tokenizer, tmp_path):
    """Each label has its four counts."""
    logits = np.array([[3.0, -3, -3], [3, 3, -3], [-3, -3, -3]])
    examples = [example(0, ("a",)), example(1, ("a",)), example(2, ("c",))]
    found = predict(tokenizer, examples, logits, MULTI)
    decoding.write_report(tmp_path, examples, found, MULTI)
    rows = read_table(tmp_path / "confusion.csv")
    assert rows[1:] == [["a", *"2001"], ["b", *"0102"], ["c", *"0012"]]
    page = (tmp_path / "errors.html").read_text(encoding="utf-8")
    assert "id0" not in page and "id1" in page and "id2" in page


def test_report_of_numbers(tokenizer, tmp_path):
    """The largest difference comes first."""
    examples = [example(0, "1"), example(1, "1"), example(2, "1.5")]
    found = predict(tokenizer, examples, [[1.0], [1.5], [9.0]], REGRESSION)
    decoding.write_report(tmp_path, examples, found, REGRESSION)
    page = (tmp_path / "errors.html").read_text(encoding="utf-8")
    assert page.index("id2") < page.index("id1") and "id0" not in page


@pytest.mark.parametrize("count", [2, 77])
def test_picture(tmp_path, count):
    """With matplotlib, a picture is drawn for few and for many labels."""
    pytest.importorskip("matplotlib")
    matrix = np.diag(np.arange(count)) + np.eye(count, k=1, dtype=int)
    names = [f"label {number}" for number in range(count)]
    written = confusion.draw_matrix(tmp_path / "confusion.png", matrix, names)
    assert written == ["confusion.png"]
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")
