"""The search for the best spans of a passage over all of its windows."""

from collections.abc import Iterator, Sequence

import numpy as np

from .config import TrainConfig
from .features import Features


def find_spans(
    features: Features,
    example: int,
    windows: Sequence[int],
    logits: dict[int, tuple[np.ndarray, np.ndarray]],
    config: TrainConfig,
) -> list[tuple[float, int, int]]:
    """Return the n best (logit, start, end), best first; places in characters.

    `logits[w]` are start and end of window w, (length,) each; a span's logit is
    their sum.
    """
    offsets = features.token_offsets(example)
    best_window = max_context(features, windows, len(offsets))
    found = []
    for window in windows:
        tokens = window_tokens(features, window)
        first = features.context_start[window]
        start, end = (part[first : first + len(tokens)] for part in logits[window])
        allowed = best_window[tokens] == window
        for logit, i, j in best_spans(start, end, allowed, config):
            place = (int(offsets[tokens[i], 0]), int(offsets[tokens[j], 1]))
            found.append((logit, *place))
    return sorted(found, reverse=True)[: config.n_best]


def window_tokens(features: Features, window: int) -> np.ndarray:
    """Return the numbers of the passage tokens in a window."""
    count = features.lengths[window] - features.context_start[window] - 1
    first = features.first_token[window]
    return np.arange(first, first + count)


def max_context(
    features: Features, windows: Sequence[int], token_count: int
) -> np.ndarray:
    """Return for each passage token the window that shows most of its surroundings.

    The measure is the smaller of its left and right context, plus 0.01 times the
    window's length, as in Google's run_squad.py; the first window wins a tie.
    """
    best = np.full(token_count, -1)
    best_score = np.full(token_count, -np.inf)
    for window in windows:
        tokens = window_tokens(features, window)
        left = np.arange(len(tokens))
        score = np.minimum(left, left[::-1]) + 0.01 * len(tokens)
        better = tokens[score > best_score[tokens]]
        best_score[better] = score[score > best_score[tokens]]
        best[better] = window
    return best


def best_spans(
    start: np.ndarray, end: np.ndarray, allowed: np.ndarray, config: TrainConfig
) -> Iterator[tuple[float, int, int]]:
    """Yield (logit, first token, last token) of valid pairs among the n best each.

    Valid: it begins where `allowed`, ends at or after its beginning, and is at most
    `max_answer_length` tokens long.
    """
    starts = np.argsort(-start, kind="stable")[: config.n_best]
    ends = np.argsort(-end, kind="stable")[: config.n_best]
    starts = starts[allowed[starts]]
    lengths = ends[None, :] - starts[:, None] + 1
    valid = (lengths >= 1) & (lengths <= config.max_answer_length)
    for i, j in zip(*np.nonzero(valid), strict=True):
        yield float(start[starts[i]] + end[ends[j]]), starts[i], ends[j]


def softmax(logits: Sequence[float]) -> np.ndarray:
    """Return probabilities, float64."""
    exponents = np.exp(np.array(logits, "float64") - max(logits))
    return exponents / exponents.sum()
