"""Texts to token ids: `[CLS] text [SEP]`, or `[CLS] text [SEP] pair [SEP]`."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer

from .batching import pad_rows
from .dataset import Text
from .token_text import truncate_pair
from .tokenizer import special_ids


class Row(NamedTuple):
    """One text as the encoder reads it; `cut` where tokens did not fit."""

    input_ids: np.ndarray  # (tokens,) int32
    segment_ids: np.ndarray  # (tokens,) int32, 1 for the second text and its [SEP]
    cut: bool
    empty: bool  # nothing but [CLS] and [SEP]


def encode(texts: Sequence[Text], tokenizer: Tokenizer, max_length: int) -> list[Row]:
    """Return a row for each text, in their order.

    A text of more than `max_length` tokens is cut at its end; of a pair the longer text
    loses its last token, again and again, as in Google's code.
    """
    special = special_ids(tokenizer)
    encode_batch = tokenizer.encode_batch_fast
    parts = [text for each in texts for text in (each.text, each.pair or "")]
    encodings = encode_batch(parts, add_special_tokens=False)
    rows = []
    for index, text in enumerate(texts):
        first, second = (x.ids for x in encodings[2 * index : 2 * index + 2])
        room = max_length - (2 if text.pair is None else 3)
        kept = truncate_pair(len(first), len(second), room)
        ids = [special.cls, *first[: kept[0]], special.sep]
        segments = [0] * len(ids)
        if text.pair is not None:
            ids += [*second[: kept[1]], special.sep]
            segments += [1] * (kept[1] + 1)
        cut = len(first) + len(second) > room
        empty = not (first or second)
        arrays = (np.array(each, "int32") for each in (ids, segments))
        rows.append(Row(*arrays, cut, empty))
    return rows


def collate(rows: Sequence[Row], max_length: int) -> dict[str, np.ndarray]:
    """Return the encoder's inputs for a batch, int32 (batch, length), padded."""
    inputs = pad_rows([row.input_ids for row in rows], limit=max_length)
    segments = np.zeros_like(inputs["input_ids"])
    for index, row in enumerate(rows):
        segments[index, : len(row.segment_ids)] = row.segment_ids
    return inputs | {"segment_ids": segments}
