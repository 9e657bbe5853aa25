"""Masked batches: which tokens are to be predicted, and what stands in their place.

The masks of a row are drawn from the seed and the row's number alone. As each epoch
has rows of its own, they are new in each, and the same again when a run is resumed.
"""

import dataclasses

import numpy as np

from .batching import pad_rows
from .config import TrainConfig
from .features import Features, RowIds
from .packing import IGNORED, Packing

MASKED, RANDOM = 0.8, 0.1  # chances of [MASK] and of a random token; the rest stays


@dataclasses.dataclass(frozen=True)
class MaskedRows:
    """Rows that become batches: `collate` masks them."""

    features: Features
    packing: Packing
    ids: RowIds
    config: TrainConfig
    seed: tuple[int, ...]

    def collate(self, rows: np.ndarray) -> tuple[dict, dict]:
        """Return one padded batch: the model's inputs, and the targets.

        Masked positions are in ascending order, then 0 where a row has fewer; their
        targets `mlm` (batch, n) are the tokens that stood there. IGNORED are those of
        padding and of blanks, where nobody knows.
        """
        tokens, places, targets = zip(*map(self.masked_row, rows), strict=True)
        inputs = pad_rows(tokens, limit=self.config.max_length)
        length = inputs["input_ids"].shape[1]
        # As many as any row of this length has: few shapes have to be compiled.
        count = max(most_masks(length, self.config), *map(len, places))
        inputs["segment_ids"] = self.segments(rows, inputs["attention_mask"])
        inputs["masked_positions"] = padded(places, count, 0)
        return inputs, {
            "mlm": padded(targets, count, IGNORED),
            "order": self.packing.order[rows],
        }

    def segments(self, rows: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
        """Return 0 for first part and padding, 1 for the second, (batch, length)."""
        first, end, *_ = self.packing.places[rows].T
        begin = (end - first + 2)[:, None]
        positions = np.arange(attention_mask.shape[1])
        return attention_mask * (positions >= begin).astype("int32")

    def positions(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions of a row's text, and which tokens of all stand there."""
        first, first_end, second, second_end = self.packing.places[row]
        one, other = np.arange(first, first_end), np.arange(second, second_end)
        positions = np.concatenate(
            [1 + np.arange(len(one)), 2 + len(one) + np.arange(len(other))]
        )
        return positions, np.concatenate([one, other])

    def masked_row(self, row: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return a row's ids, the positions to predict, and what stood there."""
        positions, tokens = self.positions(row)
        ids = np.full(positions[-1] + 2, self.ids.sep, "int32")
        ids[0] = self.ids.cls
        ids[positions] = self.features.input_ids[tokens]
        blanks = np.flatnonzero(ids == self.ids.mask)
        if len(blanks):
            return ids, blanks, np.full(len(blanks), IGNORED)
        random = np.random.default_rng([*self.seed, row])
        starts = self.features.starts_word[tokens]
        starts[np.flatnonzero(np.diff(positions, prepend=-1) > 1)] = True  # of a part
        words = np.split(positions, np.flatnonzero(starts)[1:])
        chosen = choose(words, most_masks(len(ids), self.config), self.config, random)
        targets = ids[chosen]
        ids[chosen] = corrupt(targets, self.ids, random)
        return ids, chosen, targets


def most_masks(length: int, config: TrainConfig) -> int:
    """Return how many tokens of a row are masked at the most; Google's rounding."""
    count = max(1, round(length * config.mask_prob))
    return min(count, config.max_predictions) if config.max_predictions else count


def choose(
    words: list[np.ndarray],
    limit: int,
    config: TrainConfig,
    random: np.random.Generator,
) -> np.ndarray:
    """Return positions of whole words, `limit` at the most, in ascending order.

    From each word on, in random order, n words are taken, n up to `max_ngram` with a
    chance in proportion to 1/n as in ALBERT; fewer where they would be too many, and
    none where one of them is taken or they do not stand side by side.
    """
    chances = np.cumsum(1 / np.arange(1, max(1, config.max_ngram) + 1))
    order = random.permutation(len(words))
    draws = random.random(len(words))
    taken = np.zeros(len(words), bool)
    count = 0
    for first, draw in zip(order, draws, strict=True):
        if count >= limit:
            break
        possible = min(len(chances), len(words) - first)
        n = 1 + int(np.searchsorted(chances[:possible], draw * chances[possible - 1]))
        sizes = np.cumsum([len(word) for word in words[first : first + n]])
        n = int(np.searchsorted(sizes, limit - count, side="right"))
        span = slice(first, first + n)
        if n and not taken[span].any() and adjacent(words[span]):
            taken[span] = True
            count += int(sizes[n - 1])
    chosen = [word for word, flag in zip(words, taken, strict=True) if flag]
    return np.concatenate([np.array([], "int64"), *chosen])


def adjacent(words: list[np.ndarray]) -> bool:
    """Return whether words stand side by side: no [SEP] is between them."""
    return int(words[-1][-1] - words[0][0]) + 1 == sum(map(len, words))


def corrupt(tokens: np.ndarray, ids: RowIds, random: np.random.Generator) -> np.ndarray:
    """Return what the model sees in place of tokens: [MASK], another, or the same."""
    draw = random.random(len(tokens))
    other = ids.ordinary[random.integers(0, len(ids.ordinary), len(tokens))]
    kept = np.where(draw < MASKED + RANDOM, other, tokens)
    return np.where(draw < MASKED, ids.mask, kept)


def padded(rows: tuple[np.ndarray, ...], count: int, value: int) -> np.ndarray:
    """Return rows as one array (batch, count), int32, filled up with a value."""
    array = np.full((len(rows), count), value, "int32")
    for index, row in enumerate(rows):
        array[index, : len(row)] = row
    return array
