"""Sentences, pairs and triplets from files, what they decide, and their batches."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import Tokenizer

from . import settling
from .batching import batch_dataset, evaluation_plan, training_plan
from .config import TrainConfig
from .errors import UserError
from .examples import Example
from .features import make_features
from .pair_files import EXAMPLE_LINE, bad_record, read_records
from .text_files import record_id
from .token_text import is_blank

if TYPE_CHECKING:
    import tensorflow as tf


def load_examples(
    path: str | Path, config: TrainConfig | None = None, *, labelled: bool = True
) -> list[Example]:
    """Read a file of sentences or pairs; pair_files.py says which kinds there are.

    Without `labelled`, scores may be missing, as for prediction; of the settings none
    is needed. Raises UserError with file, line and field for what is not of the form.
    """
    path = Path(path)
    examples: list[Example] = []
    seen: dict[str, str] = {}
    for source, record in read_records(path):
        example = parse_example(record, source, labelled)
        if example.id in seen:
            raise UserError(
                f'{source}: id "{example.id}" is there twice',
                f"it was used at {seen[example.id]}; predictions are told apart by id",
                "give each line its own id, or none",
            )
        seen[example.id] = source
        examples.append(example)
    if not examples:
        raise UserError(
            f"no examples in {path}",
            "the file is empty, or has nothing of use",
            f"a line is {EXAMPLE_LINE}",
        )
    return examples


def parse_example(record: dict[str, Any], source: str, labelled: bool) -> Example:
    """Check one record."""
    texts = {}
    for field in ("sentence", "positive", "negative", "sentence_pair"):
        value = record.get(field)
        if value is None and field != "sentence":
            continue
        if not isinstance(value, str):
            state = "missing" if value is None else "not a text"
            raise bad_record(source, f'"{field}" is {state}')
        texts[field] = value
    score = record.get("score")
    if score is not None and not is_score(score):
        raise bad_record(source, f'"score" is {score!r}, not a number')
    why = ""
    if "positive" in texts and "sentence_pair" in texts:
        why = 'it has both "positive" and "sentence_pair"'
    elif "negative" in texts and "positive" not in texts:
        why = '"negative" stands without "positive"'
    elif score is not None and "sentence_pair" not in texts:
        why = '"score" stands without "sentence_pair"'
    elif labelled and "sentence_pair" in texts and score is None:
        why = '"sentence_pair" stands without "score"'
    if why:
        raise bad_record(source, why)
    return Example(
        record_id(record, source, bad_record),
        **texts,
        score=None if score is None else float(score),
        source=source,
        problem=find_problem(texts),
    )


def is_score(value: Any) -> bool:
    """Return whether a value is a finite number; true and false are none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) <= sys.float_info.max  # of NaN false


def find_problem(texts: dict[str, str]) -> str:
    """Return why nothing can be learned from these sentences, if so."""
    for field, text in texts.items():
        if is_blank(text):
            return f'"{field}" is empty'
    if "negative" in texts:
        for field in ("sentence", "positive"):
            if texts[field].strip() == texts["negative"].strip():
                return f'"negative" is the same as "{field}"'
    return ""


def describe(examples: Sequence[Example], limit: int = 10) -> str:
    """Return how many examples of each kind there are, and which are left out."""
    problems = [each for each in examples if each.problem]
    scores = [each.score for each in examples if each.score is not None]
    counts = {
        "triplets": sum(each.negative is not None for each in examples),
        "pairs": sum(each.other is not None for each in examples) - len(scores),
        "sentences": sum(each.other is None for each in examples),
    }
    counts["pairs"] -= counts["triplets"]
    parts = [f"{count} {kind}" for kind, count in counts.items() if count]
    if scores:
        parts.append(f"{len(scores)} scored pairs, {min(scores):g} to {max(scores):g}")
    lengths = np.array([len(text) for each in examples for text in each.texts])
    median, most = np.percentile(lengths, [50, 95]).astype(int)
    lines = [f"{', '.join(parts)}; characters: median {median}, 95% up to {most}"]
    if problems:
        lines[0] += f"; {len(problems)} left out of training:"
        lines += [f"  {each.source}: {each.problem}" for each in problems[:limit]]
    if len(problems) > limit:
        lines.append(f"  … and {len(problems) - limit} more")
    return "\n".join(lines)


def settle(config: TrainConfig, examples: Sequence[Example]) -> TrainConfig:
    """Return the settings with what data and checkpoint decide: see settling.py.

    Raises UserError where that cannot be decided, or does not fit the data.
    """
    files = [path for path in config.validation_files if Path(path).exists()]
    validation = [example for path in files for example in load_examples(path)]
    if files and not any(each.other is not None for each in validation):
        raise UserError(
            "the validation files cannot be scored",
            "they have neither scores nor positives",
            "give --validation-files some pairs",
        )
    return settling.settle(config, examples)


def example_from_texts(texts: Sequence[str]) -> Example:
    """Return the example for a sentence or two from the command line."""
    if len(texts) > 2:
        raise UserError(
            "--text takes a sentence, or two to be compared",
            f"{len(texts)} texts were given",
            'python predict.py --text "A dog runs." "A hound is running."',
        )
    pair = texts[1] if len(texts) == 2 else None
    return Example("text", texts[0], sentence_pair=pair, source="--text")


def example_texts(examples: Sequence[Example]) -> Iterator[str]:
    """Yield the texts that a vocabulary can be trained on."""
    yield from dict.fromkeys(text for example in examples for text in example.texts)


def make_dataset(
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    config: TrainConfig,
    training: bool,
) -> "tf.data.Dataset":
    """Return batches `(inputs, targets)`; what cannot be learned from is left out.

    A batch has `batch_size` examples, and a row for each of their sentences: inputs
    are the encoder's three, targets (rows, 3) say which rows belong together, as
    losses.py reads them. Without labels a row is each sentence twice: dropout makes
    the two different. In training the dataset runs through all epochs, shuffled anew
    in each.
    """
    features = make_features(examples, tokenizer, config)
    if training:
        batches = training_plan(
            features.lengths, config.batch_size, config.epochs, config.seed
        )
    else:
        batches = evaluation_plan(features.lengths, config.batch_size)
    return batch_dataset(features.collate, batches)
