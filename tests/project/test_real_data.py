"""Real question-answering sets are read completely, and answers land on their tokens.

Takes its files from the folder in the environment variable TKGEN_DATA.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import Load

DATA = Path(os.environ.get("TKGEN_DATA") or "/nowhere")
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the environment variable TKGEN_DATA names no folder"
)
FILES = {
    "xquad en": ("xquad/xquad.en.json", "vocab_bert_uncased"),
    "xquad zh": ("xquad/xquad.zh.json", "vocab_bert_chinese"),
    "squad v2": ("squad_v2_slices/train-v2.0.json", "vocab_bert_uncased"),
    "squad v1.1": ("squad_v1.1_half/squad-half-v1.1.json", "vocab_bert_uncased"),
    "cmrc 2018": ("cmrc2018/cmrc2018_trial.json", "vocab_bert_chinese"),
}


def questions(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield context and question record, read with nothing but `json`."""
    for article in json.loads(path.read_text("utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                yield paragraph["context"], question


def place(context: str, answer: dict[str, Any]) -> int | None:
    """Return where an answer stands: as told, else its first match, None if nowhere."""
    start, text = (
        answer.get("answer_start", context.find(answer["text"])),
        answer["text"],
    )
    return start if start >= 0 and context[start : start + len(text)] == text else None


@pytest.mark.parametrize("name", FILES)
def test_everything_is_read(load: Load, name: str) -> None:
    """Questions, unanswerable ones and wrong offsets are as many as `json` counts."""
    path = DATA / FILES[name][0]
    examples = load("dataset").load_examples(path)
    expected = list(questions(path))
    assert len(examples) == len(expected) > 500
    assert [each.id for each in examples] == [
        question["id"] for _, question in expected
    ]
    impossible = [question["id"] for _, question in expected if not question["answers"]]
    assert [each.id for each in examples if not each.answers] == impossible
    problems = [
        question["id"]
        for context, question in expected
        if not question["question"].strip()
        or (
            question["answers"]
            and all(place(context, answer) is None for answer in question["answers"])
        )
    ]
    assert [each.id for each in examples if each.problem] == problems
    for example, (context, question) in zip(examples, expected, strict=True):
        assert (example.context, example.question) == (context, question["question"])
        starts = [place(context, answer) for answer in question["answers"]]
        assert [answer.start for answer in example.answers] == starts


def target_span(features: Any, row: int) -> tuple[int, int]:
    """Return the characters from the first to the last target token of a window."""
    offsets = features.token_offsets(features.example[row])
    shift = features.first_token[row] - features.context_start[row]
    first, last = features.start[row] + shift, features.end[row] + shift
    return int(offsets[first, 0]), int(offsets[last, 1])


def check_window(features: Any, row: int, begin: int, stop: int, context: str) -> bool:
    """Check that a window's target covers an answer, and no token more than needed.

    Return whether the tokens begin and end with the answer.
    """
    offsets = features.token_offsets(features.example[row])
    shift = features.first_token[row] - features.context_start[row]
    first, last = features.start[row] + shift, features.end[row] + shift
    assert features.context_start[row] <= features.start[row] <= features.end[row]
    assert features.end[row] < features.lengths[row] - 1
    # The outer tokens hold a character of the answer, the ones beside them none.
    assert offsets[first, 1] > begin and offsets[last, 0] < stop
    assert first == 0 or offsets[first - 1, 1] <= begin
    assert last == len(offsets) - 1 or offsets[last + 1, 0] >= stop
    found = target_span(features, row)
    # What lies outside of them is of no token: spaces.
    assert context[begin : max(begin, found[0])].strip() == ""
    assert context[min(stop, found[1]) : stop].strip() == ""
    return found == (begin, stop)


@pytest.mark.parametrize("max_length", [384, 128])
@pytest.mark.parametrize("name", FILES)
def test_targets_cover_the_answers(
    load: Load, name: str, max_length: int, record_property: Any
) -> None:
    """Targets are the tokens of the answer; each answer is whole in some window."""
    file, vocabulary = FILES[name]
    examples = load("dataset").load_examples(DATA / file)
    examples = [each for each in examples if not each.problem]
    tokenizer = load("tokenizer").load_tokenizer(DATA / vocabulary)
    config = load("config").TrainConfig(
        max_length=max_length, doc_stride=max_length // 3, cache_dir=""
    )
    features = load("features").make_features(examples, tokenizer, config)
    assert sorted({*features.example.tolist()}) == list(range(len(examples)))
    exact, answered = 0, 0
    for index, rows in rows_of(features, len(examples)):
        example = examples[index]
        placed = [answer for answer in example.answers if answer.start is not None]
        targets = [row for row in rows if features.start[row] or features.end[row]]
        if not placed:
            assert targets == []
            continue
        begin, stop = placed[0].start, placed[0].start + len(placed[0].text)
        equal = [
            check_window(features, row, begin, stop, example.context) for row in targets
        ]
        assert targets or too_long(features, rows, begin, stop, config), example.source
        answered += 1
        exact += bool(equal) and all(equal)
    assert answered == sum(bool(each.answers) for each in examples)
    record_property("exact spans", f"{exact} of {answered}")
    print(
        f"{name}, {max_length} tokens: {exact} of {answered} answers are whole tokens"
    )
    assert exact > 0.9 * answered


def rows_of(features: Any, count: int) -> Iterator[tuple[int, list[int]]]:
    """Yield each example's number with the rows of its windows."""
    order = np.argsort(features.example, kind="stable")
    splits = np.searchsorted(features.example[order], np.arange(count + 1))
    for index in range(count):
        yield index, order[splits[index] : splits[index + 1]].tolist()


def too_long(
    features: Any, rows: list[int], begin: int, stop: int, config: Any
) -> bool:
    """Return whether an answer has more tokens than two windows share."""
    offsets = features.token_offsets(features.example[rows[0]])
    tokens = np.sum((offsets[:, 1] > begin) & (offsets[:, 0] < stop))
    room = config.max_length - features.context_start[rows[0]] - 1
    return bool(tokens > room - min(room, config.doc_stride))
