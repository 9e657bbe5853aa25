"""Texts with aspects from files, what is in them, and the tf.data pipeline."""

import dataclasses
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Tokenizer

from .aspect_files import EXAMPLE_LINE, read_records
from .aspects import Example, parse_example
from .batching import batch_dataset, evaluation_plan, training_plan
from .config import TrainConfig
from .errors import UserError
from .features import make_features
from .questions import (
    CHINESE_QUESTIONS,
    opinion_question,
    questions_with_answers,
)

if TYPE_CHECKING:
    import tensorflow as tf

KINDS = ("triplets", "pairs")


def load_examples(
    path: str | Path, config: TrainConfig | None = None, *, labelled: bool = True
) -> list[Example]:
    """Read a JSONL file, SemEval's or MAMS' XML, or lines of triplets.

    Without `labelled`, aspects may be missing, as for prediction. Raises UserError
    with file, line and field for what is not of the form. A span that does not stand
    where the file says is no error: the example gets a `problem`. The settings have no
    influence.
    """
    examples: list[Example] = []
    seen: dict[str, str] = {}
    for source, record, problem in read_records(path):
        example = parse_example(record, source, problem, labelled)
        if example.id in seen:
            raise UserError(
                f'{source}: id "{example.id}" is there twice',
                f"it was used at {seen[example.id]}; predictions are told apart by id",
                "give each text its own id, or none",
            )
        seen[example.id] = source
        examples.append(example)
    if not examples:
        remedy = f"a line is {EXAMPLE_LINE}"
        raise UserError(f"no texts in {path}", "the file is empty", remedy)
    return examples


def describe(examples: Sequence[Example], limit: int = 10) -> str:
    """Return what is in the examples, and which cannot be learned from, and why."""
    problems = [each for each in examples if each.problem]
    sizes = [len(each.text) for each in examples]
    size = f"{statistics.median(sizes):.0f} characters, at most {max(sizes)}"
    lines = [f"{len(examples)} texts (median {size})", describe_aspects(examples)]
    if problems:
        lines.append(f"{len(problems)} texts left out of training and scores:")
        lines += [f"  {each.source}: {each.problem}" for each in problems[:limit]]
    if len(problems) > limit:
        lines.append(f"  … and {len(problems) - limit} more")
    return "\n".join(lines)


def describe_aspects(examples: Sequence[Example]) -> str:
    """Return how many aspects and opinions there are, and what is unusual in them."""
    aspects = [aspect for each in examples for aspect in each.aspects]
    known = [aspect for aspect in aspects if aspect.opinions is not None]
    implicit = sum(aspect.place is None for aspect in aspects)
    line = f"{len(aspects)} aspects, {implicit} of them implicit"
    if known:
        count = sum(len(aspect.opinions or ()) for aspect in known)
        line += f"; {count} opinions on {len(known)} of them"
    counts = Counter(name for aspect in aspects for name in aspect.polarities)
    names = ", ".join(f"{name} {count}" for name, count in counts.most_common())
    line += f"; polarities: {names or 'none'}"
    mixed = sum(len(aspect.polarities) > 1 for aspect in aspects)
    line += f"; more than one: {mixed}" if mixed else ""
    empty = sum(not (each.aspects or each.problem) for each in examples)
    return line + (f"; texts without an aspect: {empty}" if empty else "")


def settle(config: TrainConfig, examples: Sequence[Example]) -> TrainConfig:
    """Return the settings with kind and polarities of the files, and a learning rate.

    Raises UserError for settings that cannot be followed.
    """
    if config.learning_rate is None:
        rate = 2e-4 if config.pretrained else 1e-3
        config = dataclasses.replace(config, learning_rate=rate)
    if "{aspect}" not in config.opinion_question:
        raise UserError(
            f'--opinion-question "{config.opinion_question}" asks for no aspect',
            "the aspect's text is put in the place of {aspect}",
            'for example --opinion-question "What is said of {aspect}?"',
        )
    if config.kind not in (*KINDS, "auto"):
        why = f"known are {', '.join(KINDS)} and auto"
        raise UserError(f'unknown kind "{config.kind}"', why, "leave --kind out")
    aspects = [x for each in examples if not each.problem for x in each.aspects]
    if config.kind == "auto":
        kind = KINDS[0] if any(x.opinions for x in aspects) else KINDS[1]
        config = dataclasses.replace(config, kind=kind)
    counts = Counter(name for aspect in aspects for name in aspect.polarities)
    if not config.polarities:
        config = dataclasses.replace(config, polarities=tuple(sorted(counts)))
    if not any(counts[name] for name in config.polarities):
        raise UserError(
            "there is nothing to learn from",
            "no aspect of the training files has one of the polarities "
            f"{', '.join(config.polarities)}".rstrip(),
            f"a line is {EXAMPLE_LINE}",
        )
    print(f"kind {config.kind}: polarities {', '.join(config.polarities)}")
    left = ", ".join(
        f"{k} {v}" for k, v in counts.items() if k not in config.polarities
    )
    if left:
        print(f"not learned, as --polarities does not name them: {left}")
    return config


def example_from_texts(texts: Sequence[str]) -> Example:
    """Return the example for a text from the command line."""
    if len(texts) != 1:
        raise UserError(
            "--text takes one text",
            f"{len(texts)} texts were given",
            'put it in quotes: python predict.py --text "The soup was cold."',
        )
    return Example("text", texts[0], (), "--text")


def example_texts(examples: Sequence[Example]) -> Iterator[str]:
    """Yield the texts that a vocabulary can be trained on, questions among them."""
    config = TrainConfig()
    texts = dict.fromkeys(example.text for example in examples)
    yield from texts
    for example in examples:
        yield config.aspect_question
        yield from (
            opinion_question(x.place, example.text, config) for x in example.aspects
        )
    if any("\u4e00" <= letter <= "\u9fff" for text in texts for letter in text):
        yield from CHINESE_QUESTIONS


def make_dataset(
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    config: TrainConfig,
    training: bool,
) -> "tf.data.Dataset":
    """Return batches `(inputs, targets)`; what cannot be learned from is left out.

    Inputs are the encoder's three. The target `logits` is (batch, length, 3): whether
    a span starts there, whether one ends there, which polarity is meant; -1 where the
    data say nothing. A row is one of the questions of both steps, with its text. In
    training the dataset runs through all epochs, shuffled anew in each.
    """
    examples = [example for example in examples if not example.problem]
    questions = questions_with_answers(examples, config)
    features = make_features(questions, tokenizer, config)
    if training:
        print(features.describe())
        plan = training_plan(
            features.lengths, config.batch_size, config.epochs, config.seed
        )
    else:
        plan = evaluation_plan(features.lengths, config.batch_size)
    return batch_dataset(features.collate, plan)
