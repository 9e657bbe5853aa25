"""The transformers + torch side of peers.py.

Tokens and labels are made as in transformers' examples/pytorch (run_classification.py,
run_ner.py) with padding by batch; optimizer and schedule are its Trainer's. The loop is
a bare one, without the Trainer's bookkeeping, with the batches of the project's plan.
"""

from __future__ import annotations

import copy
import importlib
import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from peers_scores import SCORES
from qa_protocol import serve, usable_cores
from qa_torch_worker import load_tokenizer, make_optimizer

PROJECT = Path(sys.argv[1])
sys.path.insert(0, str(PROJECT))
epoch_plan = importlib.import_module(f"{PROJECT.name}.batching").epoch_plan
NO_LABEL = -100  # of tokens that take no part in the loss
Row = dict[str, Any]  # input_ids, token_type_ids, attention_mask, labels


class Texts:
    """Texts and pairs of JSONL files, each with a label."""

    model = transformers.AutoModelForSequenceClassification

    def read(self, file: str) -> list[tuple[Any, str]]:
        """Return each example's texts, and its label."""
        records = map(json.loads, Path(file).read_text("utf-8").splitlines())
        return [((r["sequence"], r.get("sequence_pair")), r["label"]) for r in records]

    def row(self, example: Any, label: str, names: list[str], tokenizer: Any) -> Row:
        """Return an example's tokens, and its label's number."""
        encoded = tokenizer(
            *example,
            truncation="longest_first",
            max_length=128,
            return_token_type_ids=True,
        )
        return {**encoded, "labels": names.index(label)}

    def found(self, logits: Any, row: Row, names: list[str], example: Any) -> str:
        """Return the label that a row's logits give."""
        return names[int(logits.argmax())]


class Words:
    """Sentences of CoNLL files, a label for each word; its first piece carries it."""

    model = transformers.AutoModelForTokenClassification

    def read(self, file: str) -> list[tuple[Any, list[str]]]:
        """Return each sentence's words, and their labels."""
        text = Path(file).read_text("utf-8").strip("\n")
        sentences = [
            [line.split("\t") for line in block.splitlines()]
            for block in re.split(r"\n\s*\n", text)
        ]
        return [([w[0] for w in s], [w[-1] for w in s]) for s in sentences]

    def row(
        self, example: Any, label: list[str], names: list[str], tokenizer: Any
    ) -> Row:
        """Return a sentence's tokens, and a label for each."""
        encoded = tokenizer(
            example,
            is_split_into_words=True,
            truncation=True,
            max_length=256,
            return_token_type_ids=True,
        )
        numbers, last = [], None
        for word in encoded.word_ids():
            first = word is not None and word != last
            numbers.append(names.index(label[word]) if first else NO_LABEL)
            last = word
        return {**encoded, "words": encoded.word_ids(), "labels": numbers}

    def found(self, logits: Any, row: Row, names: list[str], example: Any) -> list[str]:
        """Return a label for each word; "O" for one of which no token is left."""
        found = ["O"] * len(example)
        pairs = zip(
            row["words"], row["labels"], logits.argmax(-1).tolist(), strict=False
        )
        for word, label, number in pairs:
            if label != NO_LABEL:
                found[word] = names[number]
        return found


KINDS = {"sequence-classification": Texts(), "token-classification": Words()}


def collate(rows: Sequence[Row], tokenizer: Any) -> dict[str, Any]:
    """Return rows as tensors, padded to the longest."""
    names = ("input_ids", "token_type_ids", "attention_mask")
    plain = [{name: row[name] for name in names} for row in rows]
    batch = dict(tokenizer.pad(plain, return_tensors="pt"))
    labels = [torch.tensor(row["labels"]) for row in rows]
    if labels[0].ndim:
        batch["labels"] = torch.nn.utils.rnn.pad_sequence(
            labels, batch_first=True, padding_value=NO_LABEL
        )
    else:
        batch["labels"] = torch.stack(labels)
    return batch


def train_epoch(
    model: Any, batches: Iterable[Sequence[Row]], tokenizer: Any, step: Any, clip: float
) -> None:
    """Train on all batches once; `step` is optimizer and schedule."""
    optimizer, schedule = step
    model.train()
    for rows in batches:
        model(**collate(rows, tokenizer)).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()


def predict(
    model: Any, kind: Any, data: Sequence[Any], rows: Sequence[Row], rest: Any
) -> list[Any]:
    """Return what is found in each example, in their order."""
    names, tokenizer, size = rest
    found = []
    model.eval()
    for first in range(0, len(rows), size):
        part = rows[first : first + size]
        with torch.inference_mode():
            logits = model(**collate(part, tokenizer)).logits
        for number, row in enumerate(part):
            example = data[first + number][0]
            found.append(kind.found(logits[number], row, names, example))
    return found


def run(
    task: str, files: dict[str, str], checkpoint: str, settings: Any, seed: int
) -> list[Any]:
    """Return what the epoch that is best on the validation file finds in the test file.

    `files` are train, validation and test.
    """
    kind, score = KINDS[task], SCORES[task]
    data = {part: kind.read(file) for part, file in files.items()}
    tokenizer = load_tokenizer(checkpoint)
    model = kind.model.from_pretrained(checkpoint, dtype=torch.float32)
    names = [model.config.id2label[n] for n in range(model.config.num_labels)]
    rows = {
        part: [kind.row(*example, names, tokenizer) for example in each]
        for part, each in data.items()
    }
    size, clip = settings["batch_size"], settings["clip_norm"]
    lengths = np.array([len(row["input_ids"]) for row in rows["train"]])
    plans = [epoch_plan(lengths, size, seed, n) for n in range(settings["epochs"])]
    step = make_optimizer(model, settings, sum(map(len, plans)))
    gold = [label for _, label in data["validation"]]
    rest, scores, best = (names, tokenizer, size), [], {}
    for plan in plans:
        batches = ([rows["train"][i] for i in batch] for batch in plan)
        train_epoch(model, batches, tokenizer, step, clip)
        part = (data["validation"], rows["validation"])
        scores.append(score(gold, predict(model, kind, *part, rest)))
        if scores[-1] == max(scores):
            best = copy.deepcopy(model.state_dict())
    model.load_state_dict(best)
    return predict(model, kind, data["test"], rows["test"], rest)


if __name__ == "__main__":
    torch.set_num_threads(usable_cores())
    serve({"run": run})
