"""Rows are those of Google's code: parts, labels, lengths; each token has its place."""

import numpy as np
import pytest

from {{ cookiecutter.package }}.config import TrainConfig
from {{ cookiecutter.package }}.features import Features
from {{ cookiecutter.package }}.packing import (
    IGNORED,
    joined,
    pack,
)

MASK = 4
CONFIG = TrainConfig(max_length=32, short_seq_prob=0.0, sentence_order="nsp", seed=3)


def make_features(documents=300, longest=12):
    """Return documents of sentences of random lengths; every token is another."""
    random = np.random.default_rng(0)
    counts = random.integers(1, 15, documents)
    counts[5] = 0  # a document without a token
    lengths = random.integers(1, longest, counts.sum())
    size = int(lengths.sum())
    return Features(
        np.arange(10, 10 + size, dtype="int32"),
        np.ones(size, bool),
        np.cumsum([0, *lengths]),
        np.cumsum([0, *counts]),
    )


FEATURES = make_features()


def parts_of(packing):
    """Yield of each row the documents of both parts, the places, and the label."""
    splits = FEATURES.token_splits
    for (a, b, c, d), order in zip(packing.places.tolist(), packing.order, strict=True):
        documents = [int(np.searchsorted(splits, x, "right")) - 1 for x in (a, c)]
        ends = [int(np.searchsorted(splits, x - 1, "right")) - 1 for x in (b, d)]
        assert documents == ends or order == IGNORED  # a part is of one document
        yield documents, (a, b, c, d), int(order)


@pytest.mark.parametrize("order", ["nsp", "sop", "none"])
def test_lengths(order):
    """Rows fit, and both parts have a token; with short rows, some are shorter."""
    values = {**vars(CONFIG), "sentence_order": order}
    packing = pack(FEATURES, TrainConfig(**values), MASK)
    a, b, c, d = packing.places.T
    assert (b > a).all() and ((d > c) == (order != "none")).all()
    special = 2 if order == "none" else 3
    np.testing.assert_array_equal(packing.lengths, b - a + d - c + special)
    assert packing.lengths.max() == 32
    short = pack(FEATURES, TrainConfig(**{**values, "short_seq_prob": 1.0}), MASK)
    assert short.lengths.mean() < packing.lengths.mean() - 3


def test_next_sentences():
    """Label 0: the part that follows. Label 1: one of another document."""
    packing = pack(FEATURES, CONFIG, MASK)
    labels = []
    for documents, (_, b, c, _), order in parts_of(packing):
        if order == 0:
            assert documents[0] == documents[1] and b <= c <= b + 32
        else:
            assert order == 1 and documents[0] != documents[1]
        labels.append(order)
    # A sentence that is left alone cannot be followed: more than half are of others.
    assert 0.5 < np.mean(labels) < 0.7


def test_next_sentences_are_as_likely_as_others():
    """Where there are sentences to follow, they do in half of the rows."""
    long = Features(
        np.arange(10, 6010, dtype="int32"),
        np.ones(6000, bool),
        np.arange(0, 6001, 5),
        np.array([0, 600, 1200]),
    )
    labels = [pack(long, CONFIG, MASK, epoch).order[:-1].mean() for epoch in range(10)]
    assert abs(np.mean(labels) - 0.5) < 0.03


def test_what_is_not_used_begins_the_next_row():
    """After a part of another document, the sentences that followed come next."""
    packing = pack(FEATURES, CONFIG, MASK)
    seen = np.zeros(len(FEATURES.input_ids), int)
    for _, (a, b, c, d), order in parts_of(packing):
        seen[a:b] += 1
        if order == 0:
            seen[c:d] += 1
    # Only tokens that are cut off a row that is too long are in none; never in two.
    assert seen.max() == 1
    assert (seen == 0).mean() < 0.15
    first = packing.places[:, 0]
    assert (np.diff(first) > 0).all()


def test_sentence_order():
    """Label 1: the parts of one text are swapped; 0: they are in order; half each."""
    values = {**vars(CONFIG), "sentence_order": "sop"}
    packing = pack(FEATURES, TrainConfig(**values), MASK)
    labels = []
    for documents, (a, b, c, d), order in parts_of(packing):
        if documents[0] != documents[1]:
            assert order == 1  # a single sentence, with one of another document
            continue
        assert (b <= c) if order == 0 else (d <= a)
        labels.append(order)
    assert len(labels) > 0.8 * len(packing.order)
    assert 0.45 < np.mean(labels) < 0.55


def test_single_parts():
    """Every token is in one row, in its order."""
    values = {**vars(CONFIG), "sentence_order": "none"}
    packing = pack(FEATURES, TrainConfig(**values), MASK)
    rows = [np.arange(a, b) for a, b, _, _ in packing.places.tolist()]
    np.testing.assert_array_equal(
        np.concatenate(rows), np.arange(len(FEATURES.input_ids))
    )
    assert (packing.order == IGNORED).all()


def test_longer_parts_are_cut():
    """Long parts lose tokens at both ends, the longer one first."""
    features = make_features(50, longest=60)
    lengths = np.diff(features.sentence_splits)
    assert lengths.max() > 50
    packing = pack(features, CONFIG, MASK)
    a, b, c, d = packing.places.T
    full = packing.lengths == 32
    begins = np.isin(a[full], features.sentence_splits)
    ends = np.isin(b[full], features.sentence_splits)
    assert 0 < begins.mean() < 1 and 0 < ends.mean() < 1
    assert (packing.lengths <= 32).all()


def test_epochs():
    """Each epoch has other rows, and the same ones each time it is asked for."""
    first, again, second = (pack(FEATURES, CONFIG, MASK, e) for e in (0, 0, 1))
    np.testing.assert_array_equal(first.places, again.places)
    assert first.places.tolist() != second.places.tolist()
    both = joined([first, second])
    assert len(both.order) == len(first.order) + len(second.order)


def test_texts_to_fill_are_not_mixed():
    """A document with a blank is packed alone, in rows of one part."""
    ids = FEATURES.input_ids.copy()
    blank = int(FEATURES.token_splits[7]) + 2
    ids[blank] = MASK
    features = Features(
        ids, FEATURES.starts_word, FEATURES.sentence_splits, FEATURES.document_splits
    )
    for documents, (*_, c, d), order in parts_of(pack(features, CONFIG, MASK)):
        if documents[0] == 7:
            assert order == IGNORED and c == d
    packing = pack(features, CONFIG, MASK)
    assert sum(a <= blank < b for a, b, *_ in packing.places) == 1
