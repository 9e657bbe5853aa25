"""Documents as token ids, and where words, sentences and documents begin."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer

from .caching import load_or_build
from .documents import BLANK, Example
from .errors import UserError
from .tokenizer import SPECIAL_TOKENS, special_ids
from .words import UNITS, ChineseWords, word_marks

if TYPE_CHECKING:
    from .config import TrainConfig

FORMAT = "1"  # part of the cache's key: change it with the content of Features
CHUNK = 1000  # documents that are tokenized at once

# Token ids of a sentence, and first and last-plus-one character of each in its text.
Sentence = tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Features:
    """All documents of a data set, as flat arrays that save and load at once.

    Sentence s is the tokens `input_ids[sentence_splits[s]:sentence_splits[s + 1]]`,
    document d the sentences from `document_splits[d]` up to `document_splits[d + 1]`.
    There are no special tokens among them but [MASK], where a text is to be filled.
    """

    input_ids: np.ndarray  # (tokens,) int32
    starts_word: np.ndarray  # (tokens,) bool
    sentence_splits: np.ndarray  # (sentences + 1,) int64
    document_splits: np.ndarray  # (documents + 1,) int64

    @property
    def token_splits(self) -> np.ndarray:
        """Return the token where each document begins, and the end."""
        return self.sentence_splits[self.document_splits]


@dataclasses.dataclass(frozen=True)
class RowIds:
    """Ids of the tokens that rows are made with; `ordinary` are all but the special."""

    cls: int
    sep: int
    mask: int
    ordinary: np.ndarray


def row_ids(tokenizer: Tokenizer) -> RowIds:
    """Return these ids; raise UserError where the vocabulary lacks one."""
    special = special_ids(tokenizer)
    mask = tokenizer.token_to_id(BLANK)
    if mask is None:
        raise UserError(
            f"the vocabulary has no {BLANK}",
            "that token stands for each word to predict",
            "use the vocabulary that belongs to the weights",
        )
    vocabulary = tokenizer.get_vocab()
    names = {*SPECIAL_TOKENS, "<pad>", "<unk>", "<s>", "</s>"}
    ordinary = sorted(i for token, i in vocabulary.items() if token not in names)
    return RowIds(special.cls, special.sep, mask, np.array(ordinary, "int32"))


def make_features(
    examples: Sequence[Example], tokenizer: Tokenizer, config: "TrainConfig"
) -> Features:
    """Tokenize documents, or take them from the cache.

    Raises UserError where rows have no room, or the unit of masks is not known.
    """
    if config.max_length < 16:
        raise UserError(
            f"max_length {config.max_length} is too short",
            "a row takes two parts and three special tokens",
            "--max-length 128",
        )
    if config.mask_unit not in UNITS:
        raise UserError(
            f'unknown mask unit "{config.mask_unit}"',
            "it says which tokens are masked together",
            f"--mask-unit with one of {', '.join(UNITS)}",
        )
    return load_or_build(
        Features,
        config.cache_dir,
        cache_key(examples, tokenizer, config),
        lambda: build_features(examples, tokenizer, config),
    )


def cache_key(
    examples: Sequence[Example], tokenizer: Tokenizer, config: "TrainConfig"
) -> Iterator[str]:
    """Yield everything that the features depend on."""
    yield from (FORMAT, repr((config.max_length, config.mask_unit)), tokenizer.to_str())
    for example in examples:
        yield repr((example.text, example.sentences, example.fill))


def build_features(
    examples: Iterable[Example], tokenizer: Tokenizer, config: "TrainConfig"
) -> Features:
    """Tokenize each sentence; one that is longer than a row is cut into several."""
    marks = word_marks(tokenizer, config.mask_unit)
    chinese = ChineseWords() if config.mask_unit == "chinese" else None
    longest = config.max_length - 3
    ids, starts, lengths, counts = [], [], [], []
    for example, sentences in encode(examples, tokenizer):
        count = len(lengths)
        for (first, last), (tokens, places) in zip(
            example.sentences, sentences, strict=True
        ):
            begins = marks[tokens]
            if chinese:
                begins = chinese.begins(example.text[first:last], places - first)
            begins[:1] = True
            ids.append(tokens)
            starts.append(begins)
            whole, rest = divmod(len(tokens), longest)
            lengths += [longest] * whole + [rest] * (rest > 0)
        counts.append(len(lengths) - count)
    return Features(
        np.concatenate([np.array([], "int32"), *ids]),
        np.concatenate([np.array([], bool), *starts]),
        np.cumsum([0, *lengths], dtype="int64"),
        np.cumsum([0, *counts], dtype="int64"),
    )


def encode(
    examples: Iterable[Example], tokenizer: Tokenizer
) -> Iterator[tuple[Example, list[Sentence]]]:
    """Yield each document with its sentences' tokens and their places in its text."""
    chunk = []
    for example in examples:
        chunk.append(example)
        if len(chunk) == CHUNK:
            yield from encode_chunk(chunk, tokenizer)
            chunk = []
    yield from encode_chunk(chunk, tokenizer)


def encode_chunk(
    examples: Sequence[Example], tokenizer: Tokenizer
) -> Iterator[tuple[Example, list[Sentence]]]:
    """Do the same for some documents, whose sentences are tokenized side by side."""
    pieces = [list(text_pieces(e, *s)) for e in examples for s in e.sentences]
    texts = [text for sentence in pieces for _, text in sentence if text != BLANK]
    encodings = iter(tokenizer.encode_batch(texts, add_special_tokens=False))
    mask = tokenizer.token_to_id(BLANK)
    each = iter(pieces)
    for example in examples:
        sentences = []
        for _ in example.sentences:
            ids: list[int] = []
            places: list[tuple[int, int]] = []
            for start, text in next(each):
                if text == BLANK:
                    ids.append(mask)
                    places.append((start, start + len(BLANK)))
                    continue
                encoding = next(encodings)
                ids += encoding.ids
                places += [(start + a, start + b) for a, b in encoding.offsets]
            offsets = np.array(places, "int64").reshape(-1, 2)
            sentences.append((np.array(ids, "int32"), offsets))
        yield example, sentences


def text_pieces(example: Example, start: int, end: int) -> Iterator[tuple[int, str]]:
    """Yield place and text of the pieces of a sentence between its blanks, and those.

    "[MASK]" stands for the special token only in a text that is to be filled; the
    tokenizer takes every special token that is written in a text as plain text.
    """
    text = example.text[start:end]
    if not example.fill:
        yield start, text
        return
    for number, piece in enumerate(text.split(BLANK)):
        if number:
            yield start, BLANK
            start += len(BLANK)
        if piece.strip():
            yield start, piece
        start += len(piece)
