"""From logits to tokens: blanks in a text filled, masked tokens scored."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tokenizers import Tokenizer

from . import metrics, surprises
from .batching import evaluation_plan
from .config import TrainConfig
from .dataset import documents, evaluation_rows
from .documents import BLANK, Example
from .features import Features, encode, make_features
from .masking import MaskedRows
from .packing import IGNORED
from .token_text import bare, cover_marks


def predict(
    model: keras.Model,
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    config: TrainConfig,
    *,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """Return one prediction for each example, in their order.

    What is predicted are the blanks of a text, "[MASK]", where it has any and is to be
    filled, else tokens masked as in training, always the same ones. A prediction is a
    dict: `id`; `text`, filled with the likeliest tokens; `masks`, of each its `start`
    and `end` in characters of the given text, `token`, `score` (its probability),
    `n_best`, a list of {token, score}, and where known `expected` and its `loss`;
    `orders`, of each row with two parts the `expected` label, and `score` for label 1.
    """
    texts = documents(examples)
    features = make_features(texts, tokenizer, config)
    rows = evaluation_rows(features, tokenizer, config)
    masks: list[list[dict[str, Any]]] = [[] for _ in texts]
    orders: list[list[dict[str, Any]]] = [[] for _ in texts]
    for numbers, (inputs, targets), outputs in run(model, rows, config, progress):
        for row, mask in best_tokens(outputs["mlm"], inputs, targets, config):
            mask["number"] = token_at(rows, numbers[row], mask.pop("position"))
            masks[document_of(features, mask["number"])].append(mask)
        pairs = zip(numbers, targets["order"], softmax(outputs["order"]), strict=True)
        for number, label, (_, score) in pairs:
            document = document_of(features, rows.packing.places[number, 0])
            if label != IGNORED:
                orders[document].append({"expected": int(label), "score": float(score)})
    found = {
        example.id: put_in_place(example, *places_and_first, masks[i], orders[i])
        for i, (example, *places_and_first) in enumerate(text_places(texts, tokenizer))
    }
    empty = {"masks": [], "orders": []}
    return name_tokens(
        [found.get(x.id, {"id": x.id, "text": x.text, **empty}) for x in examples],
        tokenizer,
    )


def run(
    model: keras.Model, rows: MaskedRows, config: TrainConfig, progress: bool
) -> Iterator[tuple[np.ndarray, tuple[dict, dict], dict]]:
    """Yield numbers of rows, batch, and the model's outputs, batch by batch."""
    plan = evaluation_plan(rows.packing.lengths, config.batch_size)
    bar = keras.utils.Progbar(len(plan), verbose=int(progress and sys.stdout.isatty()))
    for step, numbers in enumerate(plan, start=1):
        batch = rows.collate(numbers)
        yield numbers, batch, model.predict_on_batch(batch[0])
        bar.update(step)


def best_tokens(
    logits: np.ndarray, inputs: dict, targets: dict, config: TrainConfig
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield row and prediction, tokens as ids, of each masked position of a batch."""
    rows, columns = np.nonzero(inputs["masked_positions"])
    scores = log_softmax(logits[rows, columns])  # (masks, vocab)
    count = min(config.n_best, scores.shape[1])
    best = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    for index, (row, column) in enumerate(zip(rows, columns, strict=True)):
        order = best[index][np.argsort(-scores[index, best[index]], kind="stable")]
        pairs = zip(order.tolist(), np.exp(scores[index, order]).tolist(), strict=True)
        mask = {
            "position": inputs["masked_positions"][row, column],
            "n_best": [{"token": token, "score": score} for token, score in pairs],
        }
        expected = int(targets["mlm"][row, column])
        if expected != IGNORED:
            mask |= {"expected": expected, "loss": -float(scores[index, expected])}
        yield row, mask


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return log-probabilities along the last axis, in float64."""
    shifted = logits.astype("float64") - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities along the last axis, in float64."""
    return np.exp(log_softmax(logits))


def token_at(rows: MaskedRows, row: int, position: int) -> int:
    """Return which token of all stands at a position of a row."""
    positions, tokens = rows.positions(row)
    return int(tokens[np.searchsorted(positions, position)])


def document_of(features: Features, token: int) -> int:
    """Return the document that a token belongs to."""
    return int(np.searchsorted(features.token_splits, token, side="right")) - 1


def text_places(
    examples: Sequence[Example], tokenizer: Tokenizer
) -> Iterator[tuple[Example, np.ndarray, int]]:
    """Yield each example, where its tokens stand in its text, and its first's number.

    Places are first and last-plus-one character, (tokens, 2).
    """
    first = 0
    for example, sentences in encode(examples, tokenizer):
        arrays = [places for _, places in sentences]
        places = np.concatenate([np.zeros((0, 2), "int64"), *arrays])
        yield example, cover_marks(example.text, places), first
        first += len(places)


def put_in_place(
    example: Example,
    places: np.ndarray,
    first: int,
    masks: list[dict[str, Any]],
    orders: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return an example's prediction; its masks, sorted, get their places."""
    masks.sort(key=lambda mask: mask["number"])
    for mask in masks:
        start, end = places[mask.pop("number") - first].tolist()
        mask |= {"start": start, "end": end}
    return {"id": example.id, "text": example.text, "masks": masks, "orders": orders}


def name_tokens(
    predictions: list[dict[str, Any]], tokenizer: Tokenizer
) -> list[dict[str, Any]]:
    """Put tokens in the place of ids, and the likeliest ones into the texts."""
    names = {index: token for token, index in tokenizer.get_vocab().items()}
    for prediction in predictions:
        given, filled, end = prediction["text"], "", 0
        for mask in prediction["masks"]:
            for each in mask["n_best"]:
                each["token"] = names[each["token"]]
            if "expected" in mask:
                mask["expected"] = names[mask["expected"]]
            mask |= mask["n_best"][0]
            # A token may be masked in more rows than one: the first counts.
            if mask["start"] >= end:
                filled += given[end : mask["start"]] + bare(mask["token"])
                end = mask["end"]
        prediction["text"] = filled + given[end:]
    return predictions


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
    """Return the scores of metrics.py over all masks, and `total` in documents."""
    masks = [m for each in predictions for m in each["masks"] if "expected" in m]
    orders = [order for each in predictions for order in each["orders"]]
    return {
        **metrics.mlm_scores(
            [mask["loss"] for mask in masks],
            [mask["token"] == mask["expected"] for mask in masks],
        ),
        **metrics.order_scores(
            [order["expected"] for order in orders],
            [int(order["score"] > 0.5) for order in orders],
        ),
        "total": len(predictions),
    }


def write_report(
    folder: Path,
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    config: TrainConfig,
) -> list[str]:
    """Write errors.html, the tokens that surprised most; return the files' names."""
    rows = [
        {"id": example.id, "context": example.text, **mask}
        for example, prediction in zip(examples, predictions, strict=True)
        for mask in prediction["masks"]
        if "expected" in mask
    ]
    surprises.write_page(folder / "errors.html", rows)
    return ["errors.html"]


def shorten(prediction: dict[str, Any], n_best: int) -> dict[str, Any]:
    """Return the prediction with so many alternatives for each mask."""
    masks = [{**m, "n_best": m["n_best"][:n_best]} for m in prediction["masks"]]
    return {**prediction, "masks": masks}


def show(example: Example, prediction: dict[str, Any], n_best: int) -> str:
    """Return a prediction to be read by a person."""
    lines = [f"text:   {example.text}", f"filled: {prediction['text']}"]
    for mask in prediction["masks"]:
        given = example.text[mask["start"] : mask["end"]]
        best = ", ".join(
            f"{each['token']} {each['score']:.0%}" for each in mask["n_best"][:n_best]
        )
        lines.append(f"  {given if given != BLANK else 'blank'}: {best}")
    return "\n".join(lines)
