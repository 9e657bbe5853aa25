"""From what the model says to aspects, opinions, polarities and triplets."""

from collections.abc import Sequence
from typing import Any

from .aspects import Place
from .config import TrainConfig
from .metrics import GRID
from .span_search import Scores, find_spans

FLOOR = float(GRID[0])  # what is less probable is never given


def limit(threshold: float | None) -> float:
    """Return a threshold, FLOOR where it is still to be tuned."""
    return FLOOR if threshold is None else max(FLOOR, threshold)


def find_aspects(scores: Scores, config: TrainConfig) -> dict[Place, float]:
    """Return the places of a text's aspects with their scores, best first."""
    threshold = limit(config.aspect_threshold)
    spans = find_spans(scores.start, scores.end, threshold, config.max_span_length)
    found: list[tuple[float, Place]] = [
        (score, scores.place(*span)) for score, *span in spans
    ]
    if scores.implicit >= threshold:
        found.append((scores.implicit, None))
    found.sort(key=lambda pair: -pair[0])
    return {place: score for score, place in found[: config.max_aspects]}


def judge(
    text: str, place: Place, scores: Scores, config: TrainConfig
) -> dict[str, Any]:
    """Return an aspect with its polarity, and with the opinions on it as they stand."""
    opinions = []
    if config.kind != "pairs":
        threshold = limit(config.opinion_threshold)
        spans = find_spans(scores.start, scores.end, threshold, config.max_span_length)
        for score, first, last in sorted(spans, key=lambda span: span[1]):
            opinion = words_at(text, scores.place(first, last))
            opinion |= likeliest(scores.polarity[first], config)
            opinions.append(opinion | {"score": score})
    aspect = words_at(text, place) | likeliest(scores.whole, config)
    return aspect | {"opinions": opinions}


def words_at(text: str, place: Place) -> dict[str, Any]:
    """Return text, start and end of a place, None for an implicit aspect."""
    if place is None:
        return {"text": None, "start": None, "end": None}
    start, end = place
    return {"text": text[start:end], "start": start, "end": end}


def likeliest(probabilities: Sequence[float], config: TrainConfig) -> dict[str, Any]:
    """Return the most probable polarity and its probability."""
    pairs = zip(probabilities, config.polarities, strict=True)
    score, polarity = max(pairs, key=lambda pair: pair[0])
    return {"polarity": polarity, "polarity_score": float(score)}


def choose(prediction: dict[str, Any], config: TrainConfig) -> dict[str, Any]:
    """Return the prediction with what reaches the thresholds, and its triplets."""
    chosen = dict(prediction)
    for name in ("aspects", "given_aspects"):
        if name in prediction:
            chosen[name] = [
                {
                    **aspect,
                    "opinions": above(aspect["opinions"], config.opinion_threshold),
                }
                for aspect in above(prediction[name], config.aspect_threshold)
            ]
    chosen["triplets"] = triplets_of(chosen["aspects"])
    return chosen


def above(
    items: Sequence[dict[str, Any]], threshold: float | None
) -> list[dict[str, Any]]:
    """Return the items whose score, if they have one, reaches a threshold."""
    return [each for each in items if each.get("score", 1.0) >= limit(threshold)]


def triplets_of(aspects: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return aspect, opinion and polarity in a row, with their places.

    The score is the probability that all three are right, taken as independent.
    """
    return [
        {
            "aspect": aspect["text"],
            "aspect_start": aspect["start"],
            "aspect_end": aspect["end"],
            "opinion": opinion["text"],
            "opinion_start": opinion["start"],
            "opinion_end": opinion["end"],
            "polarity": opinion["polarity"],
            "score": aspect["score"] * opinion["score"] * opinion["polarity_score"],
        }
        for aspect in aspects
        for opinion in aspect["opinions"]
    ]


def in_words(aspect: dict[str, Any], polarities: Sequence[str]) -> str:
    """Return an aspect with polarity and opinions to be read by a person."""
    name = "(implicit)"
    if aspect["text"] is not None:
        name = f"{aspect['text']} [{aspect['start']}:{aspect['end']}]"
    line = f"{name} {'/'.join(polarities)}"
    opinions = [
        f"{each['text']} [{each['start']}:{each['end']}]"
        + (f" {each['polarity']}" if (each["polarity"],) != tuple(polarities) else "")
        for each in aspect["opinions"] or ()
    ]
    return f"{line}: {', '.join(opinions)}" if opinions else line
