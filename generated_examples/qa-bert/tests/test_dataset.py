"""Answers, windows and segments land where the text says; bad lines are named."""

import json

import numpy as np
import pytest

from qa_bert.config import TrainConfig
from qa_bert.dataset import (
    describe,
    load_examples,
    make_dataset,
    settle,
)
from qa_bert.errors import UserError
from qa_bert.features import make_features
from qa_bert.tokenizer import (
    special_ids,
    train_tokenizer,
)

CONTEXT = (
    "Ada Lovelace wrote the first programme in 1843. Charles Babbage drew the engine "
    "but never finished it; the Café Müller stood nearby. She died in London in 1852, "
    "aged 36, and was laid beside her father in Hucknall."
)
GOOD = [
    {"question": "Who wrote it?", "context": CONTEXT, "answer": "Ada Lovelace"},
    {"question": "Where did she die?", "context": CONTEXT, "answer": "London"},
    {
        "question": "Which café stood near?",
        "context": CONTEXT,
        "answers": [{"text": "Café Müller", "answer_start": CONTEXT.index("Café")}],
    },
    {"question": "Who paid?", "context": CONTEXT, "answers": [], "is_impossible": True},
    {"question": "Where is she laid?", "context": CONTEXT, "answer": "Hucknall"},
]
CONFIG = TrainConfig(
    max_length=48, max_question_length=16, doc_stride=10, batch_size=2, epochs=1
)


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
    """Return a tokenizer that knows the texts."""
    texts = [CONTEXT] * 3 + [each["question"] for each in GOOD]
    return train_tokenizer(texts, vocab_size=150)


def test_targets_are_the_answers(examples, tokenizer):
    """In each window, start and end tokens span exactly the answer's characters."""
    features = make_features(examples, tokenizer, CONFIG)
    found = {index: set() for index in range(len(examples))}
    for row in range(len(features.lengths)):
        index = features.example[row]
        if features.start[row] == 0:
            assert features.end[row] == 0
            continue
        offsets = features.token_offsets(index)
        shift = features.first_token[row] - features.context_start[row]
        first = offsets[features.start[row] + shift][0]
        last = offsets[features.end[row] + shift][1]
        found[index].add(CONTEXT[first:last])
    answers = [{answer.text for answer in each.answers} for each in examples]
    assert list(found.values()) == answers


def test_windows_hold_the_whole_passage(examples, tokenizer):
    """Windows overlap by their stride and leave no token out; ids are the text's."""
    features = make_features(examples, tokenizer, CONFIG)
    context_ids = tokenizer.encode(CONTEXT, add_special_tokens=False).ids
    special = special_ids(tokenizer)
    seen = set()
    rows = np.flatnonzero(features.example == 0)
    assert len(rows) > 2
    assert list(np.diff(features.first_token[rows])) == [10] * (len(rows) - 1)
    for row in rows:
        ids = features.input_ids[slice(*features.row_splits[row : row + 2])]
        begin = features.context_start[row]
        assert ids[0] == special.cls
        assert ids[begin - 1] == special.sep
        assert ids[-1] == special.sep
        assert len(ids) <= 48
        first = features.first_token[row]
        assert list(ids[begin:-1]) == context_ids[first : first + len(ids) - begin - 1]
        seen.update(range(first, first + len(ids) - begin - 1))
    assert seen == set(range(len(context_ids)))


def test_question_is_segment_0_and_passage_segment_1(examples, tokenizer):
    """[CLS] question [SEP] is 0, passage [SEP] is 1, padding is 0 and masked."""
    features = make_features(examples, tokenizer, CONFIG)
    inputs, _ = features.collate(np.arange(len(features.lengths)))
    for row, ids in enumerate(inputs["input_ids"]):
        length = features.lengths[row]
        question = tokenizer.encode(examples[features.example[row]].question)
        head = len(question.ids) + 2
        expected = [0] * head + [1] * (length - head) + [0] * (len(ids) - length)
        assert inputs["segment_ids"][row].tolist() == expected
        assert inputs["attention_mask"][row].sum() == length
        assert inputs["attention_mask"][row, :length].all()


def test_training_batches(examples, tokenizer):
    """Every window comes once an epoch, in an order that the seed alone decides."""
    config = TrainConfig(**{**vars(CONFIG), "epochs": 2})
    features = make_features(examples, tokenizer, config)
    dataset = make_dataset(examples, tokenizer, config, training=True)
    batches = list(dataset.as_numpy_iterator())
    rows = [
        ids[:length].tobytes()
        for inputs, _ in batches
        for ids, length in zip(
            inputs["input_ids"], inputs["attention_mask"].sum(1), strict=True
        )
    ]
    splits = features.row_splits
    everything = [
        features.input_ids[a:b].tobytes()
        for a, b in zip(splits[:-1], splits[1:], strict=True)
    ]
    assert sorted(rows) == sorted(everything * 2)
    assert rows[: len(everything)] != rows[len(everything) :]
    again = make_dataset(examples, tokenizer, config, True).skip(3).as_numpy_iterator()
    for (inputs, targets), (later, _) in zip(batches[3:], again, strict=True):
        np.testing.assert_array_equal(inputs["input_ids"], later["input_ids"])
        assert set(targets) == {"start", "end"}


def test_cache_is_used_and_equal(examples, tokenizer, monkeypatch):
    """The second call reads the cache and gives the same; other settings do not."""
    first = make_features(examples, tokenizer, CONFIG)
    monkeypatch.setattr(type(tokenizer), "encode_batch", None, raising=False)
    module = make_features.__globals__
    monkeypatch.setitem(module, "build_features", lambda *_: pytest.fail("not cached"))
    second = make_features(examples, tokenizer, CONFIG)
    for name, array in vars(first).items():
        np.testing.assert_array_equal(array, getattr(second, name))
    monkeypatch.setitem(module, "build_features", lambda *_: first)
    other = TrainConfig(**{**vars(CONFIG), "doc_stride": 11})
    assert make_features(examples, tokenizer, other) is first


def test_answers_longer_than_a_window_are_told(tmp_path, tokenizer, capsys):
    """To all windows of such an answer, "none" would be the answer."""
    long = {"question": "What?", "context": CONTEXT, "answer": CONTEXT}
    found = load_examples(write(tmp_path / "long.jsonl", [*GOOD, long]))
    batches = make_dataset(found, tokenizer, CONFIG, training=True)
    assert "1 answers fit in no window" in (told := capsys.readouterr().out)
    assert "long.jsonl:6" in told
    count = sum(len(inputs["input_ids"]) for inputs, _ in batches.as_numpy_iterator())
    assert count == len(make_features(found[:-1], tokenizer, CONFIG).lengths)
    with pytest.raises(UserError, match="nothing to learn"):
        make_dataset(found[-1:], tokenizer, CONFIG, training=True)


def test_answers_that_cannot_be_placed_are_told(tmp_path, tokenizer):
    """A wrong offset or an absent answer is left out and listed, never guessed."""
    bad_offset = {"text": "London", "answer_start": 3}
    died = CONTEXT.index("1852")
    records = [
        GOOD[0],
        {"question": "Q?", "context": CONTEXT, "answer": "Paris"},
        {"question": "Q?", "context": CONTEXT, "answers": [bad_offset]},
        {"question": " ", "context": CONTEXT, "answer": "London"},
        {
            "question": "Q?",
            "context": CONTEXT,
            "answers": [bad_offset, {"text": "1852", "answer_start": died}],
        },
    ]
    found = load_examples(write(tmp_path / "bad.jsonl", records))
    assert [bool(each.problem) for each in found] == [False, True, True, True, False]
    text = describe(found)
    assert "3 left out" in text
    with pytest.raises(UserError, match="every training question is left out"):
        settle(CONFIG, found[1:4])
    assert "bad.jsonl:2" in text and "bad.jsonl:3" in text and "bad.jsonl:4" in text
    batches = make_dataset(found, tokenizer, CONFIG, training=False)
    count = sum(len(inputs["input_ids"]) for inputs, _ in batches.as_numpy_iterator())
    kept = [each for each in found if not each.problem]
    assert count == len(make_features(kept, tokenizer, CONFIG).lengths)
