"""Files become documents, documents tokens and rows; what is wrong is named."""

import dataclasses
import json
import sys
import types

import numpy as np
import pytest

from masked_lm_albert.config import TrainConfig
from masked_lm_albert.dataset import (
    load_examples,
    make_dataset,
    settle,
)
from masked_lm_albert.encoder import EncoderConfig
from masked_lm_albert.errors import UserError
from masked_lm_albert.features import (
    make_features,
    row_ids,
)
from masked_lm_albert.tokenizer import train_tokenizer
from masked_lm_albert.vocabularies import (
    make_tokenizer,
)
from masked_lm_albert.words import word_marks

TEXTS = [
    f"The keeper of lamp {number} climbs at dusk. He counts {number} steps. "
    f"Nobody sees lamp {number} from the harbour, but the ferry does."
    for number in range(40)
]
CONFIG = TrainConfig(
    max_length=32, batch_size=4, epochs=2, sentence_order="nsp", max_ngram=1
)


def write(path, records):
    """Write records as JSONL and return the path."""
    lines = [each if isinstance(each, str) else json.dumps(each) for each in records]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def examples(tmp_path):
    """Return documents, read from a file."""
    path = write(tmp_path / "good.jsonl", [{"text": text} for text in TEXTS])
    return load_examples(path)


@pytest.fixture
def tokenizer():
    """Return a tokenizer that knows the texts."""
    return train_tokenizer(TEXTS, vocab_size=100)


def sentences_of(example):
    """Return the sentences of a document."""
    return [example.text[start:end] for start, end in example.sentences]


def test_text_with_a_sentence_a_line(tmp_path):
    """Lines are sentences as they are, blank lines divide documents: Google's form."""
    path = tmp_path / "a.txt"
    path.write_text("\ufeffOne. Two.\r\nThree\n\n\n  Four\n \nFive", encoding="utf-8")
    found = load_examples(path)
    assert [sentences_of(each) for each in found] == [
        ["One. Two.", "Three"],
        ["Four"],
        ["Five"],
    ]
    assert [each.source for each in found] == [f"{path}:{n}" for n in (1, 5, 7)]


def test_text_with_a_document_a_line(tmp_path):
    """With the setting, a line is a document and is divided into sentences."""
    path = tmp_path / "a.txt"
    path.write_text("One. Two.\n\nThree\n", encoding="utf-8")
    config = dataclasses.replace(CONFIG, text_lines="documents")
    found = load_examples(path, config)
    assert [sentences_of(each) for each in found] == [["One.", "Two."], ["Three"]]
    with pytest.raises(UserError, match="text_lines"):
        load_examples(path, dataclasses.replace(CONFIG, text_lines="x"))


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("He left. She stayed!  Why? 'I know.' It", 5),
        ("Dr. Maddern met J. R. Falk. They spoke.", 2),
        ("It cost 3.50 a day, i.e. little. A lot", 2),
        ("今天下雨。他说：“我不去。”她去了！真的？", 4),
        ("one line\nand another\n\n", 2),
        ("… and so on... he said", 2),
    ],
)
def test_sentences(tmp_path, text, sentences):
    """Running text is divided at sentences, not at initials and numbers."""
    (example,) = load_examples(write(tmp_path / "a.jsonl", [{"text": text}]))
    found = sentences_of(example)
    assert len(found) == sentences, found
    assert "".join("".join(found).split()) == "".join(text.split())


def test_tokens_are_those_of_the_sentences(examples, tokenizer):
    """Each sentence's tokens are the tokenizer's; words begin where no "##" is."""
    config = dataclasses.replace(CONFIG, max_length=64)
    features = make_features(examples, tokenizer, config)
    texts = [text for example in examples for text in sentences_of(example)]
    encodings = tokenizer.encode_batch(texts)
    ids = [index for each in encodings for index in each.ids]
    assert features.input_ids.tolist() == ids
    pieces = [token for each in encodings for token in each.tokens]
    begins = [not token.startswith("##") for token in pieces]
    assert features.starts_word.tolist() == begins and not all(begins)
    assert np.diff(features.document_splits).tolist() == [3] * 40
    each = dataclasses.replace(config, mask_unit="piece")
    assert make_features(examples, tokenizer, each).starts_word.all()


def test_long_sentences_are_cut(tokenizer, tmp_path):
    """A sentence that fits in no row becomes several, and no token is lost."""
    long = " ".join(f"lamp {n}" for n in range(80))
    (example,) = load_examples(write(tmp_path / "a.jsonl", [{"text": long}]))
    features = make_features([example], tokenizer, CONFIG)
    lengths = np.diff(features.sentence_splits)
    assert lengths.max() == 29 and len(lengths) > 3
    assert features.input_ids.tolist() == tokenizer.encode(long).ids


def test_special_tokens_in_a_text_are_text(tokenizer, tmp_path):
    """What is written "[SEP]" or "[MASK]" in a file to learn from is no special token.

    In a text to fill, "[MASK]" is one.
    """
    text = "lamp [MASK] at [SEP] dusk"
    path = write(tmp_path / "a.jsonl", [{"text": text}])
    ids = row_ids(tokenizer)
    features = make_features(load_examples(path), tokenizer, CONFIG)
    assert not np.isin(features.input_ids, [ids.mask, ids.sep]).any()
    filled = load_examples(path, labelled=False)
    features = make_features(filled, tokenizer, CONFIG)
    assert (features.input_ids == ids.mask).sum() == 1
    assert ids.sep not in features.input_ids
    assert tokenizer.decode([int(features.input_ids[0])]) == "lamp"


def test_sentencepiece_words():
    """Letters without "▁" go on with a word; marks, digits and Chinese do not."""
    tokenizer = make_tokenizer("unigram", 60, [*TEXTS, "灯塔 在 海边"])
    marks = word_marks(tokenizer, "word")
    vocabulary = tokenizer.get_vocab()
    assert {marks[i] for t, i in vocabulary.items() if t.startswith("▁")} == {True}
    letters = [
        i for token, i in vocabulary.items() if token.isascii() and token.isalpha()
    ]
    assert letters and not marks[letters].any()
    assert marks[vocabulary["."]]


def test_chinese_words(monkeypatch, tmp_path):
    """Characters of a word that the segmenter finds belong together."""
    jieba = types.ModuleType("jieba")
    jieba.setLogLevel = lambda level: None
    jieba.tokenize = lambda text: [("使用", 0, 2), ("语言", 2, 4), ("模型", 4, 6)]
    monkeypatch.setitem(sys.modules, "jieba", jieba)
    path = write(tmp_path / "a.jsonl", [{"text": "使用语言模型"}])
    tokenizer = train_tokenizer(["使用语言模型"], vocab_size=30)
    config = dataclasses.replace(CONFIG, mask_unit="chinese", cache_dir="")
    features = make_features(load_examples(path), tokenizer, config)
    assert features.starts_word.tolist() == [True, False] * 3
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(UserError, match="needs the package jieba"):
        make_features(load_examples(path), tokenizer, config)


def rows_of(batches):
    """Return the rows of batches, masks and all, without padding."""
    return {
        tuple(ids[mask > 0])
        for inputs, _ in batches
        for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True)
    }


def test_training_batches(examples, tokenizer):
    """Epochs are equally long and have other masks; a resumed run sees the same."""
    dataset = make_dataset(examples, tokenizer, CONFIG, training=True)
    batches = list(dataset.as_numpy_iterator())
    assert len(batches) == int(dataset.cardinality()) and len(batches) % 2 == 0
    for inputs, targets in batches:
        count = targets["mlm"].shape[1]
        assert inputs["masked_positions"].shape == (len(targets["order"]), count)
        assert set(np.unique(targets["order"])) <= {0, 1}
        assert inputs["input_ids"].shape[1] in (16, 32)
    half = len(batches) // 2
    first, second = rows_of(batches[:half]), rows_of(batches[half:])
    assert len(first & second) < len(first) / 10
    later = make_dataset(examples, tokenizer, CONFIG, True).skip(3)
    for (inputs, _), (again, _) in zip(
        batches[3:], later.as_numpy_iterator(), strict=True
    ):
        for name, array in inputs.items():
            np.testing.assert_array_equal(array, again[name])


def test_evaluation_is_always_the_same(examples, tokenizer):
    """The rows and masks that a model is scored on are fixed."""
    one, other = (
        list(make_dataset(examples, tokenizer, CONFIG, False).as_numpy_iterator())
        for _ in range(2)
    )
    for (inputs, _), (again, _) in zip(one, other, strict=True):
        np.testing.assert_array_equal(inputs["input_ids"], again["input_ids"])


def test_settle(examples):
    """What is left to the model is settled; impossible tasks are refused."""
    settled = settle(TrainConfig(), examples)
    assert settled.sentence_order == EncoderConfig.sentence_order in ("nsp", "sop")
    assert settled.max_ngram == EncoderConfig.max_ngram in (1, 3)
    assert settle(TrainConfig(sentence_order="none"), examples).sentence_order == "none"
    with pytest.raises(UserError, match="only one document"):
        settle(TrainConfig(sentence_order="nsp"), examples[:1])
    with pytest.raises(UserError, match="sentence order"):
        settle(TrainConfig(sentence_order="left"), examples)
    with pytest.raises(UserError, match="mask unit"):
        make_features(examples, None, dataclasses.replace(CONFIG, mask_unit="x"))
