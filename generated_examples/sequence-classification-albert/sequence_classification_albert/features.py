"""Texts and pairs as token ids."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer

from .batching import pad_rows
from .caching import load_or_build
from .config import TrainConfig
from .errors import UserError
from .token_text import truncate_pair
from .tokenizer import special_ids

if TYPE_CHECKING:
    from .dataset import Example

FORMAT = "1"  # part of the cache's key: change it with the content of Features


@dataclasses.dataclass(frozen=True)
class Features:
    """All rows of a data set, as flat arrays that save and load at once.

    Row r is `[CLS] text [SEP]` or `[CLS] text [SEP] second text [SEP]`, the token ids
    `input_ids[row_splits[r]:row_splits[r + 1]]`; the second text begins at
    `second_start[r]`, behind the last token where there is none.
    """

    input_ids: np.ndarray  # (tokens,) int32
    row_splits: np.ndarray  # (rows + 1,) int64
    second_start: np.ndarray  # (rows,) int32
    whole_lengths: np.ndarray  # (rows,) int32, tokens before anything was cut

    @property
    def lengths(self) -> np.ndarray:
        """Return the tokens of each row, (rows,)."""
        return np.diff(self.row_splits)

    def collate(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return one padded batch of the encoder's inputs."""
        splits = zip(self.row_splits[rows], self.row_splits[rows + 1], strict=True)
        inputs = pad_rows(
            [self.input_ids[start:stop] for start, stop in splits],
            limit=int(self.lengths.max()),
        )
        positions = np.arange(inputs["input_ids"].shape[1])
        # First text 0, second text 1, padding 0.
        in_second = positions >= self.second_start[rows][:, None]
        inputs["segment_ids"] = inputs["attention_mask"] * in_second.astype("int32")
        return inputs

    def describe(self) -> str:
        """Return how long the texts are, and how many were cut."""
        cut = int(np.sum(self.whole_lengths > self.lengths))
        half, most = np.quantile(self.whole_lengths, [0.5, 0.95]).astype(int)
        return (
            f"tokens: median {half}, 95 % up to {most}, longest "
            f"{self.whole_lengths.max()}; {cut} of {len(self.lengths)} texts "
            f"({cut / len(self.lengths):.1%}) lose their end"
        )


def make_features(
    examples: Sequence["Example"], tokenizer: Tokenizer, config: TrainConfig
) -> Features:
    """Tokenize examples, or take them from the cache.

    Raises UserError where max_length leaves no room for a token of each text.
    """
    if config.max_length < 5:
        raise UserError(
            f"max_length {config.max_length} is too short",
            "[CLS], two [SEP] and a token of each text of a pair must fit",
            "--max-length 128",
        )
    return load_or_build(
        Features,
        config.cache_dir,
        cache_key(examples, tokenizer, config),
        lambda: build_features(examples, tokenizer, config),
    )


def cache_key(
    examples: Sequence["Example"], tokenizer: Tokenizer, config: TrainConfig
) -> Iterator[str]:
    """Yield everything that the features depend on."""
    yield from (__name__, FORMAT, str(config.max_length), tokenizer.to_str())
    for example in examples:
        yield repr((example.text, example.pair))


def build_features(
    examples: Sequence["Example"], tokenizer: Tokenizer, config: TrainConfig
) -> Features:
    """Tokenize each distinct text once, cut to length, and join the pairs."""
    special = special_ids(tokenizer)
    texts = [text for each in examples for text in (each.text, each.pair) if text]
    texts = list(dict.fromkeys(texts))
    encodings = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    ids = {text: each.ids for text, each in zip(texts, encodings, strict=True)}
    ids[""] = []
    rows, second_start, whole_lengths = [], [], []
    for example in examples:
        first, second = ids[example.text], ids[example.pair or ""]
        specials = 2 if example.pair is None else 3
        whole_lengths.append(len(first) + len(second) + specials)
        room = config.max_length - specials
        kept, kept_second = truncate_pair(len(first), len(second), room)
        row = [special.cls, *first[:kept], special.sep]
        second_start.append(len(row))
        if example.pair is not None:
            row += [*second[:kept_second], special.sep]
        rows.append(np.array(row, "int32"))
    return Features(
        np.concatenate(rows),
        np.cumsum([0] + [len(row) for row in rows], dtype="int64"),
        np.array(second_start, "int32"),
        np.array(whole_lengths, "int32"),
    )
