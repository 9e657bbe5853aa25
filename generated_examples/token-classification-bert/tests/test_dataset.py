"""Words, their first pieces and their windows land where the sentence says."""

import json

import numpy as np
import pytest

from token_classification_bert.config import TrainConfig
from token_classification_bert.dataset import (
    Example,
    describe,
    example_from_texts,
    load_examples,
    make_dataset,
    settle,
)
from token_classification_bert.errors import UserError
from token_classification_bert.features import (
    make_features,
    windows,
)
from token_classification_bert.tokenizer import (
    special_ids,
    train_tokenizer,
)

WORDS = ["Ada", "Lovelace", "saw", "\u200b", "the", "Café", "Müller", "in", "\ufffd"]
TAGS = ["B-per", "I-per", "O", "O", "O", "B-org", "I-org", "O", "O", "B-loc", "O"]
WORDS += ["Hucknall", "beside"]
SENTENCES = [
    {"tokens": WORDS, "labels": TAGS},
    {"tokens": ["Hucknall"], "labels": ["B-loc"]},
    {"tokens": WORDS * 3, "labels": TAGS * 3},
    {"text": "Ada saw it.", "entities": [{"start": 0, "end": 3, "label": "per"}]},
]
SETTINGS = TrainConfig(max_length=24, stride=9, batch_size=2, epochs=1)


@pytest.fixture
def examples(tmp_path):
    """Return the sentences, read from a file."""
    path = tmp_path / "good.jsonl"
    path.write_text("\n".join(map(json.dumps, SENTENCES)), encoding="utf-8")
    return load_examples(path)


@pytest.fixture
def config(examples):
    """Return settings that know the labels."""
    return settle(SETTINGS, examples)


@pytest.fixture
def tokenizer():
    """Return a tokenizer that knows some of the words whole."""
    return train_tokenizer(["Ada saw the in her"] * 9 + [" ".join(WORDS)], 70)


def spelled(tokenizer, word):
    """Return the ids of a word alone, [UNK] where nothing is left of it."""
    ids = tokenizer.encode(word, add_special_tokens=False).ids
    return ids or [tokenizer.token_to_id("[UNK]")]


def test_first_pieces_carry_the_labels(examples, tokenizer, config):
    """At each place stands the first piece of its word, with the word's label."""
    features = make_features(examples, tokenizer, config)
    seen = [[] for _ in examples]
    for row, index in enumerate(features.example):
        ids = features.input_ids[slice(*features.row_splits[row : row + 2])]
        own = slice(*features.word_splits[row : row + 2])
        words = examples[index].tokens[features.first_word[row] :]
        for place, label, word in zip(
            features.positions[own], features.labels[own], words, strict=False
        ):
            pieces = spelled(tokenizer, word)
            assert ids[place : place + len(pieces)].tolist() == pieces
            seen[index].append(config.labels[label])
    assert seen == [list(example.labels) for example in examples]


def test_words_that_vanish_keep_their_place(examples, tokenizer, config):
    """A word of dropped characters is one [UNK], so no label slips to another word."""
    config = TrainConfig(**{**vars(config), "max_length": 90})
    features = make_features(examples[:1], tokenizer, config)
    unknown = tokenizer.token_to_id("[UNK]")
    at_words = features.input_ids[features.positions].tolist()
    for word, piece in zip(WORDS, at_words, strict=True):
        assert (piece == unknown) == (word in ("\u200b", "\ufffd"))
    pieces = [spelled(tokenizer, word) for word in WORDS]
    assert features.input_ids[1:-1].tolist() == sum(pieces, [])


def test_windows_hold_whole_words_and_share_no_own_word(tokenizer, examples, config):
    """Each window fits, begins and ends with a word, and each word is one's own."""
    features = make_features(examples, tokenizer, config)
    special = special_ids(tokenizer)
    rows = np.flatnonzero(features.example == 2)
    assert len(rows) > 4
    next_word = 0
    for row in rows:
        ids = features.input_ids[slice(*features.row_splits[row : row + 2])].tolist()
        assert ids[0] == special.cls and ids[-1] == special.sep and len(ids) <= 24
        assert features.first_word[row] == next_word
        next_word += np.diff(features.word_splits)[row]
        pieces = [spelled(tokenizer, word) for word in examples[2].tokens]
        starts = range(len(pieces))
        inner = [sum(pieces[a : b + 1], []) for a in starts for b in starts if b >= a]
        assert ids[1:-1] in inner
    assert next_word == len(examples[2].words)


def test_each_word_belongs_to_its_best_window():
    """It is the window with most pieces on the smaller side; the first of equal ones.

    Windows are laid anew here, by counting pieces one by one.
    """
    random = np.random.default_rng(0)
    for room, stride in ((10, 4), (16, 8), (7, 30), (5, 1)):
        counts = random.integers(1, 5, 40)
        found = list(windows(counts, room, stride))
        covered = [word for _, _, own in found for word in own]
        assert covered == list(range(40))
        layout, first = [], 0
        while not layout or layout[-1][1] < 40:
            stop = first
            while stop < 40 and counts[first : stop + 1].sum() <= room:
                stop += 1
            layout.append((first, stop))
            step = first
            while step + 1 < stop and counts[first : step + 1].sum() <= stride:
                step += 1
            first = max(step, first + 1) if counts[first:stop].sum() > stride else stop
        owners = {word: (a, b) for a, b, own in found for word in own}
        for word in range(40):
            sides = {}
            for a, b in layout:
                if a <= word < b:
                    sides[a, b] = min(counts[a:word].sum(), counts[word + 1 : b].sum())
            assert owners[word] == max(sides, key=sides.get)


def test_a_word_longer_than_a_window_is_cut(tokenizer):
    """Its first pieces fill the window; the words after it lose nothing."""
    config = TrainConfig(max_length=12, cache_dir="")
    example = Example("a", "e" * 90 + " Ada", ((0, 90), (91, 94)), None, "here")
    features = make_features([example], tokenizer, config)
    assert features.lengths.tolist() == [12, 2 + len(spelled(tokenizer, "Ada"))]
    assert features.positions.tolist() == [1, 1]
    assert features.labels.tolist() == [-1, -1]


def test_batches(examples, tokenizer, config):
    """Padding is masked, has position 0 and label -1; segments are 0."""
    config = TrainConfig(**{**vars(config), "epochs": 2})
    features = make_features(examples, tokenizer, config)
    batches = list(
        make_dataset(examples, tokenizer, config, training=True).as_numpy_iterator()
    )
    count = 0
    for inputs, targets in batches:
        assert set(inputs) == {
            "input_ids",
            "segment_ids",
            "attention_mask",
            "word_positions",
        }
        assert not inputs["segment_ids"].any()
        real = inputs["word_positions"] > 0
        assert ((targets["logits"] >= 0) == real).all()
        lengths = inputs["attention_mask"].sum(1)
        assert (inputs["word_positions"].max(1) < lengths - 1).all()
        count += real.sum()
    assert count == 2 * sum(len(example.words) for example in examples)
    assert len(batches) == 2 * -(-len(features.lengths) // 2)


def test_cache_is_used_and_depends_on_the_settings(
    examples, tokenizer, config, monkeypatch
):
    """The second call reads the cache and gives the same; other settings do not."""
    first = make_features(examples, tokenizer, config)
    module = make_features.__globals__
    monkeypatch.setitem(module, "build_features", lambda *_: pytest.fail("not cached"))
    second = make_features(examples, tokenizer, config)
    for name, array in vars(first).items():
        np.testing.assert_array_equal(array, getattr(second, name))
    monkeypatch.setitem(module, "build_features", lambda *_: first)
    for name, value in {"stride": 10, "tagging": "bioes", "labels": ("O",)}.items():
        other = TrainConfig(**{**vars(config), name: value})
        assert make_features(examples, tokenizer, other) is first


def test_settings_and_reports(examples, config):
    """Labels and rate are settled; the report counts; bad windows are refused."""
    assert config.labels[:3] == ("O", "B-loc", "I-loc") and len(config.labels) == 7
    assert config.learning_rate == 1e-3
    report = describe(examples)
    assert "4 sentences, 49 words" in report and "14 entities in IOB2" in report
    assert "per 5" in report
    with pytest.raises(UserError, match="windows of 4 tokens"):
        make_features(examples, None, TrainConfig(max_length=4))
    with pytest.raises(UserError, match="--text takes one text"):
        example_from_texts(["a", "b"])
