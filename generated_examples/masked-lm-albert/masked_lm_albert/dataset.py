"""Documents from text and JSONL files, and the tf.data pipeline of masked rows."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Tokenizer

from .batching import batch_dataset, epoch_plan, evaluation_plan
from .config import TrainConfig
from .documents import BLANK, LINES, Example, make_document, read_documents
from .encoder import EncoderConfig
from .errors import UserError
from .features import Features, make_features, row_ids
from .masking import MaskedRows
from .packing import ORDERS, joined, pack
from .tfrecords import is_manifest, read_manifest, record_batches

if TYPE_CHECKING:
    import tensorflow as tf

EVALUATION_EPOCH = 0  # the rows and masks of evaluation: the seed's first


def load_examples(
    path: str | Path, config: TrainConfig | None = None, *, labelled: bool = True
) -> list[Example]:
    """Read the documents of a JSONL or text file; of a manifest, what stands for them.

    Without `labelled`, a "[MASK]" in a text is a word to find. `config.text_lines`
    says what the lines of a text file are. Raises UserError with file, line and field
    for what is not of the form.
    """
    path = Path(path)
    if is_manifest(path):
        return [Example(str(path), "", (), str(path), records=str(path))]
    text_lines = config.text_lines if config else LINES[0]
    if text_lines not in LINES:
        raise UserError(
            f'text_lines "{text_lines}"',
            "it says what the lines of a text file are",
            f"--text-lines with one of {', '.join(LINES)}",
        )
    examples = list(read_documents(path, text_lines, fill=not labelled))
    if not examples:
        raise UserError(
            f"no documents in {path}", "the file is empty", "give a text or JSONL file"
        )
    seen: dict[str, str] = {}
    for example in examples:
        if example.id in seen:
            raise UserError(
                f'{example.source}: id "{example.id}" is there twice',
                f"it was used at {seen[example.id]}; predictions are told apart by id",
                "give each document its own id, or none",
            )
        seen[example.id] = example.source
    return examples


def describe(examples: Sequence[Example], limit: int = 10) -> str:
    """Return how much text there is, and what cannot be learned from, and why."""
    records = [example.records for example in examples if example.records]
    if records:
        manifests = [read_manifest(Path(path)) for path in records]
        rows = sum(each.rows for each in manifests)
        shards = sum(len(each.files) for each in manifests)
        return f"{rows:,} rows in {shards} files, tokenized before"
    problems = [each for each in examples if each.problem]
    sentences = sum(len(each.sentences) for each in examples)
    characters = sum(len(each.text) for each in examples)
    lines = [f"{len(examples):,} documents, {sentences:,} sentences"]
    lines[0] += f", {characters:,} characters"
    if problems:
        lines[0] += f"; {len(problems)} left out:"
        lines += [f"  {each.source}: {each.problem}" for each in problems[:limit]]
    if len(problems) > limit:
        lines.append(f"  … and {len(problems) - limit} more")
    return "\n".join(lines)


def settle(config: TrainConfig, examples: Sequence[Example]) -> TrainConfig:
    """Return the settings with what was left to the model, and what a manifest says.

    Raises UserError where the task cannot be learned from these files.
    """
    order, ngram = config.sentence_order, config.max_ngram
    config = dataclasses.replace(
        config,
        sentence_order=EncoderConfig.sentence_order if order == "auto" else order,
        max_ngram=ngram or EncoderConfig.max_ngram,
    )
    if config.sentence_order not in ORDERS:
        raise UserError(
            f'unknown sentence order "{config.sentence_order}"',
            "it is the task beside masked words",
            f"--sentence-order with one of auto, {', '.join(ORDERS)}",
        )
    records = {example.records for example in examples}
    if records - {""}:
        if len(records) > 1 or len(examples) > 1:
            raise UserError(
                "a manifest together with other files",
                "rows that were written before are of one vocabulary and one length",
                "--train-files with the manifest alone; write the rest into it too",
            )
        return read_manifest(Path(examples[0].records)).settle(config)
    texts = sum(not example.problem for example in examples)
    if texts < 2 and config.sentence_order == "nsp":
        raise UserError(
            "there is only one document to learn from",
            "for half of the rows, nsp takes the second part from another document",
            "put a blank line between documents, or give --sentence-order none",
        )
    return config


def example_from_texts(texts: Sequence[str]) -> Example:
    """Return the example for texts from the command line, one document together."""
    text = "\n".join(texts)
    if BLANK not in text:
        raise UserError(
            f"the text has no {BLANK}",
            "that is what stands for a word to find",
            f'python predict.py --text "The ferry was {BLANK}."',
        )
    return make_document("text", text, "--text", fill=True)


def example_texts(examples: Sequence[Example]) -> Iterator[str]:
    """Yield the texts that a vocabulary can be trained on."""
    yield from (example.text for example in examples)


def make_dataset(
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    config: TrainConfig,
    training: bool,
) -> "tf.data.Dataset":
    """Return batches `(inputs, targets)`.

    Inputs are the encoder's three and `masked_positions` (batch, n); targets `mlm`
    (batch, n) and `order` (batch,). In training the dataset runs through all epochs;
    rows and masks are new in each.
    """
    records = [example.records for example in examples if example.records]
    if records and training:
        return record_batches(read_manifest(Path(records[0])), tokenizer, config)
    features = make_features(documents(examples), tokenizer, config)
    rows = evaluation_rows(features, tokenizer, config)
    if not training:
        plan = evaluation_plan(rows.packing.lengths, config.batch_size)
        return batch_dataset(rows.collate, plan)
    packings = [
        pack(features, config, rows.ids.mask, epoch)
        for epoch in range(max(1, config.epochs))
    ]
    plans = [
        epoch_plan(packing.lengths, config.batch_size, config.seed, epoch)
        for epoch, packing in enumerate(packings[: config.epochs])
    ]
    # All epochs are equally long; a batch or two fewer, other ones each time.
    steps = min(map(len, plans), default=0)
    batches, first = [], 0
    for packing, plan in zip(packings, plans, strict=False):
        batches += [first + batch for batch in plan[:steps]]
        first += len(packing.order)
    rows = dataclasses.replace(rows, packing=joined(packings))
    return batch_dataset(rows.collate, batches)


def documents(examples: Sequence[Example]) -> list[Example]:
    """Return the examples that hold text; raise UserError where there is none."""
    found = [each for each in examples if not (each.problem or each.records)]
    if not found:
        why = "every document is left out, as its text is empty"
        if any(each.records for each in examples):
            why = "scores and predictions need the text itself, not written rows"
        raise UserError("there is no text", why, "give a text or JSONL file")
    return found


def evaluation_rows(
    features: Features, tokenizer: Tokenizer, config: TrainConfig
) -> MaskedRows:
    """Return the rows that documents are scored on: the same in each epoch."""
    ids = row_ids(tokenizer)
    packing = pack(features, config, ids.mask, EVALUATION_EPOCH)
    return MaskedRows(features, packing, ids, config, (config.seed,))
