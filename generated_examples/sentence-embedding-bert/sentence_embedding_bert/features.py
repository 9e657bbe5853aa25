"""Sentences as token ids, each once, and which of them make an example."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from tokenizers import Tokenizer

from .batching import pad_rows
from .caching import load_or_build
from .config import TrainConfig
from .errors import UserError
from .examples import Example
from .losses import ANCHOR, NEGATIVE, POSITIVE
from .settling import serves
from .tokenizer import special_ids

FORMAT = "1"  # part of the cache's key: change it with the content of Features


@dataclasses.dataclass(frozen=True)
class Features:
    """All distinct sentences and the examples made of them, as flat arrays.

    Sentence s is `[CLS] tokens [SEP]`, the token ids
    `input_ids[row_splits[s]:row_splits[s + 1]]`. Example e has the sentences
    `anchor[e]`, `positive[e]` and `negative[e]`, -1 for none, and a `score`, 0 to 1.
    """

    input_ids: np.ndarray  # (tokens,) int32
    row_splits: np.ndarray  # (sentences + 1,) int64
    anchor: np.ndarray  # (examples,) int32, index into the sentences
    positive: np.ndarray  # (examples,) int32
    negative: np.ndarray  # (examples,) int32
    score: np.ndarray  # (examples,) float32

    @property
    def lengths(self) -> np.ndarray:
        """Return the tokens of each example's longest sentence, (examples,)."""
        tokens = np.append(np.diff(self.row_splits), 0)  # of sentence -1: 0
        parts = (self.anchor, self.positive, self.negative)
        return np.max([tokens[part] for part in parts], axis=0)

    def rows(self, sentences: np.ndarray) -> dict[str, np.ndarray]:
        """Return the encoder's inputs for some sentences, padded."""
        starts, stops = self.row_splits[sentences], self.row_splits[sentences + 1]
        rows = [self.input_ids[i:j] for i, j in zip(starts, stops, strict=True)]
        inputs = pad_rows(rows, limit=int(np.diff(self.row_splits).max()))
        return inputs | {"segment_ids": np.zeros_like(inputs["input_ids"])}

    def collate(self, rows: np.ndarray) -> tuple[dict, np.ndarray]:
        """Return one padded batch: the encoder's inputs, and the targets.

        First come the anchors of all examples, then their positives, then the
        negatives of those that have one. Targets are (sentences, 3), float32: role,
        number of the example in the batch, score.
        """
        numbers = np.arange(len(rows))
        parts = {ANCHOR: self.anchor, POSITIVE: self.positive, NEGATIVE: self.negative}
        sentences, targets = [], []
        for role, part in parts.items():
            there = part[rows] >= 0
            sentences.append(part[rows][there])
            columns = (np.full(len(rows), role), numbers, self.score[rows])
            targets.append(np.stack(columns, axis=1)[there].astype("float32"))
        return self.rows(np.concatenate(sentences)), np.concatenate(targets)


def make_features(
    examples: Sequence[Example], tokenizer: Tokenizer, config: TrainConfig
) -> Features:
    """Tokenize the examples that serve the objective, or take them from the cache.

    Without labels each distinct sentence of any example is one to be learned from.
    Raises UserError where nothing is left to learn from.
    """
    chosen = [example for example in examples if serves(example, config.objective)]
    if not chosen:
        raise UserError(
            f"nothing to learn from with the objective {config.objective}",
            f"none of {len(examples)} examples has what it needs",
            "supervised needs positives, sts needs scores",
        )
    return load_or_build(
        Features,
        config.cache_dir,
        cache_key(chosen, tokenizer, config),
        lambda: build_features(chosen, tokenizer, config),
    )


def cache_key(
    examples: Sequence[Example], tokenizer: Tokenizer, config: TrainConfig
) -> Iterator[str]:
    """Yield everything that the features depend on."""
    settings = (config.max_length, config.objective, config.score_range)
    yield from (FORMAT, repr(settings), tokenizer.to_str())
    for example in examples:
        yield repr((example.texts, example.other, example.negative, example.score))


def build_features(
    examples: Sequence[Example], tokenizer: Tokenizer, config: TrainConfig
) -> Features:
    """Tokenize each distinct sentence once, and pair them as the objective asks."""
    texts: dict[str, int] = {}
    for example in examples:
        for text in example.texts:
            texts.setdefault(text, len(texts))
    ids = encode(list(texts), tokenizer, config.max_length)
    count = len(texts) if config.objective == "unsupervised" else len(examples)
    anchor = positive = np.arange(count, dtype="int32")
    negative, score = np.full(count, -1, "int32"), np.zeros(count, "float32")
    if config.objective != "unsupervised":
        anchor = np.array([texts[each.sentence] for each in examples], "int32")
        positive = np.array([texts[each.other] for each in examples], "int32")
    if config.objective == "supervised":
        negatives = (each.negative for each in examples)
        negative = np.array([texts.get(text, -1) for text in negatives], "int32")
    if config.objective == "sts":
        low, high = config.score_range
        score = np.array([each.score for each in examples], "float32")
        score = (score - low) / (high - low)
    splits = np.cumsum([0] + [len(row) for row in ids], dtype="int64")
    return Features(np.concatenate(ids), splits, anchor, positive, negative, score)


def encode(
    texts: Sequence[str], tokenizer: Tokenizer, max_length: int
) -> list[np.ndarray]:
    """Return the token ids of each text, `[CLS] … [SEP]`, cut to `max_length`."""
    special = special_ids(tokenizer)
    encodings = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    return [
        np.array([special.cls, *each.ids[: max_length - 2], special.sep], "int32")
        for each in encodings
    ]
