"""The search for spans in the graph of an export: span_search.py in Keras' operations."""

from typing import Any

import keras
from keras import layers, ops


class SpanSearch(layers.Layer):
    """Finds the spans of a row in the graph of an export, as find_spans does.

    It has no weights and is in no `model.keras`: an export holds its operations.
    """

    def __init__(self, threshold: float, longest: int, most: int, **options: Any):
        """Take the lowest score of a span, its tokens and the spans of a row at most."""
        super().__init__(**options)
        self.threshold, self.longest, self.most = threshold, longest, most

    def call(self, start: Any, end: Any, shown: Any) -> tuple[Any, Any]:
        """Return `span_end` and `span_score`, (batch, length).

        The first is the last token of the span that starts there, -1 where none does.
        Where `shown` is 0, there is no span. The best goes first, then the best of
        those that stand apart from it, and so on.
        """
        length = ops.shape(start)[1]
        place = ops.arange(length, dtype="int32")
        ends = place[:, None] + ops.arange(self.longest, dtype="int32")

        def pick(left: Any, _: Any) -> tuple[Any, tuple[Any, Any, Any]]:
            flat = ops.reshape(left, (-1, length * self.longest))
            number = ops.cast(ops.argmax(flat, axis=1), "int32")
            first = number // self.longest
            last = first + number % self.longest
            apart = ops.logical_or(
                place[:, None] > last[:, None, None], ends < first[:, None, None]
            )
            score = ops.max(flat, axis=1)
            return ops.where(apart, left, 0.0), (first, last, score)

        scores = self.span_scores(start * shown, end * shown)
        rounds = ops.arange(self.most)
        _, (first, last, score) = ops.scan(pick, scores, rounds)  # (spans, batch) each
        here = ops.logical_and(
            ops.equal(first[..., None], place), score[..., None] > 0
        )  # (spans, batch, length)
        span_end = ops.max(ops.where(here, last[..., None], -1), axis=0)
        return span_end, ops.max(ops.where(here, score[..., None], 0.0), axis=0)

    def span_scores(self, start: Any, end: Any) -> Any:
        """Return scores (batch, length, longest): of each token, and tokens behind it.

        See span_search.py; 0 stands for those below the threshold.
        """
        length = ops.shape(start)[1]
        starts, ends = (
            ops.pad(part, ((0, 0), (0, self.longest))) for part in (start, end)
        )
        scores, alone = [], ops.ones_like(start)
        for behind in range(self.longest):
            if behind:
                alone = alone * (1.0 - starts[:, behind : behind + length])
                alone = alone * (1.0 - ends[:, behind - 1 : behind - 1 + length])
            scores.append(start * ends[:, behind : behind + length] * alone)
        band = ops.stack(scores, axis=-1)
        return ops.where(band >= self.threshold, band, 0.0)

    def compute_output_spec(self, start: Any, end: Any, shown: Any) -> tuple[Any, Any]:
        """Return the shapes of the outputs."""
        return (
            keras.KerasTensor(start.shape, "int32"),
            keras.KerasTensor(start.shape, start.dtype),
        )


def text_tokens(inputs: dict[str, Any]) -> Any:
    """Return which tokens are the text's, bool (batch, length).

    Segments do not say it: in step 2 those of the aspect are the question's. But the
    last token of a row is [SEP], and the text stands behind the first one.
    """
    ids = ops.cast(inputs["input_ids"], "int32")
    mask = ops.cast(inputs["attention_mask"], "int32")
    count = ops.cumsum(mask, axis=1)
    is_last = ops.equal(count, ops.sum(mask, axis=1, keepdims=True)) & (mask > 0)
    separator = ops.max(ops.where(is_last, ids, -1), axis=1, keepdims=True)
    found = ops.cast(ops.equal(ids, separator), "int32") * mask
    before = ops.cumsum(found, axis=1) - found
    return ops.logical_and(before > 0, mask > 0) & ops.logical_not(is_last)
