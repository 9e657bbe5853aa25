"""From scores to labels and entities, over all windows of a sentence."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tokenizers import Tokenizer

from . import error_report, head, metrics, schemes
from .batching import evaluation_plan
from .config import TrainConfig
from .dataset import Example
from .features import make_features
from .labels import model_labels


def predict(
    model: keras.Model,
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    config: TrainConfig,
    *,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """Return one prediction for each example, in their order.

    A prediction is a dict: `id`; `tokens`, the words; `labels`, one for each, in the
    scheme that the model learned (`tagging`); `scores`, their probabilities; and where
    labels mark entities `entities`, a list of {text, start, end, label, score,
    first_token, last_token}. `start` and `end` count characters of the text, which for
    a list of tokens is the tokens with a space between each two. An entity's score is
    the lowest of its words' probabilities.
    """
    features = make_features(examples, tokenizer, config)
    plan = evaluation_plan(features.lengths, config.batch_size)
    counts = np.diff(features.word_splits)
    logits: dict[int, np.ndarray] = {}
    shared: dict[str, np.ndarray] = {}
    bar = keras.utils.Progbar(len(plan), verbose=int(progress and sys.stdout.isatty()))
    for step, rows in enumerate(plan, start=1):
        outputs = model.predict_on_batch(features.collate(rows)[0])
        for row, scores in zip(rows, outputs.pop("logits"), strict=True):
            logits[int(row)] = scores[: counts[row]]
        shared = {name: array[0] for name, array in outputs.items()}
        bar.update(step)
    windows: list[list[np.ndarray]] = [[] for _ in examples]
    for row, index in enumerate(features.example):  # in the order of the words
        windows[index].append(logits[row])
    return [
        decode_example(example, parts, shared, config)
        for example, parts in zip(examples, windows, strict=True)
    ]


def decode_example(
    example: Example,
    windows: Sequence[np.ndarray],
    shared: dict[str, np.ndarray],
    config: TrainConfig,
) -> dict[str, Any]:
    """Return the prediction for one example from the scores of its words."""
    labels: list[str] = []
    scores: list[float] = []
    if windows:  # else there is no word
        best, probabilities = head.decode(np.concatenate(windows), shared)
        labels = [config.labels[number] for number in best]
        chosen = np.take_along_axis(probabilities, best[:, None], axis=1)
        scores = [float(score) for score in chosen[:, 0]]
    prediction = {
        "id": example.id,
        "tokens": example.tokens,
        "labels": labels,
        "scores": scores,
    }
    if config.scheme == "none":
        return prediction
    return {**prediction, "entities": find_entities(example, labels, scores)}


def find_entities(
    example: Example, labels: Sequence[str], scores: Sequence[float]
) -> list[dict[str, Any]]:
    """Return the entities that labels mark, with their places in the text."""
    entities = []
    for span in schemes.spans(labels):
        start, end = example.words[span.start][0], example.words[span.stop - 1][1]
        entities.append(
            {
                "text": example.text[start:end],
                "start": start,
                "end": end,
                "label": span.label,
                "score": min(scores[span.start : span.stop]),
                "first_token": span.start,
                "last_token": span.stop - 1,
            }
        )
    return entities


def tune(
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    config: TrainConfig,
) -> tuple[TrainConfig, list[dict[str, Any]]]:
    """Return settings and predictions as they are: there is nothing to tune."""
    return config, list(predictions)


def evaluate(
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    config: TrainConfig,
) -> dict[str, Any]:
    """Return the figures of metrics.py and the sentences scored, `total`.

    Sentences without labels, and those with a problem, are not scored but counted as
    `left_out`.
    """
    pairs = scored(examples, predictions)
    golds = [model_labels(example.labels or (), config) for example, _ in pairs]
    found = [prediction["labels"] for _, prediction in pairs]
    scheme = "none" if config.scheme == "none" else config.tagging
    figures = metrics.evaluate_labels(golds, found, scheme)
    left_out = len(examples) - len(pairs)
    counts = {"total": len(pairs)} | ({"left_out": left_out} if left_out else {})
    return {**figures, **counts}


def scored(
    examples: Sequence[Example], predictions: Sequence[dict[str, Any]]
) -> list[tuple[Example, dict[str, Any]]]:
    """Return the examples that can be scored with their predictions."""
    pairs = zip(examples, predictions, strict=True)
    return [
        (example, prediction)
        for example, prediction in pairs
        if example.labels is not None and not example.problem
    ]


def write_report(
    folder: Path,
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    config: TrainConfig,
) -> list[str]:
    """Write errors.html, a page of the worst errors; return the files' names."""
    rows = []
    for example, prediction in scored(examples, predictions):
        golds = model_labels(example.labels or (), config)
        if config.scheme == "none":
            sides = [as_words(golds), as_words(prediction["labels"])]
        else:
            sides = [schemes.spans(golds), schemes.spans(prediction["labels"])]
        missed, spurious = metrics.differences(*sides)
        rows.append(
            {
                "id": example.id,
                "text": example.text,
                "words": example.words,
                "gold": sides[0],
                "predicted": sides[1],
                "missed": missed,
                "spurious": spurious,
                "scores": prediction["scores"],
            }
        )
    figures = evaluate(examples, predictions, config)["per_type"]
    error_report.write_errors(folder / "errors.html", rows, figures)
    return ["errors.html"]


def as_words(labels: Sequence[str]) -> list[schemes.Span]:
    """Return each word's label as a span of one word."""
    return [schemes.Span(x, index, index + 1) for index, x in enumerate(labels)]


def shorten(prediction: dict[str, Any], n_best: int) -> dict[str, Any]:
    """Return the prediction as it is: it has no alternatives."""
    return prediction


def show(example: Example, prediction: dict[str, Any], n_best: int) -> str:
    """Return a prediction to be read by a person."""
    if "entities" not in prediction:
        words = zip(prediction["tokens"], prediction["labels"], strict=True)
        lines = ["  ".join(f"{word}/{label}" for word, label in words)]
        if example.labels:
            pairs = zip(example.labels, prediction["labels"], strict=True)
            wrong = sum(gold != found for gold, found in pairs)
            lines.append(f"  {wrong} of {len(example.labels)} are expected otherwise")
        return "\n".join(lines)
    lines = [example.text]
    lines += [
        f"  {each['score']:4.0%}  {each['label']}: {each['text']}  "
        f"[{each['start']}:{each['end']}]"
        for each in prediction["entities"]
    ]
    if example.labels:
        golds = find_entities(example, example.labels, [1.0] * len(example.labels))
        parts = [f"{each['label']}: {each['text']}" for each in golds]
        lines.append(f"  expected: {', '.join(parts) or 'nothing'}")
    return "\n".join(lines)
