"""Questions and passages from JSONL and SQuAD JSON files, and the tf.data pipeline."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from .batching import batch_dataset, evaluation_plan, training_plan
from .config import TrainConfig
from .errors import UserError
from .features import Features, make_features
from .question_files import EXAMPLE_LINE, bad_record, read_records
from .text_files import record_id
from .token_text import is_blank

if TYPE_CHECKING:
    import tensorflow as tf


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
    """Read JSONL or SQuAD JSON (v1.1, v2, CMRC 2018 also flat, DRCD, XQuAD).

    Without `labelled`, answers may be missing. Raises UserError with file, line and
    field for what is not of the form. An answer that does not stand where
    `answer_start` says is no error: the example keeps it for scoring and gets a
    `problem`. The settings have no influence.
    """
    examples = [
        parse_example(record, source, labelled)
        for source, record in read_records(Path(path))
    ]
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


def parse_example(record: dict[str, Any], source: str, labelled: bool) -> Example:
    """Check one record and place its answers in the passage."""
    for field in ("question", "context"):
        value = record.get(field)
        if not isinstance(value, str):
            state = "missing" if value is None else "not a text"
            raise bad_record(source, f'"{field}" is {state}')
    context = record["context"]
    raw = raw_answers(record, source)
    if raw is None and labelled:
        raise bad_record(
            source, 'it has neither "answer", "answers" nor "is_impossible"'
        )
    answers = tuple(place_answer(answer, context) for answer in raw or ())
    problem = ""
    if is_blank(record["question"]) or is_blank(context):
        problem = "the question or the context is empty"  # CMRC 2018 has such ones
    elif answers and all(answer.start is None for answer in answers):
        problem = f'the answer "{answers[0].text[:60]}" does not stand in the context'
        if "answer_start" in str(record.get("answers", "")):
            problem += " where answer_start says"
    return Example(
        record_id(record, source, bad_record),
        record["question"],
        context,
        answers,
        source,
        problem,
    )


def raw_answers(record: dict[str, Any], source: str) -> list[dict[str, Any]] | None:
    """Return the answers of a record as objects with "text" and perhaps a start.

    None where it does not say whether there is one. Raises UserError for what is no
    answer, and where "is_impossible" says otherwise than the answers.
    """
    answers = answer_list(record)
    for answer in answers or ():
        if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
            raise bad_record(source, 'an answer must be a text or {"text": …}')
        if type(answer.get("answer_start", 0)) is not int:
            raise bad_record(source, '"answer_start" must be a whole number')
    given = [each for each in answers or () if not is_blank(each["text"])]
    impossible = record.get("is_impossible")
    if not isinstance(impossible, bool | None) and impossible not in (0, 1):
        raise bad_record(source, f'"is_impossible" is {impossible!r}, no true or false')
    if impossible and given:
        raise bad_record(source, '"is_impossible" is true, but there is an answer')
    if not impossible and len(given) < len(answers or ()):
        raise bad_record(source, 'an answer is empty; say "is_impossible": true')
    said = impossible or (answers is not None and impossible is None)
    return given if given or said else None


def answer_list(record: dict[str, Any]) -> list[Any] | None:
    """Return the answers of a record, each as it is or as its text in an object.

    Also of two lists, of texts and of starts, as `datasets` writes them.
    """
    answers = record.get("answers")
    answers = record.get("answer") if answers is None else answers
    if answers is None:
        return None
    if isinstance(answers, dict):
        texts, starts = answers.get("text"), answers.get("answer_start")
        if isinstance(texts, list) and isinstance(starts, list):
            pairs = itertools.zip_longest(texts, starts)
            return [{"text": text, "answer_start": start} for text, start in pairs]
    if isinstance(answers, str) and "answer_start" in record:
        return [{"text": answers, "answer_start": record["answer_start"]}]
    answers = answers if isinstance(answers, list) else [answers]
    return [{"text": each} if isinstance(each, str) else each for each in answers]


def place_answer(answer: dict[str, Any], context: str) -> Answer:
    """Return an answer with its place: as told, else the first exact match."""
    text = answer["text"]
    start = answer.get("answer_start", context.find(text))
    stands_there = start >= 0 and context[start : start + len(text)] == text
    return Answer(text, start if stands_there else None)


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
    """Return the settings as they are; raise UserError where nothing can be learned."""
    if examples and all(example.problem for example in examples):
        why = "every training question is left out, for the reasons above"
        raise UserError("nothing to learn", why, "correct the --train-files")
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


def within_windows(
    examples: Sequence[Example], features: Features, limit: int = 10
) -> Sequence[Example]:
    """Return the examples without those whose answer no window holds, and list these.

    To each of their windows the answer would be "none". Raises UserError where no
    example is left.
    """
    found = set(features.example[features.start > 0])
    lost = [i for i, each in enumerate(examples) if each.answers and i not in found]
    if not lost:
        return examples
    places = ", ".join(examples[index].source for index in lost[:limit])
    places += ", …" if len(lost) > limit else ""
    print(f"{len(lost)} answers fit in no window and are not learned from: {places}")
    if len(lost) == len(examples):
        why = "windows share max_length - doc_stride tokens, less those of the question"
        raise UserError("nothing to learn", why, "raise --max-length")
    left_out = set(lost)
    return [each for i, each in enumerate(examples) if i not in left_out]


def make_dataset(
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    config: TrainConfig,
    training: bool,
) -> "tf.data.Dataset":
    """Return batches `(inputs, targets)`; what cannot be learned from is left out.

    Inputs are the encoder's three, targets `start` and `end` (batch,), token
    positions in the window. In training the dataset runs through all epochs,
    shuffled anew in each; an answer that no window holds is not learned from.
    """
    examples = [example for example in examples if not example.problem]
    features = make_features(examples, tokenizer, config)
    if training:
        whole = within_windows(examples, features)
        if len(whole) < len(examples):
            features = make_features(whole, tokenizer, config)
        batches = training_plan(
            features.lengths, config.batch_size, config.epochs, config.seed
        )
    else:
        batches = evaluation_plan(features.lengths, config.batch_size)
    return batch_dataset(features.collate, batches)
