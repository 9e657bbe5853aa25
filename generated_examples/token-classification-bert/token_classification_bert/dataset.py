"""Sentences with a label for each word: files to examples, and the tf.data pipeline."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import Tokenizer

from . import schemes
from .batching import batch_dataset, evaluation_plan, training_plan
from .config import TrainConfig
from .errors import UserError
from .features import make_features
from .labels import settle_labels
from .sentence_files import EXAMPLE_LINE, Sentence, bad_line, read_sentences
from .text_files import record_id
from .words import Place, join_words, split_words, tag_entities

if TYPE_CHECKING:
    import tensorflow as tf


RARE = 20  # a word that comes less often is spelled in a new vocabulary


@dataclasses.dataclass(frozen=True)
class Example:
    """A text, the places of its words in it, and their labels as the file has them.

    `labels` is None where none were given. `source` says where it was read; `problem`,
    why it cannot be learned from.
    """

    id: str
    text: str
    words: tuple[Place, ...]
    labels: tuple[str, ...] | None
    source: str
    problem: str = ""

    @property
    def tokens(self) -> list[str]:
        """Return the words themselves."""
        return [self.text[start:stop] for start, stop in self.words]


def load_examples(
    path: str | Path, config: TrainConfig | None = None, *, labelled: bool = True
) -> list[Example]:
    """Read a file of JSONL, CoNLL columns or CoNLL-U, or a seq.in beside a seq.out.

    Without `labelled`, labels may be missing, as for prediction. Raises UserError with
    file, line and field for what is not of the form. Entities that cannot be written
    as labels are no error: the example gets a `problem`. The settings have no
    influence.
    """
    sentences = read_sentences(path, labelled)
    examples = [parse_example(sentence, labelled) for sentence in sentences]
    if not examples:
        raise UserError(
            f"no sentences in {path}", "the file is empty", f"a line is {EXAMPLE_LINE}"
        )
    seen: dict[str, str] = {}
    for example in examples:
        if example.id in seen:
            raise UserError(
                f'{example.source}: id "{example.id}" is there twice',
                f"it was used at {seen[example.id]}; predictions are told apart by id",
                "give each sentence its own id, or none",
            )
        seen[example.id] = example.source
    if schemes.has_scheme(label for each in examples for label in each.labels or ()):
        examples = [check_tags(example) for example in examples]
    return examples


def parse_example(sentence: Sentence, labelled: bool) -> Example:
    """Check a sentence's fields and find its words."""
    source, values, problem = sentence
    labels: list[str] | None = None
    if "tokens" in values:
        tokens = texts_of(values, "tokens", source)
        text, words = join_words(tokens)
        field = "labels" if "labels" in values or "tags" not in values else "tags"
        if labelled or values.get(field) is not None:
            labels = texts_of(values, field, source)
            if len(labels) != len(tokens):
                why = f"it has {len(tokens)} words, but {len(labels)} labels"
                raise bad_line(source, why, "give each word one label")
            labels = [label.strip() for label in labels]
            if "" in labels:
                raise bad_line(source, f'"{field}" holds an empty label')
    elif isinstance(values.get("text"), str):
        text = values["text"]
        words = split_words(text)
        if labelled or values.get("entities") is not None:
            entities = entities_of(values, source)
            labels, problem = tag_entities(text, words, entities)
    else:
        state = "not a text" if "text" in values else "missing, and so are the tokens"
        raise bad_line(source, f'"text" is {state}')
    if not words:
        problem = problem or "there is no word in it"
    return Example(
        record_id(values, source, bad_line),
        text,
        tuple(words),
        None if labels is None else tuple(labels),
        source,
        problem,
    )


def texts_of(values: dict[str, Any], field: str, source: str) -> list[str]:
    """Return a list of texts; raise UserError where the field is none."""
    found = values.get(field)
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        state = "missing" if found is None else "not a list of texts"
        raise bad_line(source, f'"{field}" is {state}')
    return found


def entities_of(values: dict[str, Any], source: str) -> list[dict[str, Any]]:
    """Return the entities of a text; raise UserError for what is not of the form."""
    remedy = '{"text": "Ada left", "entities": [{"start": 0, "end": 3, "label": "x"}]}'
    found = values.get("entities")
    if not isinstance(found, list):
        state = "missing" if found is None else "not a list"
        raise bad_line(source, f'"entities" is {state}', f"a line is {remedy}")
    entities = []
    for each in found:
        fields = each if isinstance(each, dict) else {}
        start, stop, label = (fields.get(name) for name in ("start", "end", "label"))
        whole = type(start) is int and type(stop) is int
        if not whole or not isinstance(label, str) or not label.strip():
            why = 'an entity has "start" and "end", whole numbers, and a "label"'
            raise bad_line(source, why, f"a line is {remedy}")
        words = {"text": fields["text"]} if "text" in fields else {}
        entities.append({"start": start, "stop": stop, "label": label.strip(), **words})
    return entities


def check_tags(example: Example) -> Example:
    """Return an example of a file of tags, with a problem where a label is none."""
    for word, label in zip(example.tokens, example.labels or (), strict=False):
        if not schemes.is_tag(label) and not example.problem:
            why = f'the label "{label}" of "{word[:60]}" is no tag such as "B-x" or "O"'
            return dataclasses.replace(example, problem=why)
    return example


def describe(examples: Sequence[Example], limit: int = 10) -> str:
    """Return what is in the examples, and which cannot be learned from, and why."""
    lengths = [len(example.words) for example in examples]
    lines = [
        f"{len(examples)} sentences, {sum(lengths)} words "
        f"(median {int(np.median(lengths))}, most {max(lengths)})"
    ]
    tags = [list(each.labels) for each in examples if each.labels and not each.problem]
    scheme = schemes.detect(tags)
    if scheme != "none":
        found = [(row, span) for row in tags for span in schemes.spans(row)]
        counts = Counter(span.label for _, span in found)
        lines[0] += f"; {len(found)} entities in {scheme.upper()}: {shown(counts)}"
        broken = sum(row[span.start][0] in "IME" for row, span in found)
        if broken and scheme != "iob1":
            lines.append(f"  {broken} entities begin without B; they are read as such")
    elif tags:
        counts = Counter(label for row in tags for label in row)
        lines[0] += f"; labels: {shown(counts)}"
    problems = [each for each in examples if each.problem]
    if problems:
        lines.append(f"  {len(problems)} left out of training:")
        lines += [f"  {each.source}: {each.problem}" for each in problems[:limit]]
    if len(problems) > limit:
        lines.append(f"  … and {len(problems) - limit} more")
    return "\n".join(lines)


def shown(counts: Counter[str], limit: int = 20) -> str:
    """Return counts, the most frequent first."""
    parts = [f"{label} {count}" for label, count in counts.most_common(limit)]
    return ", ".join(parts) + (", …" if len(counts) > limit else "")


def settle(config: TrainConfig, examples: Sequence[Example]) -> TrainConfig:
    """Return the settings with scheme and labels of the files, and a learning rate."""
    if config.learning_rate is None:
        rate = 1e-4 if config.pretrained else 1e-3
        config = dataclasses.replace(config, learning_rate=rate)
    labelled = [
        (example.source, example.labels)
        for example in examples
        if example.labels is not None and not example.problem
    ]
    return settle_labels(config, labelled)


def example_from_texts(texts: Sequence[str]) -> Example:
    """Return the example for a text from the command line."""
    if len(texts) != 1:
        raise UserError(
            "--text takes one text",
            f"{len(texts)} were given",
            'python predict.py --text "Ada moved to London."',
        )
    return Example("text", texts[0], tuple(split_words(texts[0])), None, "--text")


def example_texts(examples: Sequence[Example]) -> Iterator[str]:
    """Yield the texts that a vocabulary can be trained on.

    Of rare words, most of them names, it gets the letters alone. So a model without
    pretrained weights learns from names that look to it as new ones will.
    """
    counts = Counter(word for example in examples for word in example.tokens)
    for example in examples:
        words = example.tokens
        yield " ".join(w if counts[w] >= RARE else " ".join(w) for w in words)


def make_dataset(
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    config: TrainConfig,
    training: bool,
) -> "tf.data.Dataset":
    """Return batches `(inputs, targets)`; what cannot be learned from is left out.

    Inputs are the encoder's three and `word_positions` (batch, words), where the first
    piece of each word stands; the target `logits` (batch, words) are numbers of labels.
    Padding is 0 in the one and -1 in the other. In training the dataset runs through
    all epochs, shuffled anew in each.
    """
    examples = [each for each in examples if each.labels and not each.problem]
    features = make_features(examples, tokenizer, config)
    if training:
        batches = training_plan(
            features.lengths, config.batch_size, config.epochs, config.seed
        )
    else:
        batches = evaluation_plan(features.lengths, config.batch_size)
    return batch_dataset(features.collate, batches)
