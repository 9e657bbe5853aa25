"""Windows of question and passage as token ids, with the answer's place in each."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer

from .batching import pad_rows
from .caching import load_or_build
from .config import TrainConfig
from .errors import UserError
from .token_text import cover_marks
from .tokenizer import SpecialIds, special_ids

if TYPE_CHECKING:
    from .dataset import Example

FORMAT = "2"  # part of the cache's key: change it with the content of Features


@dataclasses.dataclass(frozen=True)
class Features:
    """All windows of a data set, as flat arrays that save and load at once.

    Window w is `[CLS] question [SEP] passage tokens [SEP]`, the token ids
    `input_ids[row_splits[w]:row_splits[w + 1]]`; its passage tokens begin at
    `context_start[w]`, the first being number `first_token[w]` of the passage.
    `start[w]` and `end[w]` are the answer's tokens, both 0 ([CLS]) where the window
    has no answer. `offsets[offset_splits[e]:offset_splits[e + 1]]` are first and
    last-plus-one character of each passage token of context e.
    """

    input_ids: np.ndarray  # (tokens,) int32
    row_splits: np.ndarray  # (windows + 1,) int64
    context_start: np.ndarray  # (windows,) int32
    first_token: np.ndarray  # (windows,) int32
    start: np.ndarray  # (windows,) int32
    end: np.ndarray  # (windows,) int32
    example: np.ndarray  # (windows,) int32, index into the examples
    context: np.ndarray  # (examples,) int32, index into the distinct contexts
    offsets: np.ndarray  # (passage tokens, 2) int32
    offset_splits: np.ndarray  # (contexts + 1,) int64

    @property
    def lengths(self) -> np.ndarray:
        """Return the tokens of each window, (windows,)."""
        return np.diff(self.row_splits)

    def token_offsets(self, example: int) -> np.ndarray:
        """Return the character offsets of an example's passage, (tokens, 2)."""
        context = self.context[example]
        return self.offsets[
            self.offset_splits[context] : self.offset_splits[context + 1]
        ]

    def collate(self, rows: np.ndarray) -> tuple[dict, dict]:
        """Return one padded batch: the encoder's inputs, and the targets."""
        splits = zip(self.row_splits[rows], self.row_splits[rows + 1], strict=True)
        inputs = pad_rows(
            [self.input_ids[start:stop] for start, stop in splits],
            limit=int(self.lengths.max()),
        )
        positions = np.arange(inputs["input_ids"].shape[1])
        # Question 0, passage 1, padding 0.
        in_context = positions >= self.context_start[rows][:, None]
        inputs["segment_ids"] = inputs["attention_mask"] * in_context.astype("int32")
        return inputs, {"start": self.start[rows], "end": self.end[rows]}


def make_features(
    examples: Sequence["Example"], tokenizer: Tokenizer, config: TrainConfig
) -> Features:
    """Tokenize examples into windows, or take them from the cache.

    Raises UserError where a window leaves no room for the passage.
    """
    if config.max_length < config.max_question_length + 3 + 16 or config.doc_stride < 1:
        raise UserError(
            f"max_length {config.max_length} is too short",
            f"a question may take {config.max_question_length} tokens, and the passage "
            "needs 16 at the least; doc_stride must be 1 or more",
            "raise --max-length or lower --max-question-length",
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
    lengths = (config.max_length, config.max_question_length, config.doc_stride)
    yield from (FORMAT, repr(lengths), tokenizer.to_str())
    for example in examples:
        yield repr((example.question, example.context, example.answers))


def build_features(
    examples: Sequence["Example"], tokenizer: Tokenizer, config: TrainConfig
) -> Features:
    """Tokenize each distinct text once, and lay windows over the passages."""
    special = special_ids(tokenizer)
    contexts = {
        text: i for i, text in enumerate(dict.fromkeys(e.context for e in examples))
    }
    context_ids, offsets = [], []
    encodings = tokenizer.encode_batch(list(contexts), add_special_tokens=False)
    for text, encoding in zip(contexts, encodings, strict=True):
        context_ids.append(np.array(encoding.ids, "int32"))
        places = np.array(encoding.offsets, "int32").reshape(-1, 2)
        offsets.append(cover_marks(text, places))
    questions = [example.question for example in examples]
    question_ids = [
        encoding.ids[: config.max_question_length]
        for encoding in tokenizer.encode_batch_fast(questions, add_special_tokens=False)
    ]
    rows, ids = [], []
    for index, example in enumerate(examples):
        context = contexts[example.context]
        answer = answer_tokens(example, offsets[context])
        for window, row in windows(
            question_ids[index], context_ids[context], answer, special, config
        ):
            ids.append(window)
            rows.append((*row, index))
    columns = np.array(rows, "int32").reshape(-1, 5).T
    return Features(
        np.concatenate(ids),
        splits_of(ids),
        *columns,
        np.array([contexts[example.context] for example in examples], "int32"),
        np.concatenate(offsets),
        splits_of(offsets),
    )


def splits_of(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return where each of the arrays begins once they are joined, and the end."""
    return np.cumsum([0] + [len(array) for array in arrays], dtype="int64")


def answer_tokens(example: "Example", offsets: np.ndarray) -> tuple[int, int] | None:
    """Return first and last passage token of the first answer that has a place.

    None where there is no answer. Raises UserError for an answer without a token.
    """
    for answer in example.answers:
        if answer.start is None:
            continue
        stop = answer.start + len(answer.text)
        first = int(np.searchsorted(offsets[:, 1], answer.start, side="right"))
        last = int(np.searchsorted(offsets[:, 0], stop, side="left")) - 1
        if first > last:
            raise UserError(
                f"{example.source}: no token holds the answer",
                f'"{answer.text}" consists of characters that the tokenizer drops',
                "correct the answer, or leave the line out",
            )
        return first, last
    return None


def windows(
    question: Sequence[int],
    context: np.ndarray,
    answer: tuple[int, int] | None,
    special: SpecialIds,
    config: TrainConfig,
):
    """Yield token ids and (context_start, first_token, start, end) of each window.

    Consecutive windows begin `doc_stride` tokens apart, as in Google's
    run_squad.py, whose windows these are; an answer counts only where it is whole.
    """
    head = np.array([special.cls, *question, special.sep], "int32")
    room = config.max_length - len(head) - 1
    step = min(room, config.doc_stride)
    for first in range(0, max(1, len(context)), step):
        piece = context[first : first + room]
        start = end = 0
        if answer and first <= answer[0] and answer[1] < first + len(piece):
            start = len(head) + answer[0] - first
            end = len(head) + answer[1] - first
        tail = np.array([special.sep], "int32")
        yield np.concatenate([head, piece, tail]), (len(head), first, start, end)
        if first + room >= len(context):
            return
