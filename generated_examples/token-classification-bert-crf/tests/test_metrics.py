"""Scores of entities by hand, as seqeval and conlleval would print them."""

import pytest

from token_classification_bert_crf import (
    metrics,
)

GOLD = ["B-per I-per O B-loc O", "O B-loc I-loc", "O O"]
FOUND = ["B-per I-per O B-per O", "O B-loc O", "O I-per"]


def rows(texts):
    """Return the labels of some sentences."""
    return [text.split() for text in texts]


def evaluate(gold=GOLD, found=FOUND, scheme="iob2"):
    """Return the figures."""
    return metrics.evaluate_labels(rows(gold), rows(found), scheme)


def test_entities_are_right_as_a_whole():
    """One of four found and of three gold entities has type and both ends right."""
    result = evaluate()
    assert result["precision"] == pytest.approx(100 / 4)
    assert result["recall"] == pytest.approx(100 / 3)
    assert result["f1"] == pytest.approx(200 / 7)
    assert result["accuracy"] == pytest.approx(70.0)
    assert (result["entities"], result["words"]) == (3, 10)
    assert result["per_type"]["loc"] == {
        "f1": 0.0,
        "precision": 0.0,
        "recall": 0.0,
        "gold": 2,
    }
    assert result["per_type"]["per"]["f1"] == pytest.approx(200 / 4)


def test_strict_figures_leave_out_what_begins_with_i():
    """The last I-per is an entity by default, and none by strict rules."""
    result = evaluate()
    assert result["strict_precision"] == pytest.approx(100 / 3)
    assert result["strict_f1"] == pytest.approx(200 / 6)
    assert "IOB2" in result["rules"]


def test_entities_do_not_go_on_in_the_next_sentence():
    """The same labels in one sentence and in two are different entities."""
    one, two = ["B-x I-x"], ["B-x", "I-x"]
    assert evaluate(one, one)["entities"] == 1
    assert evaluate(two, two)["entities"] == 2


def test_labels_without_a_scheme_are_scored_by_word():
    """F1 over all words is then the accuracy; macro F1 is the mean over labels."""
    result = evaluate(["N V N", "D N"], ["N N N", "D V"], "none")
    assert result["f1"] == result["accuracy"] == pytest.approx(60.0)
    # N: 2 of 3 and 3; V: 0; D: all.
    assert result["macro_f1"] == pytest.approx((200 / 3 + 0 + 100) / 3)
    assert result["per_type"]["N"]["gold"] == 3
    assert "strict_f1" not in result


def test_nothing_to_count():
    """Without entities, or without words, the figures are 0 and not an error."""
    result = evaluate(["O O"], ["O O"])
    assert result["f1"] == result["strict_f1"] == 0.0 and result["accuracy"] == 100.0
    assert evaluate([], [])["accuracy"] == 0.0
    assert evaluate([], [], "none")["macro_f1"] == 0.0
