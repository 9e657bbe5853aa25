"""Targets are the spans that the data give, in rows that say what is asked."""

import json

import numpy as np
import pytest

from {{ cookiecutter.package }}.config import TrainConfig
from {{ cookiecutter.package }}.dataset import (
    load_examples,
    make_dataset,
)
from {{ cookiecutter.package }}.features import make_features
from {{ cookiecutter.package }}.questions import questions_with_answers
from {{ cookiecutter.package }}.tokenizer import (
    special_ids,
    train_tokenizer,
)

TEXT = "The Café soup was cold and far too salty; the waiter was kind but never came."
SECOND = "The first room was clean and bright, the second room dirty. Never ever again."


def span(text, words, skip=0, **more):
    """Return a span of a record; `skip` passes over so many places of the words."""
    start = text.index(words)
    for _ in range(skip):
        start = text.index(words, start + 1)
    return {"text": words, "start": start, "end": start + len(words), **more}


GOOD = [
    {
        "text": TEXT,
        "aspects": [
            span(TEXT, "Café soup", polarity="negative")
            | {"opinions": [span(TEXT, "cold"), span(TEXT, "far too salty")]},
            span(TEXT, "waiter")
            | {
                "opinions": [
                    span(TEXT, "kind", polarity="positive"),
                    span(TEXT, "never came", polarity="negative"),
                ]
            },
        ],
    },
    {
        "text": SECOND,
        "aspects": [
            span(SECOND, "room", polarity="positive")
            | {"opinions": [span(SECOND, "clean")]},
            span(SECOND, "room", 1, polarity="negative")
            | {"opinions": [span(SECOND, "dirty")]},
            {"text": None, "polarity": "negative"}
            | {"opinions": [span(SECOND, "ever again")]},
        ],
    },
    {"text": "A fair bill.", "aspects": [{"text": "bill", "polarity": "neutral"}]},
]
CONFIG = TrainConfig(
    max_length=64,
    max_question_length=16,
    batch_size=2,
    epochs=1,
    polarities=("negative", "neutral", "positive"),
)
# Room for 16 tokens of the text and more.
NARROW = {"max_length": 29, "max_question_length": 10, "doc_stride": 4, "cache_dir": ""}


def write(path, records):
    """Write records as JSONL and return the path."""
    lines = [each if isinstance(each, str) else json.dumps(each) for each in records]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def examples(tmp_path):
    """Return the good examples, read from a file."""
    return load_examples(write(tmp_path / "good.jsonl", GOOD))


@pytest.fixture
def tokenizer():
    """Return a tokenizer that knows the texts, in pieces."""
    return train_tokenizer([TEXT, SECOND, "What are the aspects?"] * 3, vocab_size=120)


def answers_in(features, questions):
    """Return what the targets of each question say, as sets of words and numbers."""
    found = [{"spans": set(), "first": set()} for _ in questions]
    for row, index in enumerate(features.question):
        targets = features.targets[slice(*features.row_splits[row : row + 2])]
        begin, first = features.text_start[row], features.first_token[row]
        count = len(targets) - begin - 1
        offsets = features.token_offsets(index)[first : first + count]
        inner, text = targets[begin:-1], questions[index].text
        starts, ends = (np.flatnonzero(inner[:, column] == 1) for column in (0, 1))
        for start, end in zip(starts, ends, strict=True):
            words = text[offsets[start, 0] : offsets[end, 1]]
            found[index]["spans"].add((words, int(inner[start, 2])))
        found[index]["first"].add(tuple(targets[0].tolist()))
    return found


def test_targets_are_the_answers(examples, tokenizer):
    """Each row marks exactly the words of the data; [CLS] has what is no span."""
    questions = questions_with_answers(examples, CONFIG)
    features = make_features(questions, tokenizer, CONFIG)
    assert features.within == 0
    assert answers_in(features, questions) == [
        {"spans": {("Café soup", -1), ("waiter", -1)}, "first": {(0, 0, -1)}},
        {"spans": {("cold", 0), ("far too salty", 0)}, "first": {(-1, -1, 0)}},
        {"spans": {("kind", 2), ("never came", 0)}, "first": {(-1, -1, -1)}},
        {"spans": {("room", -1)}, "first": {(1, 1, -1)}},
        {"spans": {("clean", 2)}, "first": {(-1, -1, 2)}},
        {"spans": {("dirty", 0)}, "first": {(-1, -1, 0)}},
        {"spans": {("ever again", 0)}, "first": {(-1, -1, 0)}},
        {"spans": {("bill", -1)}, "first": {(0, 0, -1)}},
        {"spans": set(), "first": {(-1, -1, 1)}},
    ]
    two_rooms = features.targets[slice(*features.row_splits[3:5])]
    assert (two_rooms[:, 0] == 1).sum() == (two_rooms[:, 1] == 1).sum() == 3


def test_what_the_data_do_not_say_has_no_target(examples, tokenizer):
    """Questions, unknown opinions and unnamed polarities are passed over."""
    config = TrainConfig(**{**vars(CONFIG), "polarities": ("positive",)})
    questions = questions_with_answers(examples, config)
    features = make_features(questions, tokenizer, config)
    for row, question in enumerate(questions):
        targets = features.targets[slice(*features.row_splits[row : row + 2])]
        begin = features.text_start[row]
        assert (targets[1:begin] == -1).all()
        assert ((targets[begin:, :2] == -1).all()) == (question.spans is None)
    assert questions[-1].spans is None  # the opinions on the bill are not known
    assert set(np.unique(features.targets[:, 2])) == {-1, 0}


def test_segments_point_at_the_aspect(examples, tokenizer):
    """Question 0, text 1, but for the aspect that is asked about; padding 0."""
    questions = questions_with_answers(examples, CONFIG)
    features = make_features(questions, tokenizer, CONFIG)
    inputs, targets = features.collate(np.arange(len(questions)))
    assert questions[4].question == questions[5].question == "What is said of room?"
    for row, question in enumerate(questions):
        length, begin = features.lengths[row], features.text_start[row]
        ids = tokenizer.encode(question.question, add_special_tokens=False).ids
        assert begin == len(ids) + 2
        offsets = features.token_offsets(row)
        start, end = question.about or (0, 0)
        inside = [start <= x and y <= end for x, y in offsets]
        expected = [0] * begin + [int(not each) for each in inside] + [1]
        assert inputs["segment_ids"][row].tolist()[:length] == expected
        assert sum(inside) == 0 or question.about
        assert not inputs["segment_ids"][row, length:].any()
        assert inputs["attention_mask"][row].sum() == length
        assert (targets["logits"][row, length:] == -1).all()


def test_windows_hold_the_whole_text(examples, tokenizer):
    """Parts overlap by their stride; each span is marked wherever it stands whole."""
    config = TrainConfig(**{**vars(CONFIG), **NARROW})
    questions = questions_with_answers(examples, config)
    features = make_features(questions, tokenizer, config)
    special = special_ids(tokenizer)
    for index in (0, 1, 3):
        text_ids = tokenizer.encode(questions[index].text, add_special_tokens=False).ids
        rows = np.flatnonzero(features.question == index)
        assert len(rows) > 1
        assert set(np.diff(features.first_token[rows])) == {4}
        seen = set()
        for row in rows:
            part = slice(*features.row_splits[row : row + 2])
            ids = features.input_ids[part].tolist()
            begin, first = features.text_start[row], features.first_token[row]
            assert ids[0] == special.cls and ids[begin - 1] == ids[-1] == special.sep
            assert len(ids) <= 29
            assert ids[begin:-1] == text_ids[first : first + len(ids) - begin - 1]
            seen.update(range(first, first + len(ids) - begin - 1))
            known = features.targets[features.row_splits[row], 0]
            assert known == (0 if index == 0 else -1)  # that it is all named
        assert seen == set(range(len(text_ids)))


def test_own_polarity_is_told_where_the_aspect_stands(examples, tokenizer):
    """A part of the text without the aspect says nothing of the aspect's polarity."""
    config = TrainConfig(**{**vars(CONFIG), **NARROW})
    questions = questions_with_answers(examples, config)
    features = make_features(questions, tokenizer, config)
    rows = np.flatnonzero(features.question == 1)  # of the soup, at the beginning
    known = features.targets[features.row_splits[rows], 2]
    assert known[0] == 0 and known[-1] == -1


def test_training_batches(examples, tokenizer):
    """Every row comes once an epoch, in an order that the seed alone decides."""
    config = TrainConfig(**{**vars(CONFIG), "epochs": 2})
    dataset = make_dataset(examples, tokenizer, config, training=True)
    batches = list(dataset.as_numpy_iterator())
    rows = [ids.tobytes() for inputs, _ in batches for ids in inputs["input_ids"]]
    assert len(rows) == 2 * 9
    again = make_dataset(examples, tokenizer, config, training=True)
    for (inputs, targets), (same, equal) in zip(
        batches, again.as_numpy_iterator(), strict=True
    ):
        np.testing.assert_array_equal(inputs["input_ids"], same["input_ids"])
        np.testing.assert_array_equal(targets["logits"], equal["logits"])


def test_cache_is_used_and_equal(examples, tokenizer, monkeypatch):
    """The second call reads the cache and gives the same; another question does not."""
    questions = questions_with_answers(examples, CONFIG)
    first = make_features(questions, tokenizer, CONFIG)
    module = make_features.__globals__
    monkeypatch.setitem(module, "build_features", lambda *_: pytest.fail("not cached"))
    second = make_features(questions, tokenizer, CONFIG)
    for name, array in vars(first).items():
        np.testing.assert_array_equal(array, getattr(second, name))
    monkeypatch.setitem(module, "build_features", lambda *_: first)
    other = TrainConfig(**{**vars(CONFIG), "aspect_question": "文中评价了哪些方面？"})
    chinese = questions_with_answers(examples, other)
    assert make_features(chinese, tokenizer, other) is first


def test_what_has_a_problem_is_not_learned(tmp_path, examples, tokenizer):
    """Texts whose spans have no place are in no batch; their place is told."""
    wrong = {"text": TEXT, "aspects": [{"text": "soup", "polarity": "x", "start": 8}]}
    found = load_examples(write(tmp_path / "bad.jsonl", [*GOOD, wrong]))
    batches = make_dataset(found, tokenizer, CONFIG, training=False)
    assert sum(len(x["input_ids"]) for x, _ in batches.as_numpy_iterator()) == 9
    (problem,) = {each.problem for each in found} - {""}
    assert problem == 'the aspect "soup" does not stand at 8:12'
