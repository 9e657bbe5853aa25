"""From start and end logits to answers, over all windows of a passage."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tokenizers import Tokenizer

from . import error_report, metrics
from .batching import evaluation_plan
from .config import TrainConfig
from .dataset import Example
from .features import Features, make_features
from .spans import find_spans, softmax


def predict(
    model: keras.Model,
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    config: TrainConfig,
    *,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """Return one prediction for each example, in their order.

    A prediction is a dict: `id`; `answer`, "" for none, with `start` and `end` in
    characters of the passage (None for none); `score`, its probability among the
    n best; `null_odds`, how much better "no answer" scores than the best answer, in
    logits; `n_best`, a list of {text, start, end, score, logit}, best first.
    """
    features = make_features(examples, tokenizer, config)
    plan = evaluation_plan(features.lengths, config.batch_size)
    logits: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    bar = keras.utils.Progbar(len(plan), verbose=int(progress and sys.stdout.isatty()))
    for step, rows in enumerate(plan, start=1):
        outputs = model.predict_on_batch(features.collate(rows)[0])
        for row, start, end in zip(rows, outputs["start"], outputs["end"], strict=True):
            logits[int(row)] = (start, end)
        bar.update(step)
    windows: list[list[int]] = [[] for _ in examples]
    for row, index in enumerate(features.example):
        windows[index].append(row)
    return [
        decode_example(example, features, index, windows[index], logits, config)
        for index, example in enumerate(examples)
    ]


def decode_example(
    example: Example,
    features: Features,
    index: int,
    windows: Sequence[int],
    logits: dict[int, tuple[np.ndarray, np.ndarray]],
    config: TrainConfig,
) -> dict[str, Any]:
    """Return the prediction for one example from the logits of its windows."""
    spans = find_spans(features, index, windows, logits, config)
    null = min(float(logits[row][0][0] + logits[row][1][0]) for row in windows)
    scores = softmax([logit for logit, _, _ in spans] + [null])
    n_best = [
        {
            "text": example.context[start:end],
            "start": start,
            "end": end,
            "score": float(score),
            "logit": logit,
        }
        for (logit, start, end), score in zip(spans, scores, strict=False)
    ]
    prediction = {
        "id": example.id,
        # A passage without a token has no span, and no answer by a wide margin.
        "null_odds": null - spans[0][0] if spans else 1e4,
        "null_score": float(scores[-1]),
        "n_best": n_best,
    }
    return choose(prediction, config.null_threshold)


def choose(prediction: dict[str, Any], threshold: float | None) -> dict[str, Any]:
    """Fill in the answer: the best span, or none where the threshold says so."""
    n_best = prediction["n_best"]
    odds = prediction["null_odds"]
    if n_best and (threshold is None or odds <= threshold):
        best = n_best[0]
        chosen = (best["text"], best["start"], best["end"], best["score"])
    else:
        chosen = ("", None, None, prediction["null_score"])
    return prediction | dict(
        zip(("answer", "start", "end", "score"), chosen, strict=True)
    )


def tune(
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    config: TrainConfig,
) -> tuple[TrainConfig, list[dict[str, Any]]]:
    """Return the settings with the null threshold of best F1, and its answers.

    Nothing changes where it was set by hand, or where every question has an answer.
    """
    golds = gold_texts(examples)
    if config.null_threshold is not None or all(golds.values()):
        return config, list(predictions)
    threshold = metrics.best_threshold(
        golds,
        {each["id"]: best_text(each) for each in predictions},
        {each["id"]: each["null_odds"] for each in predictions},
        metrics.choose_rules(golds.values()),
    )
    config = dataclasses.replace(config, null_threshold=threshold)
    return config, [choose(each, threshold) for each in predictions]


def evaluate(
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    config: TrainConfig,
) -> dict[str, Any]:
    """Return exact match and F1 in percent, by the rules of metrics.py."""
    return metrics.evaluate_predictions(
        gold_texts(examples),
        {each["id"]: each["answer"] for each in predictions},
        {each["id"]: each["null_odds"] for each in predictions},
    )


def gold_texts(examples: Sequence[Example]) -> dict[str, list[str]]:
    """Return the accepted answers of each example by id."""
    return {each.id: [answer.text for answer in each.answers] for each in examples}


def best_text(prediction: dict[str, Any]) -> str:
    """Return the best answer that is not empty."""
    return prediction["n_best"][0]["text"] if prediction["n_best"] else ""


def write_report(
    folder: Path,
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    config: TrainConfig,
) -> list[str]:
    """Write errors.html, a page of the worst errors; return the files' names."""
    rules = metrics.choose_rules(gold_texts(examples).values())
    scores_of = metrics.cmrc_scores if rules == "cmrc" else metrics.squad_scores
    rows = []
    for example, prediction in zip(examples, predictions, strict=True):
        answers = [answer.text for answer in example.answers]
        exact, f1 = scores_of(prediction["answer"], answers)
        rows.append(
            {
                "id": example.id,
                "question": example.question,
                "context": example.context,
                "answers": answers,
                "answer_starts": [answer.start for answer in example.answers],
                "prediction": prediction["answer"],
                "start": prediction["start"],
                "end": prediction["end"],
                "score": prediction["score"],
                "exact": exact,
                "f1": f1,
            }
        )
    error_report.write_errors(folder / "errors.html", rows)
    return ["errors.html"]


def shorten(prediction: dict[str, Any], n_best: int) -> dict[str, Any]:
    """Return the prediction with so many alternatives."""
    return {**prediction, "n_best": prediction["n_best"][:n_best]}


def show(example: Example, prediction: dict[str, Any], n_best: int) -> str:
    """Return a prediction to be read by a person."""
    answer = prediction["answer"] or "(no answer)"
    lines = [f"question: {example.question}"]
    lines.append(f"answer:   {answer}  ({prediction['score']:.0%})")
    if example.answers:
        lines.append("expected: " + " / ".join(each.text for each in example.answers))
    lines += [
        f"  {each['score']:4.0%}  {each['text']}  [{each['start']}:{each['end']}]"
        for each in prediction["n_best"][:n_best]
    ]
    return "\n".join(lines)
