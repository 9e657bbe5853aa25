"""The transformers + torch side of the classification benchmark.

Tokens, batches and loss are made as in transformers' examples/pytorch/
text-classification (run_classification.py) with padding by batch; optimizer and
schedule are its Trainer's. The loop is a bare one, without the Trainer's bookkeeping.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from qa_protocol import serve, usable_cores
from qa_torch_worker import load_tokenizer, make_optimizer

Record = dict[str, str]  # id, sequence, perhaps sequence_pair, label


def read_records(file: str) -> list[Record]:
    """Return the examples of a JSONL file."""
    lines = Path(file).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if line]


def tokenize(
    records: Sequence[Record], tokenizer: Any, max_length: int
) -> list[dict[str, list[int]]]:
    """Return token ids and segments of each example, longest text cut first."""
    pairs = [record.get("sequence_pair") for record in records]
    encoded = tokenizer(
        [record["sequence"] for record in records],
        pairs if any(pairs) else None,
        truncation="longest_first",
        max_length=max_length,
        return_token_type_ids=True,
    )
    return [
        {name: encoded[name][row] for name in encoded} for row in range(len(records))
    ]


def predict(
    model: Any, rows: Sequence[dict[str, list[int]]], tokenizer: Any, batch_size: int
) -> list[int]:
    """Return the number of the best label of each example."""
    found: list[int] = []
    model.eval()
    for first in range(0, len(rows), batch_size):
        batch = tokenizer.pad(rows[first : first + batch_size], return_tensors="pt")
        with torch.inference_mode():
            found += model(**batch).logits.argmax(-1).tolist()
    return found


def train_epoch(
    model: Any,
    rows: Sequence[dict[str, list[int]]],
    labels: Sequence[int],
    tokenizer: Any,
    optimizer: Any,
    schedule: Any,
    settings: dict[str, Any],
) -> None:
    """Train on all examples once, in random batches."""
    model.train()
    order = torch.randperm(len(rows)).tolist()
    size = settings["batch_size"]
    for first in range(0, len(order), size):
        members = order[first : first + size]
        batch = tokenizer.pad([rows[i] for i in members], return_tensors="pt")
        loss = model(**batch, labels=torch.tensor([labels[i] for i in members])).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings["clip_norm"])
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()


def run(
    files: dict[str, str],
    names: list[str],
    checkpoint: str,
    settings: dict[str, Any],
    seed: int,
) -> dict[str, Any]:
    """Train, and predict the test file with the epoch of best validation accuracy.

    `files` are train, validation and test; `names` the labels in their order. Returns
    the predicted label of each test example by its id, and seconds.
    """
    start = time.perf_counter()
    torch.manual_seed(seed)
    tokenizer = load_tokenizer(checkpoint)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        checkpoint, dtype=torch.float32, num_labels=len(names)
    )
    records = {name: read_records(file) for name, file in files.items()}
    rows = {
        name: tokenize(each, tokenizer, settings["max_length"])
        for name, each in records.items()
    }
    labels = [names.index(record["label"]) for record in records["train"]]
    gold = [names.index(record["label"]) for record in records["validation"]]
    size, epochs = settings["batch_size"], settings["epochs"]
    steps = -(-len(labels) // size) * epochs
    optimizer, schedule = make_optimizer(model, settings, steps)
    scores: list[float] = []
    best: dict[str, Any] = {}
    for _ in range(epochs):
        train_epoch(
            model, rows["train"], labels, tokenizer, optimizer, schedule, settings
        )
        found = predict(model, rows["validation"], tokenizer, size)
        right = sum(a == b for a, b in zip(found, gold, strict=True))
        if not scores or right / len(gold) > max(scores):
            best = copy.deepcopy(model.state_dict())
        scores.append(right / len(gold))
    trained = time.perf_counter()
    model.load_state_dict(best)
    found = predict(model, rows["test"], tokenizer, size)
    return {
        "train_s": trained - start,
        "predict_s": time.perf_counter() - trained,
        "validation": [round(100 * score, 2) for score in scores],
        "predictions": {
            record["id"]: names[number]
            for record, number in zip(records["test"], found, strict=True)
        },
    }


if __name__ == "__main__":
    torch.set_num_threads(usable_cores())
    serve({"run": run})
