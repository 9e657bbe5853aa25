"""What is left out, what the data decide, and pairs that stay pairs in a batch."""

import json

import numpy as np
import pytest

from sentence_embedding_bert.config import TrainConfig
from sentence_embedding_bert.dataset import (
    describe,
    example_from_texts,
    example_texts,
    load_examples,
    make_dataset,
    settle,
)
from sentence_embedding_bert.errors import UserError
from sentence_embedding_bert.examples import Example
from sentence_embedding_bert.features import make_features
from sentence_embedding_bert.losses import (
    ANCHOR,
    NEGATIVE,
    POSITIVE,
)
from sentence_embedding_bert.tokenizer import (
    special_ids,
    train_tokenizer,
)

TRIPLETS = [
    {"sentence": "a dog runs", "positive": "a hound is running", "negative": "a dog"},
    {"sentence": "two men eat", "positive": "men are eating"},
    {"sentence": "it rains", "positive": "rain falls", "negative": "a dog runs"},
    {"sentence": "she reads a long book in bed", "positive": "she reads"},
]
SCORED = [
    {"sentence": "a dog runs", "sentence_pair": "a hound is running", "score": 4.5},
    {"sentence": "it rains", "sentence_pair": "a dog runs", "score": 0},
]
CONFIG = TrainConfig(cache_dir="", batch_size=4, epochs=1, max_length=8)


def write(path, records):
    """Write records as JSONL, or text as it is, and return the path."""
    lines = [each if isinstance(each, str) else json.dumps(each) for each in records]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def tokenizer():
    """Return a tokenizer that knows the words."""
    texts = [text for each in TRIPLETS for text in each.values()]
    return train_tokenizer(texts * 3, vocab_size=120)


def test_what_cannot_be_learned_from(tmp_path, tokenizer):
    """Empty and contradictory lines are counted, listed, and left out."""
    bad = [
        {"sentence": " ", "positive": "a dog"},
        {"sentence": "it rains", "positive": "rain", "negative": "it rains"},
    ]
    examples = load_examples(write(tmp_path / "a.jsonl", [*TRIPLETS, *bad]))
    text = describe(examples)
    assert "3 triplets, 3 pairs" in text and "2 left out" in text
    assert 'a.jsonl:5: "sentence" is empty' in text
    assert 'a.jsonl:6: "negative" is the same as "sentence"' in text
    features = make_features(examples, tokenizer, settle(CONFIG, examples))
    assert len(features.lengths) == 4
    assert len(load_examples(tmp_path / "a.jsonl", labelled=False)) == 6


def decode(inputs, row, tokenizer):
    """Return a row's tokens as text, without the special ones."""
    ids = inputs["input_ids"][row][inputs["attention_mask"][row] > 0]
    special = special_ids(tokenizer)
    assert ids[0] == special.cls and ids[-1] == special.sep
    return tokenizer.decode(ids[1:-1].tolist())


def batch_of(records, tokenizer, path, **settings):
    """Return the only batch of some records: inputs, and targets by row."""
    examples = load_examples(write(path / "a.jsonl", records))
    config = settle(TrainConfig(**{**vars(CONFIG), **settings}), examples)
    ((inputs, targets),) = make_dataset(examples, tokenizer, config, training=True)
    inputs = {name: np.array(array) for name, array in inputs.items()}
    assert not inputs["segment_ids"].any()
    return inputs, np.array(targets)


def test_batches_keep_triplets_together(tmp_path, tokenizer):
    """A positive and a negative carry the number of their own sentence."""
    inputs, targets = batch_of(TRIPLETS, tokenizer, tmp_path, max_length=16)
    parts = {}
    for row, (role, number, _) in enumerate(targets):
        parts.setdefault(number, {})[role] = decode(inputs, row, tokenizer)
    names = {ANCHOR: "sentence", POSITIVE: "positive", NEGATIVE: "negative"}
    found = [
        {names[role]: text for role, text in each.items()} for each in parts.values()
    ]
    assert sorted(found, key=str) == sorted(TRIPLETS, key=str)
    assert len(targets) == 4 + 4 + 2


def test_batches_of_scored_pairs(tmp_path, tokenizer):
    """Scores are brought to 0 to 1 by their range."""
    inputs, targets = batch_of(SCORED, tokenizer, tmp_path)
    rows = {decode(inputs, row, tokenizer): targets[row] for row in range(4)}
    assert rows["a hound is running"][2] == pytest.approx(0.9)
    ((number,),) = {(rows["a hound is running"][1],)}
    anchors = [i for i in range(4) if targets[i][0] == ANCHOR]
    mates = [decode(inputs, i, tokenizer) for i in anchors if targets[i][1] == number]
    assert mates == ["a dog runs"]


def test_batches_without_labels(tmp_path, tokenizer):
    """Each distinct sentence stands twice in a batch; a long one is cut."""
    inputs, targets = batch_of(
        TRIPLETS, tokenizer, tmp_path, objective="unsupervised", batch_size=16
    )
    distinct = set(example_texts([Example("", **each) for each in TRIPLETS]))
    assert len(targets) == 2 * len(distinct) == 18
    for number in range(len(distinct)):
        one, other = np.flatnonzero(targets[:, 1] == number)
        assert {targets[one][0], targets[other][0]} == {ANCHOR, POSITIVE}
        assert np.array_equal(inputs["input_ids"][one], inputs["input_ids"][other])
    assert inputs["attention_mask"].sum(axis=1).max() == 8


def test_settle(tmp_path):
    """What the data decide is decided, and what they leave open is an error."""
    triplets = [Example(str(i), **each) for i, each in enumerate(TRIPLETS)]
    scored = [Example(f"s{i}", **each) for i, each in enumerate(SCORED)]
    alone = [Example("a", "alone")]
    assert settle(CONFIG, triplets + alone).objective == "supervised"
    assert settle(CONFIG, scored + alone).objective == "sts"
    assert settle(CONFIG, scored).score_range == (0.0, 5.0)
    config = settle(TrainConfig(pooling="cls"), alone)
    assert (config.objective, config.mlp) == ("unsupervised", "train")
    assert settle(TrainConfig(pooling="cls"), triplets).mlp == "none"
    assert settle(CONFIG, alone).pooling == "mean"
    with pytest.raises(UserError, match="2 examples have a score, 4 a positive"):
        settle(CONFIG, triplets + scored)
    with pytest.raises(UserError, match="nothing to learn from"):
        settle(TrainConfig(objective="sts"), triplets)
    with pytest.raises(UserError, match="scores from 0 to 4.5 have no range"):
        settle(TrainConfig(score_range=(0.0, 4.0)), scored)
    with pytest.raises(UserError, match='unknown objective "both"'):
        settle(TrainConfig(objective="both"), triplets)
    with pytest.raises(UserError, match='unknown mlp "no"'):
        settle(TrainConfig(mlp="no"), triplets)
    with pytest.raises(UserError, match="max_length 2"):
        settle(TrainConfig(max_length=2), triplets)
    path = str(write(tmp_path / "v.jsonl", [{"sentence": "alone"}]))
    with pytest.raises(UserError, match="neither scores nor positives"):
        settle(TrainConfig(validation_files=(path,)), triplets)


def test_settle_takes_the_pooling_of_the_checkpoint(tmp_path):
    """A sentence-transformers folder says how its vectors are made."""
    (tmp_path / "1_Pooling").mkdir()
    kinds = {"Transformer": "", "Pooling": "1_Pooling"}
    modules = [{"type": f"st.models.{k}", "path": v} for k, v in kinds.items()]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    config = TrainConfig(pretrained=str(tmp_path))
    for settings, expected in (
        ({"pooling_mode_cls_token": True, "pooling_mode_max_tokens": False}, "cls"),
        ({"pooling_mode": "max"}, "max"),
    ):
        (tmp_path / "1_Pooling/config.json").write_text(json.dumps(settings))
        assert settle(config, [Example("a", "alone")]).pooling == expected
    (tmp_path / "1_Pooling/config.json").write_text('{"pooling_mode": "lasttoken"}')
    with pytest.raises(UserError, match="lasttoken"):
        settle(config, [Example("a", "alone")])


def test_cache(tmp_path, tokenizer):
    """Tokenized data come from the cache unless the examples or settings differ."""
    examples = [Example(str(i), **each) for i, each in enumerate(TRIPLETS)]
    config = TrainConfig(objective="supervised", cache_dir=str(tmp_path / "cache"))
    first = make_features(examples, tokenizer, config)
    again = make_features(examples, tokenizer, config)
    for name, array in vars(first).items():
        np.testing.assert_array_equal(array, vars(again)[name])
    assert len(list((tmp_path / "cache").iterdir())) == 1
    make_features(examples[:2], tokenizer, config)
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_texts_from_the_command_line():
    """One text is a sentence, two are a pair, three are an error."""
    assert example_from_texts(["a"]).sentence_pair is None
    assert example_from_texts(["a", "b"]).sentence_pair == "b"
    with pytest.raises(UserError, match="3 texts"):
        example_from_texts(["a", "b", "c"])
