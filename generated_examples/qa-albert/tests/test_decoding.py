"""From logits to answers: the search, the windows, and no answer."""

import dataclasses

import keras
import numpy as np
import pytest

from qa_albert import (
    decoding,
    spans,
)
from qa_albert.config import TrainConfig
from qa_albert.dataset import (
    Answer,
    Example,
)
from qa_albert.features import make_features
from qa_albert.tokenizer import train_tokenizer

CONTEXT = " ".join(f"word{number} stands at place {number}." for number in range(40))
CONFIG = TrainConfig(
    max_length=48, max_question_length=8, doc_stride=12, cache_dir="", batch_size=4
)


def example(answer, index=0):
    """Return an example with an answer, or with none."""
    answers = (Answer(answer, CONTEXT.index(answer)),) if answer else ()
    question = f"where at {index}?"
    return Example(f"id{index}", question, CONTEXT, answers, "here")


class Oracle:
    """Stands for a model: gives high logits to the targets of each window."""

    def __init__(self, features, null=0.0):
        self.rows = {}
        for row in range(len(features.lengths)):
            inputs, targets = features.collate(np.array([row]))
            length = inputs["input_ids"].shape[1]
            logits = {name: np.full(length, -3.0, "float32") for name in targets}
            for name, array in targets.items():
                logits[name][0] = null
                if array[0]:
                    logits[name][array[0]] = 5.0
            key = inputs["input_ids"][0][inputs["attention_mask"][0] > 0].tobytes()
            self.rows[key] = logits

    def predict_on_batch(self, inputs):
        """Return the logits of each row, padded to the batch's length."""
        length = inputs["input_ids"].shape[1]
        outputs = {name: [] for name in ("start", "end")}
        masks = inputs["attention_mask"] > 0
        for ids, mask in zip(inputs["input_ids"], masks, strict=True):
            logits = self.rows[ids[mask].tobytes()]
            for name, rows in outputs.items():
                row = np.full(length, -1e4, "float32")
                count = min(length, len(logits[name]))
                row[:count] = logits[name][:count]
                rows.append(row)
        return {name: np.stack(rows) for name, rows in outputs.items()}


@pytest.fixture
def tokenizer():
    """Return a tokenizer that knows the passage."""
    return train_tokenizer([CONTEXT, "where at ?"] * 3, vocab_size=120)


def predict(examples, tokenizer, config=CONFIG, null=0.0):
    """Return the predictions from an oracle."""
    oracle = Oracle(make_features(examples, tokenizer, config), null)
    return decoding.predict(oracle, examples, tokenizer, config)


@pytest.mark.parametrize("answer", ["word0", "place 7", "word23 stands at", "place 39"])
def test_answer_is_found_wherever_it_stands(tokenizer, answer):
    """Text and offsets of the answer come back from any window of the passage."""
    (found,) = predict([example(answer)], tokenizer)
    assert found["answer"] == answer
    assert CONTEXT[found["start"] : found["end"]] == answer
    assert found["n_best"][0]["text"] == answer
    assert len(found["n_best"]) <= CONFIG.n_best
    scores = [each["score"] for each in found["n_best"]]
    assert scores == sorted(scores, reverse=True)


def test_order_of_predictions(tokenizer):
    """Predictions come in the order of the examples, however they are batched."""
    answers = ["word3", "place 30", "word38 stands", "word9"]
    examples = [example(answer, index) for index, answer in enumerate(answers)]
    found = predict(examples, tokenizer)
    assert [each["id"] for each in found] == ["id0", "id1", "id2", "id3"]
    assert [each["answer"] for each in found] == answers


def test_each_token_belongs_to_its_best_window(tokenizer):
    """A token counts in the one window where it has most context on both sides."""
    features = make_features([example("word3")], tokenizer, CONFIG)
    windows = list(range(len(features.lengths)))
    count = len(features.token_offsets(0))
    best = spans.max_context(features, windows, count)
    for token in range(count):
        scores = []
        for window in windows:
            tokens = spans.window_tokens(features, window)
            left, right = token - tokens[0], tokens[-1] - token
            inside = left >= 0 and right >= 0
            scores.append(min(left, right) + 0.01 * len(tokens) if inside else -np.inf)
        assert best[token] == int(np.argmax(scores))


def test_search_takes_valid_spans_only():
    """No span ends before it begins, is too long, or begins outside its window."""
    config = TrainConfig(n_best=3, max_answer_length=4)
    start = np.array([0.0, 9.0, 0.0, 8.0, 0.0, 7.0])
    end = np.array([9.0, 0.0, 0.0, 0.0, 5.0, 8.0])
    allowed = np.array([True, True, True, True, True, False])
    found = set(spans.best_spans(start, end, allowed, config))
    assert found == {(14.0, 1, 4), (13.0, 3, 4), (16.0, 3, 5)}


def test_no_answer(tokenizer):
    """With a threshold the empty answer wins where it scores higher; else never."""
    examples = [example("word3", 0), example("", 1)]
    never = predict(examples, tokenizer)
    assert never[1]["answer"] != ""
    config, tuned = decoding.tune(examples, never, CONFIG)
    assert [each["answer"] for each in tuned] == ["word3", ""]
    assert tuned[1]["start"] is None
    assert never[0]["null_odds"] <= config.null_threshold < never[1]["null_odds"]
    again = predict(examples, tokenizer, config)
    assert again == tuned
    scores = decoding.evaluate(examples, tuned, config)
    assert scores["exact"] == scores["f1"] == 100.0


def test_error_page(tokenizer, tmp_path):
    """The page of errors shows the wrong answer and the right one, escaped."""
    examples = [example("word3", 0), example("word5", 1)]
    predictions = predict(examples, tokenizer)
    predictions[1] = {**predictions[1], "answer": "place", "start": 16, "end": 21}
    written = decoding.write_report(tmp_path, examples, predictions, CONFIG)
    assert written == ["errors.html"]
    page = (tmp_path / "errors.html").read_text()
    assert "id1" in page and "id0" not in page
    assert "word5" in page
    lost = (Answer("elsewhere", None),)  # as where an answer_start is wrong
    examples[1] = dataclasses.replace(examples[1], answers=lost)
    decoding.write_report(tmp_path, examples, predictions, CONFIG)
    assert "elsewhere" in (tmp_path / "errors.html").read_text()


def test_real_model_runs(tokenizer):
    """A model without training gives answers of the right form."""
    names = ("input_ids", "segment_ids", "attention_mask")
    inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in names}
    noise = keras.ops.cast(inputs["input_ids"], "float32") * 0.01
    model = keras.Model(inputs, {"start": noise, "end": noise})
    (found,) = decoding.predict(model, [example("word3")], tokenizer, CONFIG)
    assert found["answer"] in CONTEXT
