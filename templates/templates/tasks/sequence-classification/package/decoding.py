"""From logits to labels, and the scores of labels."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tokenizers import Tokenizer

from . import confusion, error_page, metrics
from .batching import evaluation_plan
from .config import TrainConfig
from .dataset import Example, make_targets
from .errors import UserError
from .features import make_features
from .labels import as_label, shown


def predict(
    model: keras.Model,
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    config: TrainConfig,
    *,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """Return one prediction for each example, in their order.

    A prediction is a dict: `id`; `label`, a name, a list of names, or a number;
    `scores`, the probability of each name, highest first (none for numbers).
    """
    features = make_features(examples, tokenizer, config)
    plan = evaluation_plan(features.lengths, config.batch_size)
    logits = np.zeros((len(examples), len(config.labels) or 1))
    bar = keras.utils.Progbar(len(plan), verbose=int(progress and sys.stdout.isatty()))
    for step, rows in enumerate(plan, start=1):
        logits[rows] = model.predict_on_batch(features.collate(rows))["logits"]
        bar.update(step)
    if config.kind == "regression":
        pairs = zip(examples, logits[:, 0].tolist(), strict=True)
        return [{"id": example.id, "label": value} for example, value in pairs]
    activation = sigmoid if config.kind == "multi" else softmax
    return [
        choose(example.id, row, config)
        for example, row in zip(examples, activation(logits), strict=True)
    ]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities that add up to 1 along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return probabilities, each for itself."""
    return 0.5 * (1.0 + np.tanh(0.5 * logits))


def choose(name: str, scores: np.ndarray, config: TrainConfig) -> dict[str, Any]:
    """Return the prediction of an example: its labels by their probabilities."""
    order = np.argsort(-scores, kind="stable")
    by_name = {config.labels[i]: float(scores[i]) for i in order}
    label = chosen(by_name, config)
    return {"id": name, "label": label, "scores": by_name}


def chosen(scores: dict[str, float], config: TrainConfig) -> str | list[str]:
    """Return the most probable label, or all that reach the threshold."""
    if config.kind == "single":
        return next(iter(scores))
    threshold = 0.5 if config.threshold is None else config.threshold
    return [name for name, score in scores.items() if score >= threshold]


def tune(
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    config: TrainConfig,
) -> tuple[TrainConfig, list[dict[str, Any]]]:
    """Return the settings with the threshold of best micro F1, and its labels.

    Nothing changes where it was set by hand, or where there is only one label a text.
    """
    examples, known = with_labels(examples, predictions)
    if config.kind != "multi" or config.threshold is not None:
        return config, list(predictions)
    gold = make_targets(examples, config) > 0
    scores = [[each["scores"][name] for name in config.labels] for each in known]
    threshold = metrics.best_threshold(gold, np.array(scores))
    config = dataclasses.replace(config, threshold=threshold)
    changed = [x | {"label": chosen(x["scores"], config)} for x in predictions]
    return config, changed


def with_labels(
    examples: Sequence[Example], predictions: Sequence[dict[str, Any]]
) -> tuple[list[Example], list[dict[str, Any]]]:
    """Return the examples that have a label, and their predictions."""
    pairs = zip(examples, predictions, strict=True)
    kept = [pair for pair in pairs if pair[0].label is not None]
    if not kept:
        why = "no example has a label"
        raise UserError("nothing to score", why, "give files with labels")
    return [pair[0] for pair in kept], [pair[1] for pair in kept]


def evaluate(
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    config: TrainConfig,
) -> dict[str, Any]:
    """Return the scores of metrics.py; `score` is the one called `monitor`.

    Examples without a label are not scored, but counted in `without_label`.
    """
    known, predictions = with_labels(examples, predictions)
    if config.kind == "regression":
        gold = np.array([float(str(each.label)) for each in known])
        predicted = np.array([each["label"] for each in predictions])
        scores = metrics.regression_scores(gold, predicted)
    elif config.kind == "multi":
        gold, predicted = both_targets(known, predictions, config)
        scores = metrics.multi_label_scores(gold > 0, predicted > 0, config.labels)
    else:
        gold, predicted = both_targets(known, predictions, config)
        scores = metrics.classification_scores(gold, predicted, config.labels)
    monitor = config.monitor or metrics.FIGURES[config.kind][0]
    head = {metrics.MONITOR: scores[monitor], "monitor": monitor}
    if len(known) < len(examples):
        head["without_label"] = len(examples) - len(known)
    return head | scores


def both_targets(
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    config: TrainConfig,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels of examples, and the predicted ones, as `make_targets` does."""
    answers = [
        dataclasses.replace(example, label=as_label(prediction["label"]))
        for example, prediction in zip(examples, predictions, strict=True)
    ]
    return make_targets(examples, config), make_targets(answers, config)


def write_report(
    folder: Path,
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    config: TrainConfig,
) -> list[str]:
    """Write errors.html and what was taken for what; return the files' names.

    confusion.csv has a row for each label, confusion.png is its picture; of numbers
    there is scatter.png. Pictures need matplotlib, an extra.
    """
    scores = evaluate(examples, predictions, config)
    examples, predictions = with_labels(examples, predictions)
    error_page.write_errors(
        folder / "errors.html", examples, predictions, scores, config
    )
    if config.kind == "regression":
        numbers = [float(str(each.label)) for each in examples]
        values = [each["label"] for each in predictions]
        drawn = confusion.draw_scatter(folder / "scatter.png", numbers, values)
        return ["errors.html", *drawn]
    gold, predicted = both_targets(examples, predictions, config)
    table = folder / "confusion.csv"
    if config.kind == "multi":
        confusion.write_counts(table, gold > 0, predicted > 0, config.labels)
        return ["errors.html", table.name]
    matrix = metrics.confusion_matrix(gold, predicted, len(config.labels))
    confusion.write_matrix(table, matrix, config.labels)
    drawn = confusion.draw_matrix(folder / "confusion.png", matrix, config.labels)
    return ["errors.html", table.name, *drawn]


def shorten(prediction: dict[str, Any], n_best: int) -> dict[str, Any]:
    """Return the prediction with so many labels' scores."""
    if "scores" not in prediction:
        return prediction
    scores = dict(list(prediction["scores"].items())[:n_best])
    return {**prediction, "scores": scores}


def show(example: Example, prediction: dict[str, Any], n_best: int) -> str:
    """Return a prediction to be read by a person."""
    label = prediction["label"]
    lines = [f"text:     {example.text}"]
    if example.pair is not None:
        lines.append(f"pair:     {example.pair}")
    if isinstance(label, float):
        lines.append(f"label:    {label:.3f}")
    else:
        lines.append(f"label:    {shown(as_label(label))}")
    if example.label is not None:
        lines.append(f"expected: {shown(example.label)}")
    scores = shorten(prediction, n_best).get("scores", {})
    lines += [f"  {score:4.0%}  {name}" for name, score in scores.items()]
    return "\n".join(lines)
