"""Both steps: the aspects first, then what is said of each; and the scores of that."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from tokenizers import Tokenizer

from . import aspect_page, metrics
from .answers import choose, find_aspects, in_words, judge
from .aspects import Example, Place
from .batching import evaluation_plan
from .config import TrainConfig
from .features import make_features
from .questions import Question, ask_for_aspects, opinion_question
from .span_search import Scores, join_windows

THRESHOLDS = ("aspect_threshold", "opinion_threshold")


def predict(
    model: keras.Model,
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    config: TrainConfig,
    *,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """Return one prediction for each example, in their order.

    A prediction is a dict: `id`; `aspects`, each with `text`, `start` and `end` (None
    for an implicit one), `polarity`, `polarity_score`, `score` and `opinions`, which
    have the same fields; `triplets`, the same in a row for each opinion; and of a text
    that has aspects, `given_aspects`: what step 2 says of those. Scores are
    probabilities. Where a threshold is None, all that `tune` may keep is there.
    """
    asked = [ask_for_aspects(example, config) for example in examples]
    first = ask(model, asked, tokenizer, config, progress=progress)
    found = [find_aspects(scores, config) for scores in first]
    asked_of = ask_of_aspects(examples, found, config)
    asked = [*asked_of.values()]
    second = ask(model, asked, tokenizer, config, progress=progress, cached=False)
    said = dict(zip(asked_of, second, strict=True))
    predictions = []
    for index, example in enumerate(examples):
        aspects = [
            judge(example.text, place, said[index, place], config) | {"score": score}
            for place, score in found[index].items()
        ]
        prediction = {"id": example.id, "aspects": aspects, "triplets": []}
        if example.aspects:
            prediction["given_aspects"] = [
                judge(example.text, aspect.place, said[index, aspect.place], config)
                for aspect in example.aspects
            ]
        predictions.append(choose(prediction, config))
    return predictions


def ask_of_aspects(
    examples: Sequence[Example],
    found: Sequence[dict[Place, float]],
    config: TrainConfig,
) -> dict[tuple[int, Place], Question]:
    """Return step 2 for each text's aspects, those found and those given, once each."""
    asked = {}
    for index, example in enumerate(examples):
        for place in [*found[index], *(aspect.place for aspect in example.aspects)]:
            words = opinion_question(place, example.text, config)
            asked[index, place] = Question(example.text, words, place)
    return asked


def ask(
    model: keras.Model,
    questions: Sequence[Question],
    tokenizer: Tokenizer,
    config: TrainConfig,
    *,
    progress: bool,
    cached: bool = True,
) -> list[Scores]:
    """Return what the model says to each question."""
    if not questions:
        return []
    features = make_features(questions, tokenizer, config, cached=cached)
    plan = evaluation_plan(features.lengths, config.batch_size)
    logits = {}
    bar = keras.utils.Progbar(len(plan), verbose=int(progress and sys.stdout.isatty()))
    for step, rows in enumerate(plan, start=1):
        outputs = model.predict_on_batch(features.collate(rows)[0])["logits"]
        logits.update(zip(rows.tolist(), outputs, strict=True))
        bar.update(step)
    rows_of: list[list[int]] = [[] for _ in questions]
    for row, index in enumerate(features.question):
        rows_of[index].append(row)
    return [
        join_windows(features, index, rows_of[index], logits, question.about)
        for index, question in enumerate(questions)
    ]


def tune(
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    config: TrainConfig,
) -> tuple[TrainConfig, list[dict[str, Any]]]:
    """Return the settings with the thresholds of best score, and what reaches them.

    What was set by hand does not change.
    """
    free = [name for name in THRESHOLDS if getattr(config, name) is None]
    if not free:
        return config, list(predictions)
    examples, known = without_problems(examples, predictions)
    kind = scored_kind(examples, config)
    wanted, scores, right = 0, [], []
    for example, prediction in zip(examples, known, strict=True):
        gold = metrics.gold_items(example)[kind]
        wanted += len(gold)
        for aspect in prediction["aspects"]:
            for opinion in aspect["opinions"] if kind == "triplet" else [None]:
                alone = {**aspect, "opinions": [opinion] if opinion else []}
                (item,) = metrics.found_items([alone])[kind]
                both = (aspect["score"], opinion["score"] if opinion else 1.0)
                # One that is set has been reached by all that is here.
                scores.append(
                    tuple(
                        score if name in free else 1.0
                        for name, score in zip(THRESHOLDS, both, strict=True)
                    )
                )
                right.append(item in gold)
    best = metrics.best_thresholds(scores, right, wanted)
    pairs = zip(THRESHOLDS, best, strict=True)
    config = dataclasses.replace(config, **{k: v for k, v in pairs if k in free})
    return config, [choose(each, config) for each in predictions]


def without_problems(
    examples: Sequence[Example], predictions: Sequence[dict[str, Any]]
) -> tuple[list[Example], list[dict[str, Any]]]:
    """Return the examples whose spans all have a place, and their predictions."""
    pairs = zip(examples, predictions, strict=True)
    kept = [(example, given) for example, given in pairs if not example.problem]
    return [example for example, _ in kept], [given for _, given in kept]


def scored_kind(examples: Sequence[Example], config: TrainConfig) -> str:
    """Return what the score counts: triplets, or pairs where opinions are not known."""
    opinions = [x.opinions for example in examples for x in example.aspects]
    known = any(opinions) and all(each is not None for each in opinions)
    return "triplet" if known and config.kind != "pairs" else "pair"


def evaluate(
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    config: TrainConfig,
) -> dict[str, Any]:
    """Return the figures of metrics.py in percent; `score` is the one in `monitor`.

    `aspect` is step 1 alone, `polarity_accuracy` and `opinion_of_given_aspects` step 2
    alone; pairs, opinions and triplets count what both steps together give. Texts with
    a problem are not scored, but counted in `left_out`.
    """
    kept, answers = without_problems(examples, predictions)
    gold = [metrics.gold_items(example) for example in kept]
    found = [metrics.found_items(answer["aspects"]) for answer in answers]
    given = [answer.get("given_aspects", []) for answer in answers]
    kind = scored_kind(kept, config)
    scores: dict[str, Any] = {}
    for name in ("aspect", "pair"):
        scores |= metrics.exact_scores(gold, found, name)
    scores["polarity_accuracy"] = metrics.polarity_accuracy(kept, given)
    if kind == "triplet":
        of_given = [metrics.found_items(aspects) for aspects in given]
        name = "opinion_of_given_aspects"
        scores |= metrics.exact_scores(gold, of_given, "opinion", name)
        for name in ("opinion", "triplet"):
            scores |= metrics.exact_scores(gold, found, name)
    head = {metrics.MONITOR: scores[f"{kind}_f1"], "monitor": f"{kind}_f1"}
    tail = {"total": len(examples)}
    if len(kept) < len(examples):
        tail["left_out"] = len(examples) - len(kept)
    return head | scores | tail


def write_report(
    folder: Path,
    examples: Sequence[Example],
    predictions: Sequence[dict[str, Any]],
    config: TrainConfig,
) -> list[str]:
    """Write errors.html, the texts with errors and their marks; return the names."""
    kept, answers = without_problems(examples, predictions)
    kind = scored_kind(kept, config)
    aspect_page.write_errors(folder / "errors.html", kept, answers, kind)
    return ["errors.html"]


def shorten(prediction: dict[str, Any], n_best: int) -> dict[str, Any]:
    """Return the prediction without what it says of given aspects."""
    return {k: v for k, v in prediction.items() if k != "given_aspects"}


def show(example: Example, prediction: dict[str, Any], n_best: int) -> str:
    """Return a prediction to be read by a person."""
    lines = [f"text:     {example.text}"]
    for aspect in prediction["aspects"]:
        score = f"  ({aspect['score']:.0%})"
        lines.append(f"found:    {in_words(aspect, [aspect['polarity']])}{score}")
    if not prediction["aspects"]:
        lines.append("found:    nothing")
    lines += [
        f"expected: {in_words(dataclasses.asdict(aspect), aspect.polarities)}"
        for aspect in example.aspects
    ]
    return "\n".join(lines)
