"""Windows made one text, and the search for spans: as their definitions say."""

import itertools

import numpy as np
import pytest

from aspect_sentiment_bert import span_search
from aspect_sentiment_bert.config import TrainConfig
from aspect_sentiment_bert.features import make_features
from aspect_sentiment_bert.questions import Question
from aspect_sentiment_bert.tokenizer import train_tokenizer


def test_each_token_belongs_to_its_best_row():
    """A token counts in the one row where it has most context on both sides."""
    text = " ".join(f"the thing{number} was good{number} here." for number in range(30))
    tokenizer = train_tokenizer([text], 200)
    config = TrainConfig(
        max_length=48, max_question_length=16, doc_stride=12, cache_dir=""
    )
    questions = [Question(text, "What is it?")]
    features = make_features(questions, tokenizer, config)
    rows = list(range(len(features.lengths)))
    assert len(rows) > 3
    count = len(features.token_offsets(0))
    best = span_search.best_rows(features, rows, count)
    for token in range(count):
        scores = []
        for row in rows:
            tokens = span_search.row_tokens(features, row)
            left, right = token - tokens[0], tokens[-1] - token
            inside = left >= 0 and right >= 0
            scores.append(min(left, right) + 0.01 * len(tokens) if inside else -np.inf)
        assert best[token] == int(np.argmax(scores))


def brute_force(start, end, threshold, longest):
    """Return spans by trying all, with the probability written out as a product."""
    spans = []
    for first, last in itertools.product(range(len(start)), repeat=2):
        if not 0 <= last - first < longest:
            continue
        score = start[first] * end[last]
        for between in range(first, last):
            score *= (1 - end[between]) * (1 - start[between + 1])
        spans.append((score, first, last))
    kept = []
    for score, first, last in sorted(spans, key=lambda x: (-x[0], x[1], x[2])):
        apart = all(last < x or y < first for _, x, y in kept)
        if score >= threshold and apart:
            kept.append((score, first, last))
    return kept


@pytest.mark.parametrize("seed", range(8))
def test_search_equals_trying_everything(seed):
    """Scores and choice are those of the definition."""
    random = np.random.default_rng(seed)
    start, end = random.random((2, 14)) ** 2
    for threshold, longest in ((0.05, 20), (0.2, 3), (0.5, 2)):
        expected = brute_force(start, end, threshold, longest)
        found = span_search.find_spans(start, end, threshold, longest)
        assert [each[1:] for each in found] == [each[1:] for each in expected]
        np.testing.assert_allclose(
            [each[0] for each in found], [each[0] for each in expected], rtol=1e-9
        )


def test_search_takes_the_nearest_end():
    """An end belongs to the start before it, however sure a later one is."""
    start = np.array([0.95, 0.01, 0.01, 0.9, 0.0])
    end = np.array([0.0, 0.8, 0.01, 0.0, 0.99])
    found = span_search.find_spans(start, end, 0.3, 10)
    assert [each[1:] for each in found] == [(3, 4), (0, 1)]
    sure = np.ones(3)
    found = span_search.find_spans(sure, sure, 0.5, 9)
    assert found == [(pytest.approx(1.0), place, place) for place in range(3)]
