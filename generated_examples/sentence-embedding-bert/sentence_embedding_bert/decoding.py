"""From vectors to similarities, ranks and figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tokenizers import Tokenizer

from . import error_report, metrics
from .config import TrainConfig
from .embed import embed_texts
from .errors import UserError
from .examples import Example

# A positive is looked for among those of so many examples, so that the time does not
# grow with the square of the file, nor the figure depend on its length.
GROUP = 1000
SAME = 0.8  # part of the score range from which on two sentences mean the same


def predict(
    model: keras.Model,
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    config: TrainConfig,
    *,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """Return one prediction for each example, in their order.

    A prediction is a dict with `id`. A sentence alone has its `embedding`, a list.
    With another sentence there is `similarity`, the cosine; with a positive also
    `rank`, its place among the positives and negatives of a group of examples,
    `nearest`, the first of them where that is a wrong one, and perhaps
    `negative_similarity`. `crowding` tells how close the sentences of the group are
    to this one, see metrics.uniformity.
    """
    texts = dict.fromkeys(text for example in examples for text in example.texts)
    places = {text: place for place, text in enumerate(texts)}
    vectors = embed_texts(model, list(texts), tokenizer, config, progress=progress)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    predictions = []
    groups = np.array_split(np.arange(len(examples)), -(-len(examples) // GROUP) or 1)
    for group in groups:
        members = [examples[i] for i in group]
        crowding = find_crowding(members, places, unit)
        ranks = find_ranks(members, places, unit)
        for example, crowd, rank in zip(members, crowding, ranks, strict=True):
            own = unit[places[example.sentence]]
            prediction: dict[str, Any] = {"id": example.id}
            if example.other is None:
                embedding = vectors[places[example.sentence]].tolist()
                predictions.append({**prediction, "embedding": embedding})
                continue
            prediction["similarity"] = float(own @ unit[places[example.other]])
            if example.negative is not None:
                other = unit[places[example.negative]]
                prediction["negative_similarity"] = float(own @ other)
            predictions.append({**prediction, **rank, "crowding": crowd})
    return predictions


def find_crowding(
    examples: Sequence[Example], places: dict[str, int], unit: np.ndarray
) -> list[float]:
    """Return for each example the mean potential between its and other sentences."""
    own = np.array([places[example.sentence] for example in examples], int)
    distinct = np.unique(own)
    # On unit vectors the squared distance is 2 - 2 cosine.
    potential = np.exp(4.0 * (unit[own] @ unit[distinct].T - 1.0))
    potential[own[:, None] == distinct[None, :]] = 0.0
    return (potential.sum(axis=1) / max(1, len(distinct) - 1)).tolist()


def find_ranks(
    examples: Sequence[Example], places: dict[str, int], unit: np.ndarray
) -> list[dict[str, Any]]:
    """Return `rank` and perhaps `nearest` for each example with a positive.

    A sentence is no candidate for itself, unless it is its own positive.
    """
    candidates = list(
        dict.fromkeys(
            text
            for example in examples
            for text in (example.positive, example.negative)
            if text is not None
        )
    )
    if not candidates:
        return [{} for _ in examples]
    index = np.array([places[text] for text in candidates])
    own = np.array([places[example.sentence] for example in examples])
    similarities = unit[own] @ unit[index].T  # (examples, candidates)
    found: list[dict[str, Any]] = []
    for example, sentence, row in zip(examples, own, similarities, strict=True):
        if example.positive is None:
            found.append({})
            continue
        right = places[example.positive]
        row[(index == sentence) & (index != right)] = -2.0
        rank = 1 + int(np.sum(row > row[index == right]))
        best = {} if rank == 1 else {"nearest": candidates[int(np.argmax(row))]}
        found.append({"rank": rank, **best})
    return found


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
    """Return the figures in percent, `score` being the one that counts.

    With scored pairs it is Spearman's correlation, else the share of positives that
    rank first. Raises UserError where the examples have neither.
    """
    both = list(zip(examples, predictions, strict=True))
    scored = [(e.score, p["similarity"]) for e, p in both if e.score is not None]
    paired = [(e, p) for e, p in both if e.positive is not None]
    figures: dict[str, Any] = {}
    if len(scored) > 1:
        figures = score_figures(*zip(*scored, strict=True))
    if paired:
        figures |= rank_figures(paired)
    if not figures:
        raise UserError(
            "these examples cannot be scored",
            "they have neither two scores nor a positive",
            "give pairs, of STS say",
        )
    main = "spearman" if "spearman" in figures else "accuracy"
    figures = {"score": figures[main], "score_is": main, **figures}
    crowding = [p["crowding"] for _, p in both if "crowding" in p]
    if any(crowding):
        figures["uniformity"] = metrics.uniformity(crowding)
    return {**figures, "total": len(examples)}


def score_figures(
    scores: Sequence[float], similarities: Sequence[float]
) -> dict[str, Any]:
    """Return the correlations; a constant, which orders nothing, counts as 0."""
    figures: dict[str, Any] = {}
    for name in ("spearman", "pearson"):
        value = getattr(metrics, name)(scores, similarities)
        figures[name] = 100.0 * (0.0 if np.isnan(value) else value)
    low, high = min(scores), max(scores)
    least = low + SAME * (high - low)
    same = [x for score, x in zip(scores, similarities, strict=True) if score >= least]
    figures["alignment"] = metrics.alignment(same)
    return figures


def rank_figures(paired: Sequence[tuple[Example, dict[str, Any]]]) -> dict[str, Any]:
    """Return how well positives are found among the others."""
    accuracy, mrr = metrics.accuracy_and_mrr([p["rank"] for _, p in paired])
    figures = {"accuracy": 100.0 * accuracy, "mrr": 100.0 * mrr}
    triplets = [p for _, p in paired if "negative_similarity" in p]
    if triplets:
        right = [p["similarity"] > p["negative_similarity"] for p in triplets]
        figures["triplet_accuracy"] = 100.0 * sum(right) / len(right)
    figures["alignment"] = metrics.alignment([p["similarity"] for _, p in paired])
    return figures


def write_report(
    folder: Path,
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    config: TrainConfig,
) -> list[str]:
    """Write errors.html, a page of the worst pairs; return the files' names."""
    error_report.write_errors(folder / "errors.html", examples, predictions)
    return ["errors.html"]


def shorten(prediction: dict[str, Any], n_best: int) -> dict[str, Any]:
    """Return the prediction as it is: it has no alternatives."""
    return prediction


def show(example: Example, prediction: dict[str, Any], n_best: int) -> str:
    """Return a prediction to be read by a person."""
    lines = [f"sentence:   {example.sentence}"]
    if example.other is None:
        numbers = ", ".join(f"{x:.3f}" for x in prediction["embedding"][:4])
        return f"{lines[0]}\nembedding:  {numbers}, … ({len(prediction['embedding'])})"
    lines.append(f"other:      {example.other}")
    lines.append(f"similarity: {prediction['similarity']:.3f}")
    if example.score is not None:
        lines.append(f"score:      {example.score:g}")
    if "nearest" in prediction:
        lines.append(f"nearer:     {prediction['nearest']}")
    return "\n".join(lines)
