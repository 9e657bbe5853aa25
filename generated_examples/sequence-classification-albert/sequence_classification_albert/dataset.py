"""Texts, or pairs of them, with labels from files, and the tf.data pipeline."""

import dataclasses
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import Tokenizer

from .batching import batch_dataset, evaluation_plan, training_plan
from .config import TrainConfig
from .errors import UserError
from .features import make_features
from .labels import NUMBER, Label, fit_label, names_in, read_label, settle_labels
from .records import EXAMPLE_LINE, bad_record, choose_columns, read_records
from .text_files import record_id
from .token_text import is_blank

if TYPE_CHECKING:
    import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Example:
    """A text, the second text of a pair or None, and the label or None.

    `label` is a name, a tuple of names, or a number, as it was written. `source` says
    where it was read; `problem`, why it cannot be learned from.
    """

    id: str
    text: str
    pair: str | None
    label: Label | None
    source: str
    problem: str = ""


def load_examples(
    path: str | Path, config: TrainConfig | None = None, *, labelled: bool = True
) -> list[Example]:
    """Read a JSONL, JSON, CSV or TSV file; records.py says what they look like.

    The settings name columns and, once they are settled, the labels that there are.
    Without `labelled`, labels may be missing or unknown, as for prediction. Raises
    UserError with file, line and field for what is not of the form. An empty text and
    a missing label of a table are no error: the example gets a `problem`.
    """
    config = config or TrainConfig()
    wanted = (config.text_column, config.pair_column, config.label_column)
    columns: dict[tuple[str, ...], tuple[str, str, str]] = {}
    examples, seen = [], {}
    for source, record in read_records(path):
        names = tuple(record)
        if names not in columns:
            columns[names] = choose_columns(names, source, wanted, labelled)
        example = parse_example(record, source, columns[names], config, labelled)
        if example.id in seen:
            raise UserError(
                f'{source}: id "{example.id}" is there twice',
                f"it was used at {seen[example.id]}; predictions are told apart by id",
                "give each example its own id, or none",
            )
        seen[example.id] = source
        examples.append(example)
    if not examples:
        remedy = f"a line is {EXAMPLE_LINE}"
        why = "the file is empty, or has nothing under its header"
        raise UserError(f"no examples in {path}", why, remedy)
    return examples


def parse_example(
    record: dict[str, Any],
    source: str,
    columns: tuple[str, str, str],
    config: TrainConfig,
    labelled: bool,
) -> Example:
    """Check one record."""
    texts = [read_field(record, name, source) for name in columns[:2] if name]
    value = record.get(columns[2])
    label = read_label(value, config.label_separator)
    problem = "the text is empty" if any(map(is_blank, texts)) else ""
    if columns[2] == "gold_label" and label == "-":
        label, problem = None, 'no gold label: the annotators disagreed ("-")'
    elif label == "":
        label, problem = None, "the label is empty"
    elif labelled and label is None:
        state = "missing" if value is None else "neither a text, a number nor a list"
        raise bad_record(source, f'"{columns[2]}" is {state}')
    elif labelled and label is not None:
        label = fit_label(label, source, config)
    pair = texts[1] if len(texts) > 1 else None
    name = record_id(record, source, bad_record)
    return Example(name, texts[0], pair, label, source, problem)


def read_field(record: dict[str, Any], name: str, source: str) -> str:
    """Return a text of a record; raise UserError where it is none."""
    text = record[name]
    if not isinstance(text, str):
        state = "missing" if text is None else "not a text"
        raise bad_record(source, f'"{name}" is {state}')
    return text


def describe(examples: Sequence[Example], limit: int = 10) -> str:
    """Return what is in the examples, and which cannot be learned from, and why."""
    problems = [each for each in examples if each.problem]
    pairs = sum(each.pair is not None for each in examples)
    count = f"{pairs} pairs" if pairs else f"{len(examples)} texts"
    if 0 < pairs < len(examples):
        count = f"{len(examples)} examples, {pairs} of them pairs"
    sizes = [len(each.text) + len(each.pair or "") for each in examples]
    size = f"{statistics.median(sizes):.0f} characters, at most {max(sizes)}"
    lines = [f"{count} (median {size}); {describe_labels(examples)}"]
    if problems:
        lines[0] += f"; {len(problems)} left out of training:"
        lines += [f"  {each.source}: {each.problem}" for each in problems[:limit]]
    if len(problems) > limit:
        lines.append(f"  … and {len(problems) - limit} more")
    return "\n".join(lines)


def describe_labels(examples: Sequence[Example], shown: int = 12) -> str:
    """Return how often the labels occur, or between which numbers they are."""
    labels = [each.label for each in examples if each.label is not None]
    counts = Counter(name for label in labels for name in names_in(label))
    names = [name for name, _ in counts.most_common()]
    if len(names) > shown and all(NUMBER.fullmatch(name) for name in names):
        numbers = [float(name) for name in counts.elements()]
        mean = statistics.mean(numbers)
        return f"labels from {min(numbers):g} to {max(numbers):g}, mean {mean:.2f}"
    text = f"{len(names)} labels"
    if names and len(names) <= shown:
        text += ": " + ", ".join(f"{name} {counts[name]}" for name in names)
    elif names:
        text += f", from {names[-1]} ({counts[names[-1]]}) to {names[0]} "
        text += f"({counts[names[0]]})"
    several = [len(label) for label in labels if isinstance(label, tuple)]
    if several:
        text += f"; {statistics.mean(several):.2f} an example"
    return text


def settle(config: TrainConfig, examples: Sequence[Example]) -> TrainConfig:
    """Return the settings with what the training data decide: kind, labels, weights.

    The learning rate, where none is given, is the one for the weights to begin with.
    """
    labelled = [
        (each.source, each.label)
        for each in examples
        if each.label is not None and not each.problem
    ]
    config = settle_labels(config, labelled)
    what = f"{len(config.labels)} labels" if config.labels else "labels are numbers"
    print(f"kind {config.kind}: {what}")
    if config.learning_rate is None:
        rate = 1e-4 if config.pretrained else 5e-4
        config = dataclasses.replace(config, learning_rate=rate)
    return config


def example_from_texts(texts: Sequence[str]) -> Example:
    """Return the example for one text, or a pair, from the command line."""
    if len(texts) > 2:
        raise UserError(
            "--text takes one text or a pair",
            f"{len(texts)} texts were given",
            'put each in quotes: python predict.py --text "When is the next bus?"',
        )
    pair = texts[1] if len(texts) == 2 else None
    return Example("text", texts[0], pair, None, "--text")


def example_texts(examples: Sequence[Example]) -> Iterator[str]:
    """Yield the texts that a vocabulary can be trained on."""
    yield from dict.fromkeys(example.text for example in examples)
    yield from dict.fromkeys(each.pair for each in examples if each.pair)


def make_targets(examples: Sequence[Example], config: TrainConfig) -> np.ndarray:
    """Return what the model shall say of examples with labels.

    single: the label's number, int32 (examples,). multi: 1 where a label applies,
    float32 (examples, labels). regression: the number, float32 (examples, 1).
    """
    if config.kind == "regression":
        return np.array([[float(str(each.label))] for each in examples], "float32")
    numbers = {name: number for number, name in enumerate(config.labels)}
    if config.kind == "single":
        return np.array([numbers[str(each.label)] for each in examples], "int32")
    targets = np.zeros((len(examples), len(numbers)), "float32")
    for row, example in zip(targets, examples, strict=True):
        row[[numbers[name] for name in names_in(example.label)]] = 1.0
    return targets


def make_dataset(
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    config: TrainConfig,
    training: bool,
) -> "tf.data.Dataset":
    """Return batches `(inputs, targets)`; what cannot be learned from is left out.

    Inputs are the encoder's three, targets `logits` those of `make_targets`. In
    training the dataset runs through all epochs, shuffled anew in each, and what was
    cut at `max_length` is told.
    """
    examples = [example for example in examples if not example.problem]
    features = make_features(examples, tokenizer, config)
    targets = make_targets(examples, config)
    if training:
        print(features.describe())
        plan = training_plan(
            features.lengths, config.batch_size, config.epochs, config.seed
        )
    else:
        plan = evaluation_plan(features.lengths, config.batch_size)
    return batch_dataset(
        lambda rows: (features.collate(rows), {"logits": targets[rows]}), plan
    )
