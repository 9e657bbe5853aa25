"""The search for spans in the graph of an export: as span_search.py, in Keras' ops."""

from typing import Any

import keras
from keras import layers, ops


class ServedSpans(layers.Layer):
    """From logits to probabilities, and to the spans that span_search.py would find.

    It has no weights and is in no `model.keras`: an export holds its operations. One
    layer has them all, since the names of single ones may be taken in a loaded model.
    """

    def __init__(self, threshold: float, longest: int, most: int, **options: Any):
        """Take the lowest score of a span, most tokens of one, most spans of a row."""
        super().__init__(**options)
        self.threshold, self.longest, self.most = threshold, longest, most

    def call(self, logits: Any, input_ids: Any, attention_mask: Any) -> dict[str, Any]:
        """Return what model.serving_model tells, by name."""
        real = ops.cast(attention_mask, logits.dtype)
        start = ops.sigmoid(logits[..., 0]) * real
        end = ops.sigmoid(logits[..., 1]) * real
        shown = ops.cast(text_tokens(input_ids, attention_mask), logits.dtype)
        span_end, span_score = self.search(start * shown, end * shown)
        outputs = {"start": start, "end": end, "implicit": start[:, 0] * end[:, 0]}
        outputs |= {"span_end": span_end, "span_score": span_score}
        if logits.shape[-1] > 2:
            outputs["polarity"] = ops.softmax(logits[..., 2:])
        return outputs

    def compute_output_spec(
        self, logits: Any, input_ids: Any, attention_mask: Any
    ) -> dict[str, Any]:
        """Return the shapes of the outputs."""
        batch, length, width = logits.shape
        shapes = dict.fromkeys(("start", "end", "span_score"), (batch, length))
        shapes |= {"implicit": (batch,), "polarity": (batch, length, width - 2)}
        specs = {
            name: keras.KerasTensor(shape, logits.dtype)
            for name, shape in shapes.items()
            if shape[-1] != 0
        }
        return specs | {"span_end": keras.KerasTensor((batch, length), "int32")}

    def search(self, start: Any, end: Any) -> tuple[Any, Any]:
        """Return `span_end` and `span_score`, (batch, length).

        The first is the last token of the span that starts there, -1 where none does.
        The best goes first, then the best of those that stand apart from it, and so on.
        """
        length = ops.shape(start)[1]
        place = ops.arange(length, dtype="int32")
        ends = place[:, None] + ops.arange(self.longest, dtype="int32")

        def pick(_: Any, found: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
            left, span_end, span_score = found
            flat = ops.reshape(left, (-1, length * self.longest))
            number = ops.cast(ops.argmax(flat, axis=1), "int32")
            first = ops.expand_dims(number // self.longest, -1)  # (batch, 1)
            last = first + ops.expand_dims(number % self.longest, -1)
            score = ops.max(flat, axis=1, keepdims=True)
            here = ops.logical_and(ops.equal(place, first), score > 0)
            apart = ops.logical_or(
                place[:, None] > last[..., None], ends < first[..., None]
            )
            return (
                ops.where(apart, left, 0.0),
                ops.where(here, last, span_end),
                ops.where(here, score, span_score),
            )

        scores = self.span_scores(start, end)
        none = ops.zeros_like(start)
        found = (scores, ops.cast(none, "int32") - 1, none)
        _, span_end, span_score = ops.fori_loop(0, self.most, pick, found)
        return span_end, span_score

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


def text_tokens(input_ids: Any, attention_mask: Any) -> Any:
    """Return which tokens are the text's, bool (batch, length).

    Segments do not say it: in step 2 those of the aspect are the question's. But the
    last token of a row is [SEP], and the text stands behind the first one.
    """
    ids = ops.cast(input_ids, "int32")
    mask = ops.cast(attention_mask, "int32")
    count = ops.cumsum(mask, axis=1)
    is_last = ops.equal(count, ops.sum(mask, axis=1, keepdims=True)) & (mask > 0)
    separator = ops.max(ops.where(is_last, ids, -1), axis=1, keepdims=True)
    found = ops.cast(ops.equal(ids, separator), "int32") * mask
    before = ops.cumsum(found, axis=1) - found
    return ops.logical_and(before > 0, mask > 0) & ops.logical_not(is_last)
