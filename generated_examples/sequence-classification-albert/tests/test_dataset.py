"""Files, labels and token ids are what they should be; bad lines are named."""

import json

import numpy as np
import pytest

from sequence_classification_albert.config import TrainConfig
from sequence_classification_albert.dataset import (
    describe,
    load_examples,
    make_dataset,
    make_targets,
    settle,
)
from sequence_classification_albert.errors import UserError
from sequence_classification_albert.features import make_features
from sequence_classification_albert.tokenizer import (
    special_ids,
    train_tokenizer,
)

GOOD = [
    {"sequence": "When does the next bus leave?", "label": "buses"},
    {"sequence": "Is the pool open today?", "label": "pool"},
    {"sequence": "My bin is still full.", "label": "bins"},
    {"sequence": "Which bus goes to the pool?", "label": "buses"},
]
PAIRS = [
    {"sequence": "A man sleeps.", "sequence_pair": "He is awake now.", "label": "no"},
    {"sequence": "The bus is late.", "sequence_pair": "It is a bus.", "label": "yes"},
]
TEXTS = [each["sequence"] for each in GOOD + PAIRS]
TEXTS += [each["sequence_pair"] for each in PAIRS]
CONFIG = TrainConfig(batch_size=2, epochs=1, max_length=32, cache_dir="")


def write(path, lines):
    """Write records, or lines as they are, and return the path."""
    lines = [each if isinstance(each, str) else json.dumps(each) for each in lines]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def read(path, lines, **settings):
    """Return settled settings and examples of lines written to a file."""
    examples = load_examples(write(path, lines), TrainConfig(**settings))
    return settle(TrainConfig(**settings), examples), examples


@pytest.fixture(scope="module")
def tokenizer():
    """Return a tokenizer that knows the texts."""
    return train_tokenizer(TEXTS * 3, vocab_size=150)


def test_each_text_has_its_own_label(tmp_path, tokenizer):
    """In training batches, rows of token ids and labels belong together."""
    config, examples = read(tmp_path / "a.jsonl", GOOD, **vars(CONFIG))
    assert config.kind == "single"
    assert config.labels == ("bins", "buses", "pool")
    batches = make_dataset(examples, tokenizer, config, training=True)
    found = []
    for inputs, targets in batches.as_numpy_iterator():
        assert targets["logits"].dtype == np.int32
        for ids, mask, target in zip(
            inputs["input_ids"],
            inputs["attention_mask"],
            targets["logits"],
            strict=True,
        ):
            pieces = tokenizer.encode(TEXTS[0], add_special_tokens=False).ids
            text = tokenizer.decode(ids[mask > 0][1:-1].tolist())
            found.append((text.replace(" ", ""), config.labels[target]))
            assert len(pieces) > 3
    expected = [(x["sequence"].lower().replace(" ", ""), x["label"]) for x in GOOD]
    assert sorted(found) == sorted(expected)


def test_pairs_have_two_segments(tmp_path, tokenizer):
    """[CLS] text [SEP] is 0, second text [SEP] is 1, padding is 0 and masked."""
    config, examples = read(tmp_path / "a.jsonl", [*PAIRS, GOOD[0]], **vars(CONFIG))
    features = make_features(examples, tokenizer, config)
    inputs = features.collate(np.arange(3))
    special = special_ids(tokenizer)
    for row, record in enumerate([*PAIRS, GOOD[0]]):
        first, second = (
            tokenizer.encode(record.get(name, ""), add_special_tokens=False).ids
            for name in ("sequence", "sequence_pair")
        )
        ids = [special.cls, *first, special.sep]
        segments = [0] * len(ids) + [1] * (len(second) + 1 if second else 0)
        ids += [*second, special.sep] if second else []
        padding = [0] * (inputs["input_ids"].shape[1] - len(ids))
        assert inputs["input_ids"][row].tolist() == ids + padding
        assert inputs["segment_ids"][row].tolist() == segments + padding
        assert inputs["attention_mask"][row].tolist() == [1] * len(ids) + padding


def test_the_longer_text_is_cut(tokenizer, tmp_path):
    """Of a pair the longer text loses its end; of both equally long ones, both do."""
    long, short = "bus pool bin " * 20, "the bus"
    records = [
        {"sequence": long, "sequence_pair": short, "label": "a"},
        {"sequence": short, "sequence_pair": long, "label": "b"},
        {"sequence": long, "sequence_pair": long, "label": "b"},
        {"sequence": long, "label": "b"},
    ]
    config, examples = read(tmp_path / "a.jsonl", records, **vars(CONFIG))
    features = make_features(examples, tokenizer, config)
    ids = {
        text: tokenizer.encode(text, add_special_tokens=False).ids
        for text in (long, short)
    }
    few, room = len(ids[short]), 32 - 3
    expected = [(room - few, few), (few, room - few), (15, 14), (30, None)]
    for row, (first, second) in enumerate(expected):
        found = features.input_ids[slice(*features.row_splits[row : row + 2])].tolist()
        assert len(found) == 32
        assert features.second_start[row] == first + 2
        assert found[1 : first + 1] == ids[records[row]["sequence"]][:first]
        if second:
            pair = ids[records[row]["sequence_pair"]][:second]
            assert found[first + 2 : -1] == pair
    assert "4 of 4 texts (100.0%) lose their end" in features.describe()


def test_cache_is_used_and_equal(tmp_path, tokenizer, monkeypatch):
    """The second call reads the cache and gives the same; other settings do not."""
    config, examples = read(
        tmp_path / "a.jsonl", PAIRS, **{**vars(CONFIG), "cache_dir": "cache"}
    )
    first = make_features(examples, tokenizer, config)
    module = make_features.__globals__
    monkeypatch.setitem(module, "build_features", lambda *_: pytest.fail("not cached"))
    second = make_features(examples, tokenizer, config)
    for name, array in vars(first).items():
        np.testing.assert_array_equal(array, getattr(second, name))
    monkeypatch.setitem(module, "build_features", lambda *_: first)
    other = TrainConfig(**{**vars(config), "max_length": 31})
    assert make_features(examples, tokenizer, other) is first


def labelled(*labels):
    """Return records with these labels."""
    return [{"sequence": "Who?", "label": label} for label in labels]


@pytest.mark.parametrize(
    ("labels", "kind", "names"),
    [
        (["b", "a", "b"], "single", ("a", "b")),
        ([10, 9, 2], "single", ("2", "9", "10")),
        ([True, False], "single", ("false", "true")),
        (["1.5x", 2.5], "single", ("1.5x", "2.5")),
        ([["b", "a"], [], ["a"]], "multi", ("a", "b")),
        ([0.5, 3], "regression", ()),
        (["1.0", "-2.50", "1e-3"], "regression", ()),
        (["nan", "inf"], "single", ("inf", "nan")),
    ],
)
def test_kind_and_labels_of_the_data(tmp_path, labels, kind, names):
    """Lists mean several labels, fractions a number; whole numbers are in order."""
    config, _ = read(tmp_path / "a.jsonl", labelled(*labels))
    assert (config.kind, config.labels) == (kind, names)


def test_targets(tmp_path):
    """One label is its number, several are ones, a number is itself."""
    config, examples = read(tmp_path / "a.jsonl", labelled("b", "a", "c"))
    assert make_targets(examples, config).tolist() == [1, 0, 2]
    config, examples = read(tmp_path / "b.jsonl", labelled(["c", "a"], [], ["b"]))
    expected = [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    assert make_targets(examples, config).tolist() == expected
    config, examples = read(tmp_path / "c.jsonl", labelled(-1.25, 3))
    assert make_targets(examples, config).tolist() == [[-1.25], [3.0]]
    config, examples = read(tmp_path / "d.jsonl", labelled(1, 0), kind="regression")
    assert make_targets(examples, config).tolist() == [[1.0], [0.0]]


def test_balanced_weights(tmp_path):
    """Rare classes weigh more: by the rules of scikit-learn, and by negatives."""
    path, flag = tmp_path / "a.jsonl", {"class_weights": ("balanced",)}
    config, _ = read(path, labelled("a", "a", "a", "b"), **flag)
    assert config.class_weights == ("a=0.666667", "b=2")
    config, _ = read(path, labelled(["a"], ["a", "b"], ["a"], []), **flag)
    assert config.class_weights == ("a=0.333333", "b=3")
    config, _ = read(path, labelled("a", "b=c"), class_weights=("b=c=2.5",))
    assert config.class_weights == ("a=1", "b=c=2.5")


@pytest.mark.parametrize(
    ("labels", "settings", "message"),
    [
        (["a", ["b"]], {}, "a list stands at .*:2, a single label at .*:1"),
        (["a", "a"], {}, "all labels are the same: a"),
        (["1.5", "nan"], {}, "a.jsonl:2: no finite number"),
        ([1.5, 1e300], {}, "a.jsonl:2.*too large"),
        (["a", "b"], {"kind": "binary"}, 'unknown kind "binary".*only three'),
        (["a", "b"], {"monitor": "f2"}, 'cannot monitor "f2"'),
        ([["a"], []], {"monitor": "accuracy"}, 'cannot monitor "accuracy"'),
        (["a", "b"], {"class_weights": ("c=2",)}, 'class weight "c=2"'),
        (["a", "b"], {"class_weights": ("a=x",)}, 'class weight "a=x"'),
        ([0.5, 1], {"class_weights": ("balanced",)}, "need classes"),
        (["a", "b"], {"labels": ("a", "b", "a")}, "names a label twice"),
    ],
)
def test_settings_that_contradict_the_labels(tmp_path, labels, settings, message):
    """What cannot be trained is told before training, with what to do."""
    with pytest.raises(UserError, match=message):
        read(tmp_path / "a.jsonl", labelled(*labels), **settings)


def test_labels_keep_the_order_of_a_checkpoint(tmp_path):
    """Where a checkpoint's classifier has just these labels, its order is taken."""
    sizes = {"hidden_size": 8, "id2label": {"10": "c", "0": "b", "2": "a"}}
    (tmp_path / "config.json").write_text(json.dumps(sizes))
    path, flag = tmp_path / "a.jsonl", {"pretrained": str(tmp_path)}
    config, _ = read(path, labelled("a", "b", "c"), **flag)
    assert config.labels == ("b", "a", "c")
    config, _ = read(path, labelled("a", "b", "d"), **flag)
    assert config.labels == ("a", "b", "d")


def test_what_cannot_be_learned_from_is_told(tmp_path, tokenizer):
    """Empty texts and labels that are none are left out and listed."""
    bad = [
        {"sentence1": "A", "sentence2": "B", "gold_label": "-"},
        {"sentence1": " ", "sentence2": "B", "gold_label": "no"},
        {"sentence1": "A", "sentence2": "", "gold_label": "no"},
        {"sentence1": "A", "sentence2": "B", "gold_label": ""},
    ]
    config, found = read(tmp_path / "a.jsonl", [*PAIRS, *bad], **vars(CONFIG))
    assert [bool(each.problem) for each in found] == [False] * 2 + [True] * 4
    assert config.labels == ("no", "yes")
    text = describe(found)
    assert "6 pairs" in text and "4 left out" in text and "no 3, yes 1" in text
    assert all(f"a.jsonl:{number}" in text for number in (3, 4, 5, 6))
    batches = make_dataset(found, tokenizer, config, training=False)
    rows = [len(targets["logits"]) for _, targets in batches.as_numpy_iterator()]
    assert sum(rows) == 2
