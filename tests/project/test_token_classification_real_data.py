"""Real sets of tags are read completely, and labels land on the right pieces.

Takes its files from the folder in the environment variable TKGEN_DATA.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from .conftest import Load

DATA = Path(os.environ.get("TKGEN_DATA") or "/nowhere")
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the environment variable TKGEN_DATA names no folder"
)
# Sentences, words and beginnings ("B-") or words with a label, as counted below.
FILES = {
    "wnut17/wnut17train.conll": (3394, 62730, 1975),
    "wnut17/emerging.dev.conll": (1009, 15733, 836),
    "snips_jointbert/train.seq.in": (13084, 117700, 33958),
    "snips_jointbert/dev.seq.in": (700, 6384, 1794),
    "snips_jointbert/test.seq.in": (700, 6354, 1790),
    "ud_english_ewt/en_ewt-ud-dev.conllu": (2001, 25147, 25147),
    "ud_chinese_gsdsimp/zh_gsdsimp-ud-dev.conllu": (500, 12663, 12663),
}
VOCABULARIES = {
    "wnut17/emerging.dev.conll": "vocab_bert_uncased",
    "ud_english_ewt/en_ewt-ud-dev.conllu": "vocab_bert_cased",
    "ud_chinese_gsdsimp/zh_gsdsimp-ud-dev.conllu": "vocab_bert_chinese",
    "snips_jointbert/test.seq.in": "vocab_albert_en_30k",
}


def read_plainly(path: Path) -> tuple[list[str], list[str]]:
    """Return all words and labels of a file, read with nothing but `split`."""
    lines = path.read_text("utf-8").split("\n")
    if path.name.endswith("seq.in"):
        labels = path.with_name(path.name.replace(".in", ".out")).read_text("utf-8")
        return " ".join(lines).split(), labels.split()
    rows = [line.split("\t") for line in lines if line.strip() and line[0] != "#"]
    if path.suffix == ".conllu":
        rows = [row for row in rows if row[0].isdigit()]
        return [row[1] for row in rows], [row[3] for row in rows]
    rows = [line.split("\t") for line in lines if line.strip()]
    return [row[0] for row in rows], [row[1] for row in rows]


@pytest.mark.parametrize("name", FILES)
def test_everything_is_read(load_tagging: Load, name: str) -> None:
    """Sentences, words and labels are as many, and the same, as `split` finds."""
    examples = load_tagging("dataset").load_examples(DATA / name)
    words, labels = read_plainly(DATA / name)
    assert [word for each in examples for word in each.tokens] == words
    assert [label for each in examples for label in each.labels] == labels
    assert not any(each.problem for each in examples)
    tags = Counter(label[0] for label in labels)
    beginnings = tags["B"] if "B-" in "".join(labels) else len(labels)
    assert (len(examples), len(words), beginnings) == FILES[name]
    found = load_tagging("schemes").detect([each.labels for each in examples])
    assert found == ("none" if name.endswith(".conllu") else "iob2")
    if found == "iob2":  # none of these files begins an entity with I
        spans = [s for e in examples for s in load_tagging("schemes").spans(e.labels)]
        assert len(spans) == beginnings


@pytest.mark.parametrize("name", VOCABULARIES)
def test_labels_stand_at_first_pieces(load_tagging: Load, name: str) -> None:
    """In windows of 24 tokens each word has its label once, at its first piece."""
    dataset, config = load_tagging("dataset"), load_tagging("config").TrainConfig
    examples = dataset.load_examples(DATA / name)[:400]
    tokenizer = load_tagging("tokenizer").load_tokenizer(DATA / VOCABULARIES[name])
    settings = dataset.settle(config(max_length=24, stride=8, cache_dir=""), examples)
    features = load_tagging("features").make_features(examples, tokenizer, settings)
    starts = np.repeat(features.row_splits[:-1], np.diff(features.word_splits))
    firsts = features.input_ids[starts + features.positions]
    words = [word for each in examples for word in each.tokens]
    unknown = tokenizer.token_to_id("[UNK]") or tokenizer.token_to_id("<unk>")
    for word, first in zip(words, firsts, strict=True):
        ids = tokenizer.encode(word, add_special_tokens=False).ids
        assert first == (ids[0] if ids else unknown), word
    labels = [label for each in examples for label in each.labels]
    assert [settings.labels[number] for number in features.labels] == labels
    assert features.lengths.max() <= 24
    assert len(features.lengths) > len(examples)  # some sentences have several windows
