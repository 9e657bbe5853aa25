"""Windows of sentences as token ids, with the places and labels of their words."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer

from .batching import PAD_MULTIPLE, pad_rows
from .caching import load_or_build
from .config import TrainConfig
from .errors import UserError
from .labels import model_labels
from .tokenizer import special_ids

if TYPE_CHECKING:
    from .dataset import Example

FORMAT = "1"  # part of the cache's key: change it with the content of Features
NO_LABEL = -1  # of padding, and of a word whose label the model does not have
SHORTEST = 8  # tokens of a window


@dataclasses.dataclass(frozen=True)
class Features:
    """All windows of a data set, as flat arrays that save and load at once.

    Window w is `[CLS] pieces of whole words [SEP]`, the token ids
    `input_ids[row_splits[w]:row_splits[w + 1]]`. It speaks for the words of its
    sentence from number `first_word[w]` on: `positions[word_splits[w]:…]` say where in
    the window the first piece of each stands, `labels` what it is. The window's other
    words are there to be read; another window speaks for them.
    """

    input_ids: np.ndarray  # (tokens,) int32
    row_splits: np.ndarray  # (windows + 1,) int64
    positions: np.ndarray  # (words,) int32
    labels: np.ndarray  # (words,) int32
    word_splits: np.ndarray  # (windows + 1,) int64
    first_word: np.ndarray  # (windows,) int32
    example: np.ndarray  # (windows,) int32, index into the examples

    @property
    def lengths(self) -> np.ndarray:
        """Return the tokens of each window, (windows,)."""
        return np.diff(self.row_splits)

    def collate(self, rows: np.ndarray) -> tuple[dict, dict]:
        """Return one padded batch: the model's inputs, and the labels of the words."""
        splits = zip(self.row_splits[rows], self.row_splits[rows + 1], strict=True)
        inputs = pad_rows(
            [self.input_ids[start:stop] for start, stop in splits],
            limit=int(self.lengths.max()),
        )
        inputs["segment_ids"] = np.zeros_like(inputs["input_ids"])
        starts, stops = self.word_splits[rows], self.word_splits[rows + 1]
        width = -(-int((stops - starts).max()) // PAD_MULTIPLE) * PAD_MULTIPLE
        # [CLS] stands at 0, so no word does.
        positions = np.zeros((len(rows), width), "int32")
        labels = np.full((len(rows), width), NO_LABEL, "int32")
        for row, (start, stop) in enumerate(zip(starts, stops, strict=True)):
            positions[row, : stop - start] = self.positions[start:stop]
            labels[row, : stop - start] = self.labels[start:stop]
        return {**inputs, "word_positions": positions}, {"logits": labels}


def make_features(
    examples: Sequence["Example"], tokenizer: Tokenizer, config: TrainConfig
) -> Features:
    """Tokenize examples into windows, or take them from the cache.

    Raises UserError where a window has no room.
    """
    if config.max_length < SHORTEST or config.stride < 1:
        raise UserError(
            f"windows of {config.max_length} tokens, {config.stride} apart",
            f"a window has {SHORTEST} tokens at the least, and begins after the last",
            "correct --max-length and --stride",
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
    settings = (config.max_length, config.stride, config.scheme, config.tagging)
    yield from (FORMAT, repr(settings), repr(config.labels), tokenizer.to_str())
    for example in examples:
        yield repr((example.tokens, example.labels))


def build_features(
    examples: Sequence["Example"], tokenizer: Tokenizer, config: TrainConfig
) -> Features:
    """Tokenize each distinct word once, and lay windows over the sentences."""
    special, room = special_ids(tokenizer), config.max_length - 2
    vocabulary = dict.fromkeys(word for each in examples for word in each.tokens)
    pieces = word_pieces(vocabulary, tokenizer, room)
    numbers = {label: number for number, label in enumerate(config.labels)}
    ids, positions, labels, rows = [], [], [], []
    for index, example in enumerate(examples):
        words = [pieces[word] for word in example.tokens]
        names = model_labels(example.labels, config) if example.labels else []
        known = [numbers.get(name, NO_LABEL) for name in names]
        known = np.array(known or [NO_LABEL] * len(words), "int32")
        counts = np.array([len(word) for word in words], "int64")
        for first, stop, own in windows(counts, room, config.stride):
            inside = itertools.chain.from_iterable(words[first:stop])
            ids.append(np.array([special.cls, *inside, special.sep], "int32"))
            places = 1 + np.cumsum(counts[first:stop]) - counts[first:stop]
            positions.append(places[own.start - first : own.stop - first])
            labels.append(known[own.start : own.stop])
            rows.append((own.start, index))
    columns = np.array(rows, "int32").reshape(-1, 2).T
    return Features(
        joined(ids),
        splits_of(ids),
        joined(positions),
        joined(labels),
        splits_of(positions),
        *columns,
    )


def word_pieces(
    words: Iterable[str], tokenizer: Tokenizer, limit: int
) -> dict[str, list[int]]:
    """Return the ids of each word's pieces, one at the least and `limit` at the most.

    Words are tokenized each by itself, so that a word has the same pieces in a list of
    tokens and in a running text. One of which normalization leaves nothing (U+200B, a
    separate accent) is [UNK]: it has a label like any other and must keep its place.
    """
    words = list(words)
    encodings = tokenizer.encode_batch_fast(words, add_special_tokens=False)
    unknown = [tokenizer.token_to_id(name) for name in ("[UNK]", "<unk>")]
    unknown = [number for number in unknown if number is not None][:1]
    if not unknown:
        raise UserError(
            "the vocabulary has no [UNK]",
            "words that it cannot write need a token",
            "use the vocabulary that belongs to the weights",
        )
    return {
        word: encoding.ids[:limit] or unknown
        for word, encoding in zip(words, encodings, strict=True)
    }


def windows(
    counts: np.ndarray, room: int, stride: int
) -> Iterator[tuple[int, int, range]]:
    """Yield first word, last word plus one, and the own words of each window.

    `counts` are the pieces of the words. A window holds as many whole words as there
    is `room` for, and begins at most `stride` pieces after the one before it. Each
    word is one window's own: the one that shows most of what is around it, by the
    smaller of both sides, as in Google's run_squad.py.
    """
    stops = np.cumsum(counts)
    starts = stops - counts
    found: list[tuple[int, int]] = []
    owner = np.zeros(len(counts), "int64")
    most = np.full(len(counts), -1)
    first = stop = 0
    while stop < len(counts):
        stop = int(np.searchsorted(stops, starts[first] + room, side="right"))
        inside = slice(first, stop)
        around = np.minimum(
            starts[inside] - starts[first], stops[stop - 1] - stops[inside]
        )
        better = around > most[inside]
        owner[inside][better] = len(found)
        most[inside][better] = around[better]
        found.append((first, stop))
        step = int(np.searchsorted(starts, starts[first] + stride, side="right")) - 1
        first = min(max(step, first + 1), stop)
    for number, (first, stop) in enumerate(found):
        own = np.flatnonzero(owner == number)
        if len(own):
            yield first, stop, range(own[0], own[-1] + 1)


def joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return some arrays as one, int32."""
    return np.concatenate([np.zeros(0, "int32"), *arrays]).astype("int32")


def splits_of(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return where each of the arrays begins once they are joined, and the end."""
    return np.cumsum([0] + [len(array) for array in arrays], dtype="int64")
