"""Questions and their texts as token ids, with a target for each token."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from tokenizers import Tokenizer

from .batching import pad_rows
from .caching import load_or_build
from .config import TrainConfig
from .errors import UserError
from .questions import UNKNOWN, Question
from .token_text import cover_marks
from .tokenizer import SpecialIds, special_ids

FORMAT = "2"  # part of the cache's key: change it with the content of Features


@dataclasses.dataclass(frozen=True)
class Features:
    """All rows of a list of questions, as flat arrays that save and load at once.

    Row r is `[CLS] question [SEP] text tokens [SEP]`, the token ids
    `input_ids[row_splits[r]:row_splits[r + 1]]`; its text tokens begin at
    `text_start[r]`, the first being number `first_token[r]` of the text. Tokens of the
    aspect that is asked about have segment 0, as the question has: so two places of
    the same words are told apart. `offsets[offset_splits[t]:offset_splits[t + 1]]` are
    first and last-plus-one character of each token of text t.
    """

    input_ids: np.ndarray  # (tokens,) int32
    segment_ids: np.ndarray  # (tokens,) int8
    targets: np.ndarray  # (tokens, 3) int8: start, end, polarity; -1 where unknown
    row_splits: np.ndarray  # (rows + 1,) int64
    text_start: np.ndarray  # (rows,) int32
    first_token: np.ndarray  # (rows,) int32
    question: np.ndarray  # (rows,) int32, index into the questions
    text: np.ndarray  # (questions,) int32, index into the distinct texts
    offsets: np.ndarray  # (text tokens, 2) int32
    offset_splits: np.ndarray  # (texts + 1,) int64
    within: np.ndarray  # () int32, spans that begin or end within a token
    cut: np.ndarray  # () int32, questions that lose their end

    @property
    def lengths(self) -> np.ndarray:
        """Return the tokens of each row, (rows,)."""
        return np.diff(self.row_splits)

    def token_offsets(self, question: int) -> np.ndarray:
        """Return the character offsets of the tokens of a question's text."""
        text = self.text[question]
        return self.offsets[self.offset_splits[text] : self.offset_splits[text + 1]]

    def collate(self, rows: np.ndarray) -> tuple[dict, dict]:
        """Return one padded batch: the encoder's inputs, and the targets."""
        slices = [slice(*self.row_splits[row : row + 2]) for row in rows]
        inputs = pad_rows(
            [self.input_ids[part] for part in slices], limit=int(self.lengths.max())
        )
        segments = np.zeros_like(inputs["input_ids"])
        targets = np.full((*segments.shape, 3), UNKNOWN, "int32")
        for index, part in enumerate(slices):
            segments[index, : part.stop - part.start] = self.segment_ids[part]
            targets[index, : part.stop - part.start] = self.targets[part]
        return {**inputs, "segment_ids": segments}, {"logits": targets}

    def describe(self) -> str:
        """Return how many rows there are, and what is cut or cannot be met."""
        rows = np.bincount(self.question, minlength=len(self.text))
        several = int((rows > 1).sum())
        line = f"{len(self.text)} questions in {len(self.lengths)} rows of "
        line += f"{np.median(self.lengths):.0f} tokens, at most {self.lengths.max()}"
        line += f"; {several} ({several / len(rows):.1%}) with a text of several rows"
        line += f", {self.cut} that lose their end"
        if self.within:
            line += f"; {self.within} spans begin or end within a token"
        return line


def make_features(
    questions: Sequence[Question],
    tokenizer: Tokenizer,
    config: TrainConfig,
    *,
    cached: bool = True,
) -> Features:
    """Tokenize questions and texts, or take them from the cache.

    Raises UserError where a row leaves no room for the text.
    """
    if config.max_length < config.max_question_length + 3 + 16 or config.doc_stride < 1:
        raise UserError(
            f"max_length {config.max_length} is too short",
            f"a question may take {config.max_question_length} tokens, and the text "
            "needs 16 at the least; doc_stride must be 1 or more",
            "raise --max-length or lower --max-question-length",
        )
    return load_or_build(
        Features,
        config.cache_dir if cached else "",
        cache_key(questions, tokenizer, config),
        lambda: build_features(questions, tokenizer, config),
    )


def cache_key(
    questions: Sequence[Question], tokenizer: Tokenizer, config: TrainConfig
) -> Iterator[str]:
    """Yield everything that the features depend on."""
    lengths = (config.max_length, config.max_question_length, config.doc_stride)
    yield from (FORMAT, repr(lengths), tokenizer.to_str())
    yield from map(repr, questions)


def build_features(
    questions: Sequence[Question], tokenizer: Tokenizer, config: TrainConfig
) -> Features:
    """Tokenize each distinct text once, and lay windows over the texts."""
    special = special_ids(tokenizer)
    texts = {text: i for i, text in enumerate(dict.fromkeys(q.text for q in questions))}
    text_ids, offsets = [], []
    encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
    for text, encoding in zip(texts, encodings, strict=True):
        text_ids.append(encoding.ids)
        places = np.array(encoding.offsets, "int32").reshape(-1, 2)
        offsets.append(cover_marks(text, places))
    asked = tokenizer.encode_batch_fast(
        [question.question for question in questions], add_special_tokens=False
    )
    limit = config.max_question_length
    heads = [[special.cls, *each.ids[:limit], special.sep] for each in asked]
    rows, columns, within = [], [], 0
    for index, question in enumerate(questions):
        number = texts[question.text]
        tokens, inexact = token_columns(question, text_ids[number], offsets[number])
        within += inexact
        for first, row in windows(question, heads[index], tokens, special, config):
            rows.append(row)
            columns.append((len(heads[index]), first, index))
    joined = np.concatenate(rows)
    return Features(
        joined[:, 0],
        joined[:, 1].astype("int8"),
        joined[:, 2:].astype("int8"),
        splits_of(rows),
        *np.array(columns, "int32").reshape(-1, 3).T,
        np.array([texts[question.text] for question in questions], "int32"),
        np.concatenate(offsets),
        splits_of(offsets),
        np.array(within, "int32"),
        np.array(sum(len(each.ids) > limit for each in asked), "int32"),
    )


def splits_of(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return where each of the arrays begins once they are joined, and the end."""
    return np.cumsum([0] + [len(array) for array in arrays], dtype="int64")


def token_columns(
    question: Question, ids: Sequence[int], offsets: np.ndarray
) -> tuple[np.ndarray, int]:
    """Return id, segment and the three targets of each token of a text, (tokens, 5).

    The second result counts the spans that begin or end within a token.
    """
    columns = np.full((len(ids), 5), UNKNOWN, "int32")
    columns[:, 0], columns[:, 1] = ids, 1
    inexact = 0
    if question.about is not None:
        first, last = token_span(*question.about, question, offsets)
        columns[first : last + 1, 1] = 0
    if question.spans is not None:
        columns[:, 2:4] = 0
    for start, end, polarity in question.spans or ():
        first, last = token_span(start, end, question, offsets)
        columns[first, 2] = columns[last, 3] = 1
        columns[first, 4] = max(polarity, columns[first, 4])
        inexact += (offsets[first, 0], offsets[last, 1]) != (start, end)
    return columns, inexact


def token_span(
    start: int, end: int, question: Question, offsets: np.ndarray
) -> tuple[int, int]:
    """Return first and last token of a span; raise UserError where it has none."""
    first = int(np.searchsorted(offsets[:, 1], start, side="right"))
    last = int(np.searchsorted(offsets[:, 0], end, side="left")) - 1
    if first > last:
        raise UserError(
            f'no token holds "{question.text[start:end]}" in "{question.text[:60]}"',
            "it consists of characters that the tokenizer drops",
            "correct the span, or leave the text out",
        )
    return first, last


def windows(
    question: Question,
    head: Sequence[int],
    tokens: np.ndarray,
    special: SpecialIds,
    config: TrainConfig,
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the first text token and the columns, (tokens, 5), of each row.

    Rows begin `doc_stride` tokens apart, as in Google's run_squad.py. [CLS] stands for
    the text as a whole: in a part of it, that the text has an implicit aspect cannot
    be told, nor the polarity of an aspect that does not stand there.
    """
    room = config.max_length - len(head) - 1
    front = np.full((len(head), 5), UNKNOWN, "int32")
    front[:, 0], front[:, 1] = head, 0
    known = UNKNOWN if question.spans is None else 0
    back = np.array([[special.sep, 1, known, known, UNKNOWN]], "int32")
    for first in range(0, max(1, len(tokens)), min(room, config.doc_stride)):
        piece = tokens[first : first + room]
        whole = len(piece) == len(tokens)
        there = question.about is None or not piece[:, 1].all()
        front[0, 2:4] = question.implicit if whole or not question.implicit else UNKNOWN
        front[0, 4] = question.polarity if there else UNKNOWN
        yield first, np.concatenate([front, piece, back])
        if first + room >= len(tokens):
            return
