"""Exact match and F1 on small cases worked out by hand."""

import pytest

from qa_bert import metrics


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("The  Eiffel Tower.", "eiffel tower"),
        ("the-end", "theend"),
        ("A.", ""),
        ("Another theory’s an", "another theory’s"),
        ("10,000\u00a0km", "10000 km"),
    ],
)
def test_normalize_answer(text, normalized):
    """Case, ASCII punctuation, whole-word articles and extra spaces do not count."""
    assert metrics.normalize_answer(text) == normalized


@pytest.mark.parametrize(
    ("prediction", "answers", "exact", "f1"),
    [
        ("The Normans!", ["Normans"], 1, 1),
        ("Rollo of Normandy", ["Rollo"], 0, 0.5),  # precision 1/3, recall 1
        ("a b b", ["b b c"], 0, 0.8),  # "a" is an article: 2/2 and 2/3
        ("b a b", ["c", "b b"], 1, 1),  # the best of several answers
        ("Paris", ["London"], 0, 0),
        ("", ["London"], 0, 0),
        ("", [], 1, 1),
        ("the", [], 1, 1),
        ("London", [], 0, 0),
    ],
)
def test_squad_scores(prediction, answers, exact, f1):
    """Words are counted as SQuAD counts them; no answers means unanswerable."""
    assert metrics.squad_scores(prediction, answers) == pytest.approx((exact, f1))


@pytest.mark.parametrize(
    ("prediction", "answers", "exact", "f1"),
    [
        ("《北京》。", ["北京"], 1, 1),
        ("北京市", ["北京"], 0, 0.8),  # run of 2; precision 2/3, recall 1
        ("北海京", ["北京"], 0, 0.4),  # the longest run without a gap is 1
        ("光荣和ω-Force", ["光荣和ωforce"], 1, 1),
        ("iPhone 5s手机", ["iphone 5s"], 0, 2 / 3),  # tokens: iphone, 5s, 手, 机
        ("don't", ["do"], 0, 2 / 3),  # tokens: do, n't
        ("mr. smith left.", ["smith left"], 0, 2 / 3),  # mr., smith, left, .
        ("", ["北京"], 0, 0),
        ("", [], 1, 1),
        ("北京", [], 0, 0),
    ],
)
def test_cmrc_scores(prediction, answers, exact, f1):
    """Chinese counts by character, Latin by word, and the shared run has no gap."""
    assert metrics.cmrc_scores(prediction, answers) == pytest.approx((exact, f1))


@pytest.mark.parametrize(
    ("golds", "rules"),
    [
        ([["北京"], ["1949"], ["上海"]], "cmrc"),
        ([["北京"], ["London"]], "squad"),
        ([[], []], "squad"),
    ],
)
def test_choose_rules(golds, rules):
    """CMRC's rules need Chinese characters in more than half of the answers."""
    assert metrics.choose_rules(golds) == rules


GOLDS = {"a": ["red fox"], "b": ["blue"], "c": (), "d": ()}
PREDICTIONS = {"a": "red", "b": "blue", "c": "", "d": "green"}
ODDS = {"a": -2.0, "b": 0.5, "c": 0.0, "d": 3.0}


def test_figures_are_percentages_and_split_by_answerability():
    """F1 of "red" against "red fox" is 2/3; "c" is rightly left empty."""
    result = metrics.evaluate_predictions(GOLDS, PREDICTIONS)
    assert result.pop("rules") == "squad"
    assert result == pytest.approx(
        {
            "exact": 50.0,
            "f1": 100 * (2 / 3 + 1 + 1) / 4,
            "total": 4,
            "HasAns_exact": 50.0,
            "HasAns_f1": 100 * (2 / 3 + 1) / 2,
            "HasAns_total": 2,
            "NoAns_exact": 50.0,
            "NoAns_f1": 50.0,
            "NoAns_total": 2,
        }
    )


def test_best_figures_empty_the_predictions_above_a_threshold():
    """With "d" emptied, every question but "a" is right."""
    result = metrics.evaluate_predictions(GOLDS, PREDICTIONS, ODDS)
    assert result["best_exact"] == 75.0
    assert result["best_f1"] == pytest.approx(100 * (2 / 3 + 3) / 4)
    assert result["best_exact_thresh"] == result["best_f1_thresh"] == 0.5


def test_best_threshold_keeps_equal_odds_together():
    """A threshold cannot let "a" through and hold back "c" with the same odds."""
    golds = {"a": ["red"], "b": ["blue"], "c": (), "d": ()}
    answers = {"a": "red", "b": "black", "c": "grey", "d": "green"}
    odds = {"a": 1.0, "b": 2.0, "c": 1.0, "d": 1.0}
    assert metrics.best_threshold(golds, answers, odds) < 1.0
    assert metrics.best_threshold(golds, answers, odds | {"c": 2.0, "d": 2.0}) == 1.0


def test_answerable_questions_alone_have_no_split():
    """Data without unanswerable questions gets the plain figures only."""
    result = metrics.evaluate_predictions({"a": ["北京"]}, {"a": "北京市"}, {"a": 0.0})
    assert set(result) == {"exact", "f1", "total", "rules"}
    assert result["rules"] == "cmrc" and result["f1"] == pytest.approx(80.0)


def test_missing_values_are_named():
    """A question without a prediction, or without odds, is an error with its id."""
    with pytest.raises(ValueError, match="'d' has no prediction"):
        metrics.evaluate_predictions(GOLDS, {"a": "", "b": "", "c": ""})
    with pytest.raises(ValueError, match="'b' has no null odds"):
        metrics.evaluate_predictions(GOLDS, PREDICTIONS, {"a": 0.0})
    with pytest.raises(ValueError, match="rules"):
        metrics.evaluate_predictions(GOLDS, PREDICTIONS, rules="bleu")
