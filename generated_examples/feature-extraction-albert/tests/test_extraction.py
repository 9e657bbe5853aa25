"""Texts become vectors in their order, whatever their neighbours, chunk by chunk."""

import itertools

import numpy as np
import pytest

import reference
import released
from feature_extraction_albert import extraction
from feature_extraction_albert.checkpoints import (
    model_variables,
)
from feature_extraction_albert.config import (
    ExtractConfig,
)
from feature_extraction_albert.dataset import Text
from feature_extraction_albert.encoder import (
    EncoderConfig,
    build_encoder,
)
from feature_extraction_albert.features import encode
from feature_extraction_albert.model import build_model
from feature_extraction_albert.tokenizer import (
    train_tokenizer,
)

WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "saw", "dogs", "run", "by"]
TEXTS = [
    Text("0", "the cat"),
    Text("1", "a mat and the cat", "dogs run"),
    Text("2", ""),
    Text("3", " ".join(WORDS * 3)),
    Text("4", "dogs", "the cat sat on a mat and saw dogs run by"),
    Text("5", "saw"),
    Text("6", "the cat", ""),
    Text("7", "the cat sat on a mat"),
]


@pytest.fixture(scope="module")
def tokenizer():
    """A vocabulary of whole words."""
    return train_tokenizer([" ".join(WORDS)] * 3, vocab_size=80)


@pytest.fixture
def model(tokenizer):
    """A small model with large weights; the mean of the last layer."""
    return make_model(tokenizer, "mean")


def make_model(tokenizer, *pooling):
    """Return a small model with large weights."""
    size = tokenizer.get_vocab_size()
    sizes = EncoderConfig(size, 8, 3, 2, 12, hidden_act="relu", **released.SIZES)
    made = build_model(build_encoder(sizes), ExtractConfig(pooling=pooling))
    reference.randomize(model_variables(made), seed=5)
    return made


def extract_all(model, tokenizer, **settings):
    """Return the vectors of TEXTS."""
    config = ExtractConfig(max_length=16, **settings)
    found = extraction.extract(model, TEXTS, tokenizer, config)
    return [vector for chunk in found for vector in chunk.vectors]


def test_rows(tokenizer):
    """[CLS] and [SEP] stand around the parts; the longer of a pair is cut first."""
    rows = encode(TEXTS, tokenizer, 16)
    tokens = [[tokenizer.id_to_token(i) for i in row.input_ids] for row in rows]
    assert tokens[0] == ["[CLS]", "the", "cat", "[SEP]"]
    assert tokens[2] == ["[CLS]", "[SEP]"] and rows[2].empty and not rows[0].empty
    assert tokens[3] == ["[CLS]", *(WORDS * 3)[:14], "[SEP]"]
    assert tokens[4] == ["[CLS]", "dogs", "[SEP]", *WORDS, "[SEP]"]
    assert tokens[6] == ["[CLS]", "the", "cat", "[SEP]", "[SEP]"]
    assert rows[4].segment_ids.tolist() == [0] * 3 + [1] * 12
    assert rows[6].segment_ids.tolist() == [0, 0, 0, 0, 1]
    assert [row.cut for row in rows] == [index == 3 for index in range(8)]
    (short,) = encode(TEXTS[4:5], tokenizer, 10)
    assert len(short.input_ids) == 10 and short.segment_ids.sum() == 7 and short.cut


@pytest.mark.parametrize("pooling", [("mean", "max", "nsp"), ("tokens",)])
def test_neighbours_do_not_matter(tokenizer, pooling):
    """A text alone, without any padding, has the vector that it has in a batch."""
    model = make_model(tokenizer, *pooling)
    rows = encode(TEXTS, tokenizer, 16)
    alone = []
    for row in rows:
        inputs = {
            "input_ids": row.input_ids[None],
            "segment_ids": row.segment_ids[None],
            "attention_mask": np.ones((1, len(row.input_ids)), "int32"),
        }
        alone.append(np.asarray(model(inputs)["vectors"])[0])
    for size in (3, 8):
        found = extract_all(model, tokenizer, batch_size=size)
        for row, vector, expected in zip(rows, found, alone, strict=True):
            shape = (len(row.input_ids), 8) if pooling == ("tokens",) else (24,)
            assert vector.shape == shape
            np.testing.assert_allclose(vector, expected, atol=1e-5)
    if pooling != ("tokens",):  # the vectors do differ
        assert np.abs(np.diff(alone, axis=0)).max(axis=1).min() > 1e-2


def test_chunks_do_not_matter(model, tokenizer, monkeypatch):
    """Many chunks give what one gives, in the same order."""
    expected = extract_all(model, tokenizer, batch_size=2)
    monkeypatch.setattr(extraction, "CHUNK_TEXTS", 2)
    found = extract_all(model, tokenizer, batch_size=2)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_an_endless_stream_is_read_as_it_is_used(model, tokenizer, monkeypatch):
    """The first vectors come without the last text: memory has a chunk at a time."""
    monkeypatch.setattr(extraction, "CHUNK_TEXTS", 4)
    given = []
    stream = (given.append(number) or make(number) for number in itertools.count())
    config = ExtractConfig(max_length=16, batch_size=2)
    found = extraction.extract(model, stream, tokenizer, config)
    for first in (0, 4, 8):
        names = [text.id for text in next(found).texts]
        assert names == [str(first + number) for number in range(4)]
        assert len(given) == first + 4


def make(number):
    """Return one of endless texts."""
    return Text(str(number), WORDS[number % len(WORDS)])


def test_memory_of_a_chunk_is_bounded():
    """Wide vectors of many tokens make small chunks, but whole batches."""
    config = ExtractConfig(max_length=512, batch_size=32)
    assert extraction.chunk_size(768, config, per_token=False) == 8192
    wide = extraction.chunk_size(4 * 768, config, per_token=True)
    assert wide == 32 and extraction.chunk_size(64, config, per_token=True) > 32
    assert wide * 512 * 4 * 768 * 4 < 256 * 2**20
