"""Questions and passages from JSONL and SQuAD JSON files, and the tf.data pipeline."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from .batching import batch_dataset, evaluation_plan, training_plan
from .config import TrainConfig
from .errors import UserError
from .features import make_features

if TYPE_CHECKING:
    import tensorflow as tf

EXAMPLE_LINE = '{"question": "Who wrote it?", "context": "Ada did.", "answer": "Ada"}'


@dataclasses.dataclass(frozen=True)
class Answer:
    """An accepted answer; `start` counts characters, None where it cannot be placed."""

    text: str
    start: int | None


@dataclasses.dataclass(frozen=True)
class Example:
    """A question, its passage and the accepted answers: none if it has no answer.

    `source` says where it was read; `problem`, why it cannot be learned from.
    """

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...]
    source: str
    problem: str = ""


def load_examples(
    path: str | Path, config: TrainConfig | None = None, *, labelled: bool = True
) -> list[Example]:
    """Read a JSONL file or a SQuAD JSON file (v1.1, v2, CMRC 2018, DRCD, XQuAD).

    Without `labelled`, answers may be missing. Raises UserError with file, line and
    field for what is not of the form. An answer that does not stand where
    `answer_start` says is no error: the example keeps it for scoring and gets a
    `problem`. The settings have no influence.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"cannot read {path}", str(error), "give a JSONL or SQuAD file in UTF-8"
        ) from error
    records = squad_records(text, path)
    if records is None:
        records = jsonl_records(text, path)
    examples = [parse_example(record, source, labelled) for source, record in records]
    if not examples:
        remedy = f"a line is {EXAMPLE_LINE}"
        raise UserError(f"no questions in {path}", "the file is empty", remedy)
    seen: dict[str, str] = {}
    for example in examples:
        if example.id in seen:
            raise UserError(
                f'{example.source}: id "{example.id}" is there twice',
                f"it was used at {seen[example.id]}; predictions are told apart by id",
                "give each question its own id, or none",
            )
        seen[example.id] = example.source
    return examples


def jsonl_records(text: str, path: Path) -> Iterator[tuple[str, Any]]:
    """Yield place and content of each line that is not blank."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        source = f"{path}:{number}"
        try:
            yield source, json.loads(line)
        except ValueError as error:
            raise bad_record(source, f"the line is not JSON: {error}") from error


def squad_records(text: str, path: Path) -> Iterator[tuple[str, Any]] | None:
    """Return place and content of each question of a SQuAD file, None for others."""
    try:
        tree = json.loads(text)
    except ValueError:
        return None
    if not isinstance(tree, dict) or "data" not in tree:
        return None

    def walk() -> Iterator[tuple[str, Any]]:
        for a, article in enumerate(children(tree, "data", str(path))):
            place = f"{path}: data[{a}]"
            for p, paragraph in enumerate(children(article, "paragraphs", place)):
                inner = f"{place}.paragraphs[{p}]"
                for q, question in enumerate(children(paragraph, "qas", inner)):
                    source = f"{inner}.qas[{q}]"
                    if not isinstance(question, dict):
                        raise bad_record(source, "it is not an object")
                    yield source, {**question, "context": paragraph.get("context")}

    return walk()


def children(node: Any, field: str, place: str) -> list[Any]:
    """Return a list inside a SQuAD file; raise UserError where it is not there."""
    found = node.get(field) if isinstance(node, dict) else None
    if not isinstance(found, list):
        raise bad_record(place, f'"{field}" must be a list')
    return found


def parse_example(record: Any, source: str, labelled: bool) -> Example:
    """Check one record and place its answers in the passage."""
    if not isinstance(record, dict):
        raise bad_record(source, "it is not an object")
    for field in ("question", "context"):
        value = record.get(field)
        if not isinstance(value, str):
            state = "missing" if value is None else "not a text"
            raise bad_record(source, f'"{field}" is {state}')
    context = record["context"]
    answers = tuple(
        place_answer(answer, context, source) for answer in raw_answers(record, source)
    )
    if labelled and not answers and not is_impossible(record):
        raise bad_record(
            source, 'it has neither "answer", "answers" nor "is_impossible"'
        )
    problem = ""
    if not (record["question"].strip() and context.strip()):
        problem = "the question or the context is empty"  # CMRC 2018 has such ones
    elif answers and all(answer.start is None for answer in answers):
        problem = f'the answer "{answers[0].text[:60]}" does not stand in the context'
        if "answer_start" in str(record.get("answers", "")):
            problem += " where answer_start says"
    return Example(
        str(record.get("id", source)),
        record["question"],
        context,
        answers,
        source,
        problem,
    )


def is_impossible(record: dict[str, Any]) -> bool:
    """Return whether a record says that its passage holds no answer."""
    return bool(record.get("is_impossible")) or record.get("answers") == []


def raw_answers(record: dict[str, Any], source: str) -> list[dict[str, Any]]:
    """Return the answers of a record as objects with "text" and perhaps a start."""
    if is_impossible(record):
        return []
    answers = record.get("answers", record.get("answer"))
    if answers is None:
        return []
    answers = answers if isinstance(answers, list) else [answers]
    answers = [{"text": each} if isinstance(each, str) else each for each in answers]
    for answer in answers:
        if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
            raise bad_record(source, 'an answer must be a text or {"text": …}')
        if not isinstance(answer.get("answer_start", 0), int):
            raise bad_record(source, '"answer_start" must be a whole number')
        if not answer["text"].strip():
            raise bad_record(source, 'an answer is empty; say "is_impossible": true')
    return answers


def place_answer(answer: dict[str, Any], context: str, source: str) -> Answer:
    """Return an answer with its place: as told, else the first exact match."""
    text = answer["text"]
    start = answer.get("answer_start", context.find(text))
    stands_there = start >= 0 and context[start : start + len(text)] == text
    return Answer(text, start if stands_there else None)


def bad_record(source: str, why: str) -> UserError:
    """Return the error for a record that is not of the form."""
    return UserError(f"{source}: not a question", why, f"a line is {EXAMPLE_LINE}")


def describe(examples: Sequence[Example], limit: int = 10) -> str:
    """Return how many examples there are, and which cannot be learned from, and why."""
    problems = [each for each in examples if each.problem]
    impossible = sum(not each.answers for each in examples)
    lines = [f"{len(examples)} questions, {impossible} without an answer"]
    if problems:
        lines[0] += f"; {len(problems)} left out of training:"
        lines += [f"  {each.source}: {each.problem}" for each in problems[:limit]]
    if len(problems) > limit:
        lines.append(f"  … and {len(problems) - limit} more")
    return "\n".join(lines)


def settle(config: TrainConfig, examples: Sequence[Example]) -> TrainConfig:
    """Return the settings with what the training data decide: here nothing."""
    return config


def example_from_texts(texts: Sequence[str]) -> Example:
    """Return the example for a question and a passage from the command line."""
    if len(texts) != 2:
        raise UserError(
            "--text takes a question and a passage",
            f"{len(texts)} texts were given",
            'python predict.py --text "Who wrote it?" "Ada wrote it in 1843."',
        )
    return Example("text", texts[0], texts[1], (), "--text")


def example_texts(examples: Sequence[Example]) -> Iterator[str]:
    """Yield the texts that a vocabulary can be trained on."""
    yield from dict.fromkeys(example.context for example in examples)
    yield from (example.question for example in examples)


def make_dataset(
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    config: TrainConfig,
    training: bool,
) -> "tf.data.Dataset":
    """Return batches `(inputs, targets)`; what cannot be learned from is left out.

    Inputs are the encoder's three, targets `start` and `end` (batch,), token
    positions in the window. In training the dataset runs through all epochs,
    shuffled anew in each.
    """
    examples = [example for example in examples if not example.problem]
    features = make_features(examples, tokenizer, config)
    if training:
        batches = training_plan(
            features.lengths, config.batch_size, config.epochs, config.seed
        )
    else:
        batches = evaluation_plan(features.lengths, config.batch_size)
    return batch_dataset(features.collate, batches)
