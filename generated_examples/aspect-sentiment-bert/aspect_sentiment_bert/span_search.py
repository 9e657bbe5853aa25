"""From logits to spans: windows made one text again, and the search for spans."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from .features import Features


@dataclasses.dataclass(frozen=True)
class Scores:
    """What the model says of one question and its text.

    `start` and `end`, (tokens,), are probabilities of the text's tokens, `polarity`
    (tokens, polarities) of their polarities, `offsets` (tokens, 2) their characters.
    `implicit` is the probability that the text does not name an aspect, `whole`,
    (polarities,), the aspect's own polarity: both from [CLS].
    """

    start: np.ndarray
    end: np.ndarray
    polarity: np.ndarray
    offsets: np.ndarray
    implicit: float
    whole: np.ndarray

    def place(self, first: int, last: int) -> tuple[int, int]:
        """Return first and last-plus-one character of some tokens."""
        return int(self.offsets[first, 0]), int(self.offsets[last, 1])


def join_windows(
    features: Features,
    question: int,
    rows: Sequence[int],
    logits: dict[int, np.ndarray],
    about: tuple[int, int] | None,
) -> Scores:
    """Return the scores of a text, each token's from the row that shows it best.

    `logits[row]` is (length, 2 + polarities). An aspect's own polarity comes from the
    row that shows its first token best, that of an implicit one from all rows.
    """
    offsets = features.token_offsets(question)
    best = best_rows(features, rows, len(offsets))
    joined = np.zeros((len(offsets), logits[rows[0]].shape[-1]))
    for row in rows:
        tokens, start = row_tokens(features, row), features.text_start[row]
        mine = best[tokens] == row
        joined[tokens[mine]] = logits[row][start : start + len(tokens)][mine]
    whole = np.array([logits[row][0] for row in rows], "float64")  # of [CLS]
    implicit = float(sigmoid(whole[:, :2]).prod(axis=1).max())
    if about is not None:
        first = int(np.searchsorted(offsets[:, 1], about[0], side="right"))
        whole = whole[[list(rows).index(best[first])]]
    return Scores(
        *sigmoid(joined[:, :2]).T,
        softmax(joined[:, 2:]),
        offsets,
        implicit,
        softmax(whole[:, 2:].mean(axis=0)),
    )


def row_tokens(features: Features, row: int) -> np.ndarray:
    """Return the numbers of the text's tokens in a row."""
    count = features.lengths[row] - features.text_start[row] - 1
    return np.arange(features.first_token[row], features.first_token[row] + count)


def best_rows(features: Features, rows: Sequence[int], count: int) -> np.ndarray:
    """Return for each of a text's tokens the row with most context on both sides.

    The measure is the smaller of both, plus 0.01 times the row's tokens, as in
    Google's run_squad.py; the first row wins a tie.
    """
    best, best_score = np.full(count, -1), np.full(count, -np.inf)
    for row in rows:
        tokens = row_tokens(features, row)
        left = np.arange(len(tokens))
        score = np.minimum(left, left[::-1]) + 0.01 * len(tokens)
        better = score > best_score[tokens]
        best_score[tokens[better]] = score[better]
        best[tokens[better]] = row
    return best


def find_spans(
    start: np.ndarray, end: np.ndarray, threshold: float, longest: int
) -> list[tuple[float, int, int]]:
    """Return (score, first token, last token) of spans apart from each other.

    A span's score is the probability that one starts at its first token, that the
    first end from there on is its last token, and that no other starts in between, the
    tokens taken as independent. Higher scores go first, and what overlaps with them is
    left out: so the spans above a higher threshold are among those above a lower one.
    """
    found: list[tuple[float, int, int]] = []
    taken = np.zeros(len(start), bool)
    spans = sorted(all_spans(start, end, threshold, longest))
    for loss, first, last in spans:
        if not taken[first : last + 1].any():
            taken[first : last + 1] = True
            found.append((-loss, first, last))
    return found


def all_spans(
    start: np.ndarray, end: np.ndarray, threshold: float, longest: int
) -> Iterator[tuple[float, int, int]]:
    """Yield (minus score, first token, last token) of all spans that reach it."""
    start, end = (np.clip(part.astype("float64"), 0, 1 - 1e-9) for part in (start, end))
    # Logarithms of "nothing starts (ends) before token i", summed from token 0.
    none_starts = np.append(0.0, np.cumsum(np.log1p(-start)))
    none_ends = np.append(0.0, np.cumsum(np.log1p(-end)))
    for first in np.flatnonzero(start >= threshold):
        lasts = first + np.flatnonzero(end[first : first + longest] >= threshold)
        between = none_starts[lasts + 1] - none_starts[first + 1]
        between += none_ends[lasts] - none_ends[first]
        scores = start[first] * end[lasts] * np.exp(between)
        for last, score in zip(lasts, scores, strict=True):
            if score >= threshold:
                yield -float(score), int(first), int(last)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return probabilities, each for itself."""
    return 0.5 * (1.0 + np.tanh(0.5 * logits.astype("float64")))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities that add up to 1 along the last axis."""
    if not logits.size:
        return logits
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
