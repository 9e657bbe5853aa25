"""Masks: how many, what stands in their place, whole words, and new ones each epoch."""

import dataclasses

import numpy as np
import pytest

from masked_lm_albert.config import TrainConfig
from masked_lm_albert.features import (
    Features,
    RowIds,
)
from masked_lm_albert.masking import (
    MaskedRows,
    choose,
    most_masks,
)
from masked_lm_albert.packing import (
    IGNORED,
    Packing,
)

CONFIG = TrainConfig(max_length=64, max_ngram=1, sentence_order="nsp")
IDS = RowIds(cls=2, sep=3, mask=4, ordinary=np.arange(5, 1000, dtype="int32"))


def make_rows(config=CONFIG, count=400, starts=None, seed=(0,)):
    """Return rows of two parts, 20 and 30 tokens, of ids from 500 on."""
    random = np.random.default_rng(1)
    ids = random.integers(500, 1000, 50 * count).astype("int32")
    starts = np.ones(len(ids), bool) if starts is None else starts
    first = 50 * np.arange(count)
    places = np.stack([first, first + 20, first + 20, first + 50], axis=1)
    none = np.zeros(1, "int64")
    packing = Packing(places, np.arange(count, dtype="int32") % 2)
    return MaskedRows(Features(ids, starts, none, none), packing, IDS, config, seed)


def originals(rows, numbers):
    """Return the ids of rows before they were masked, (batch, length)."""
    texts = rows.features.input_ids.reshape(-1, 50)[numbers]
    batch = np.zeros((len(numbers), 53), "int32") + IDS.sep
    batch[:, 0] = IDS.cls
    batch[:, 1:21], batch[:, 22:52] = texts[:, :20], texts[:, 20:]
    return batch


def test_what_stands_in_place():
    """80 % are [MASK], 10 % random tokens, 10 % stay; nothing else is changed."""
    rows = make_rows(count=3000)
    numbers = np.arange(3000)
    inputs, targets = rows.collate(numbers)
    given, before = inputs["input_ids"][:, :53], originals(rows, numbers)
    changed = given != before
    places = inputs["masked_positions"]
    masked = np.zeros_like(changed)
    np.put_along_axis(masked, places, places > 0, axis=1)
    assert not (changed & ~masked).any()
    real = targets["mlm"] != IGNORED
    np.testing.assert_array_equal(real, places > 0)
    stood = np.take_along_axis(before, places, axis=1)
    np.testing.assert_array_equal(targets["mlm"][real], stood[real])
    shown = np.take_along_axis(given, places, axis=1)[real]
    assert abs((shown == IDS.mask).mean() - 0.8) < 0.01
    assert abs((shown == stood[real]).mean() - 0.1) < 0.01
    random = shown[(shown != IDS.mask) & (shown != stood[real])]
    assert abs(len(random) / len(shown) - 0.1) < 0.01
    assert random.min() == 5 and random.max() == 999  # any token but special ones


def test_special_tokens_are_never_masked():
    """[CLS], [SEP] and padding are no positions, and are left as they are."""
    rows = make_rows()
    inputs, targets = rows.collate(np.arange(400))
    ids = inputs["input_ids"]
    assert ids.shape == (400, 64)
    assert (ids[:, 0] == IDS.cls).all() and (ids[:, [21, 52]] == IDS.sep).all()
    assert not ids[:, 53:].any()
    places = inputs["masked_positions"]
    assert not np.isin(places, [21, 52]).any() and places.max() < 52
    assert (targets["mlm"][places == 0] == IGNORED).all()


def test_inputs():
    """The second part with its [SEP] is segment 1; the mask covers the row."""
    inputs, targets = make_rows().collate(np.array([3, 8]))
    expected = [0] * 22 + [1] * 31 + [0] * 11
    assert inputs["segment_ids"].tolist() == [expected] * 2
    assert inputs["attention_mask"].sum(1).tolist() == [53, 53]
    assert targets["order"].tolist() == [1, 0]


@pytest.mark.parametrize("limit", [0, 5])
def test_how_many(limit):
    """15 % of all tokens of the row, rounded, with the special ones counted."""
    config = dataclasses.replace(CONFIG, max_predictions=limit)
    inputs, _ = make_rows(config).collate(np.arange(50))
    counts = (inputs["masked_positions"] > 0).sum(1)
    assert set(counts) == {limit or 8}  # 0.15 · 53 = 7.95
    assert most_masks(2, config) == 1


def test_each_token_has_the_same_chance():
    """Masks are spread evenly over both parts."""
    rows = make_rows(count=4000)
    inputs, _ = rows.collate(np.arange(4000))
    counts = np.bincount(inputs["masked_positions"].ravel(), minlength=53)[1:53]
    counts = np.delete(counts, 20)  # the [SEP] between
    assert len(counts) == 51 and counts[-1] == 0  # and the last one
    assert np.abs(counts[:-1] / 4000 - 8 / 50).max() < 0.03


def test_whole_words():
    """All pieces of a word are masked, or none of them."""
    random = np.random.default_rng(2)
    starts = random.random(50 * 400) < 0.5
    rows = make_rows(starts=starts)
    inputs, _ = rows.collate(np.arange(400))
    masked = np.zeros(inputs["input_ids"].shape, bool)
    places = inputs["masked_positions"]
    np.put_along_axis(masked, places, places > 0, axis=1)
    words = 0
    for row in range(400):
        begins = starts[50 * row : 50 * row + 50].copy()
        begins[[0, 20]] = True  # a part begins with a word
        flags = np.delete(masked[row], [0, 21])[:50]
        for word in np.split(flags, np.flatnonzero(begins)[1:]):
            assert word.all() or not word.any()
            words += len(word) > 1 and word.all()
    counts = masked.sum(1)
    assert words > 300 and counts.max() == 8 and counts.mean() > 7


def test_a_part_begins_with_a_word():
    """What seems to go on with a word of the first part is a word of its own."""
    config = dataclasses.replace(CONFIG, mask_prob=0.5)  # 26 tokens of 53
    rows = make_rows(config, starts=np.zeros(50 * 400, bool))
    inputs, _ = rows.collate(np.arange(5))
    for places in inputs["masked_positions"]:
        assert places[places > 0].tolist() == list(range(1, 21))


def test_ngrams():
    """Of n words side by side, n has a chance in proportion to 1/n."""
    config = dataclasses.replace(CONFIG, max_ngram=2)
    words = [np.array([index]) for index in range(2000)]
    pairs = 0
    for number in range(2000):
        chosen = choose(words, 2, config, np.random.default_rng(number))
        assert len(chosen) == 2
        pairs += int(chosen[1] - chosen[0] == 1)
    assert abs(pairs / 2000 - 1 / 3) < 0.035


def test_ngrams_do_not_cross_the_separator():
    """Words of different parts are not masked as one run of words."""
    config = dataclasses.replace(CONFIG, max_ngram=3)
    words = [np.array([1]), np.array([3])]  # 2 is [SEP]
    sizes = {len(choose(words, 1, config, np.random.default_rng(n))) for n in range(50)}
    assert sizes == {1}
    found = [
        choose(words, 2, config, np.random.default_rng(n)).tolist() for n in range(900)
    ]
    assert all(chosen in ([3], [1, 3]) for chosen in found)
    # In half of the draws the first word comes first, and in a third of these it is to
    # be masked together with the second: then it is left.
    assert abs(found.count([3]) / 900 - 1 / 6) < 0.04


def test_masks_depend_on_seed_and_row_alone():
    """The same row has the same masks in any batch, another row or seed has others."""
    rows = make_rows()
    alone, _ = rows.collate(np.array([7]))
    among, _ = rows.collate(np.array([3, 7, 9]))
    np.testing.assert_array_equal(alone["input_ids"][0], among["input_ids"][1])
    other, _ = make_rows(seed=(1,)).collate(np.array([7]))
    places = alone["masked_positions"].tolist()
    assert places != other["masked_positions"].tolist()
    assert places[0] != among["masked_positions"][0].tolist()
