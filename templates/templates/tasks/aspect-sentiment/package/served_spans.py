"""The search for spans in the graph of an export: as span_search.py, in Keras' ops.

Its operations take lengths that are not known before, so places come from sums.
"""

from typing import Any

from keras import ops


def search(
    start: Any, end: Any, threshold: float, longest: int, most: int
) -> tuple[Any, Any]:
    """Return `span_end` and `span_score`, (batch, length), at most `most` spans a row.

    The first is the last token of the span that starts there, -1 where none does. The
    best goes first, then the best of those that stand apart from it, and so on.
    """
    place = ops.cumsum(ops.cast(ops.ones_like(start), "int32"), axis=1) - 1
    left = span_scores(start, end, threshold, longest)
    ends = ops.expand_dims(place, -1) + ops.arange(longest, dtype="int32")
    span_score = ops.zeros_like(start)
    span_end = ops.cast(span_score, "int32") - 1
    for _ in range(most):
        score = ops.max(left, axis=-1)  # of the best span that starts there
        last = place + ops.cast(ops.argmax(left, axis=-1), "int32")
        first = ops.cast(ops.argmax(score, axis=1, keepdims=True), "int32")
        here = ops.logical_and(ops.equal(place, first), score > 0)
        span_end = ops.where(here, last, span_end)
        span_score = ops.where(here, score, span_score)
        last = ops.max(ops.where(here, last, -1), axis=1, keepdims=True)  # (batch, 1)
        before = ends < ops.expand_dims(first, -1)
        behind = ops.expand_dims(place > last, -1)
        left = ops.where(ops.logical_or(before, behind), left, 0.0)
    return span_end, span_score


def span_scores(start: Any, end: Any, threshold: float, longest: int) -> Any:
    """Return scores (batch, length, longest): of each token, and tokens behind it.

    See span_search.py; 0 stands for those below the threshold.
    """
    starts, ends = (ops.pad(part, ((0, 0), (0, longest))) for part in (start, end))
    scores, alone = [], ops.ones_like(start)
    for behind in range(longest):
        if behind:
            alone = alone * (1.0 - starts[:, behind : behind - longest])
            alone = alone * (1.0 - ends[:, behind - 1 : behind - 1 - longest])
        scores.append(start * ends[:, behind : behind - longest] * alone)
    band = ops.stack(scores, axis=-1)
    return ops.where(band >= threshold, band, 0.0)


def text_tokens(input_ids: Any, attention_mask: Any) -> Any:
    """Return which tokens are the text's, bool (batch, length).

    Segments do not say it: in step 2 those of the aspect are the question's. But the
    last token of a row is [SEP], and the text stands behind the first one.
    """
    ids = ops.cast(input_ids, "int32")
    mask = ops.cast(attention_mask, "int32")
    count = ops.cumsum(mask, axis=1)
    real = mask > 0
    last = ops.equal(count, ops.sum(mask, axis=1, keepdims=True))
    is_last = ops.logical_and(last, real)
    separator = ops.max(ops.where(is_last, ids, -1), axis=1, keepdims=True)
    found = ops.cast(ops.equal(ids, separator), "int32") * mask
    behind = ops.cumsum(found, axis=1) - found > 0
    return ops.logical_and(ops.logical_and(behind, real), ops.logical_not(is_last))
