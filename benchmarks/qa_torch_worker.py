"""The transformers + torch side of the QA benchmark; qa.py starts it.

Features, labels and answers are made as in transformers' examples/pytorch/
question-answering (run_qa.py, utils_qa.py); optimizer and schedule are its
Trainer's. The loop is a bare one, without the Trainer's bookkeeping, and the
features are made before the clock starts: both favour this side.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from qa_protocol import serve, usable_cores
from transformers.trainer_pt_utils import get_length_grouped_indices

SEED = 42
MEGA_BATCH = 50  # the Trainer's, for data sets of usual size
N_BEST, MAX_ANSWER_LENGTH = 20, 30  # run_qa.py's
state: dict[str, Any] = {}  # what the calls of one worker share

Record = dict[str, Any]  # a question: id, question, context, answers


def read_records(file: str) -> list[Record]:
    """Return the questions of a JSONL file."""
    lines = Path(file).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if line]


def load_tokenizer(checkpoint: str) -> Any:
    """Return the checkpoint's fast tokenizer."""
    return transformers.AutoTokenizer.from_pretrained(checkpoint)


def load_model(checkpoint: str) -> Any:
    """Return the checkpoint's encoder with a random QA head, float32."""
    torch.manual_seed(SEED)
    return transformers.AutoModelForQuestionAnswering.from_pretrained(
        checkpoint, dtype=torch.float32
    )


def group_by_overlap(
    records: Sequence[Record], tokenizer: Any, recipe: dict[str, Any]
) -> dict[int, list[int]]:
    """Return the questions' numbers by how many tokens their windows overlap.

    run_qa.py overlaps all windows by `overlap` tokens. With `step` instead, the
    windows of a question begin so many tokens apart, as the generated project's.
    """
    if "overlap" in recipe:
        return {recipe["overlap"]: list(range(len(records)))}
    groups: dict[int, list[int]] = defaultdict(list)
    questions = [record["question"].lstrip() for record in records]
    encoded = tokenizer(questions, add_special_tokens=False)["input_ids"]
    for index, ids in enumerate(encoded):
        room = recipe["max_length"] - len(ids) - 3
        groups[max(0, room - recipe["step"])].append(index)
    return groups


def make_windows(
    records: Sequence[Record], tokenizer: Any, recipe: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return the windows of all questions in order, not padded yet.

    Each has `input_ids`, `segment_ids`, `example`, `start`, `end`, and `offsets`,
    which are None for tokens that are not the passage's.
    """
    windows = []
    for overlap, members in group_by_overlap(records, tokenizer, recipe).items():
        encoded = tokenizer(
            [records[index]["question"].lstrip() for index in members],
            [records[index]["context"] for index in members],
            truncation="only_second",
            max_length=recipe["max_length"],
            stride=overlap,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        for row, member in enumerate(encoded["overflow_to_sample_mapping"]):
            example = members[member]
            sequences = encoded.sequence_ids(row)
            offsets = [
                pair if sequence == 1 else None
                for pair, sequence in zip(
                    encoded["offset_mapping"][row], sequences, strict=True
                )
            ]
            start, end = label(records[example], offsets)
            windows.append(
                {
                    "input_ids": np.array(encoded["input_ids"][row]),
                    "segment_ids": np.array(encoded["token_type_ids"][row]),
                    "offsets": offsets,
                    "example": example,
                    "start": start,
                    "end": end,
                }
            )
    return sorted(windows, key=lambda window: window["example"])


def label(record: Record, offsets: Sequence[Any]) -> tuple[int, int]:
    """Return first and last token of the answer; 0, 0 where it is not in the window."""
    answer = record["answers"][0]
    start_char = answer["answer_start"]
    end_char = start_char + len(answer["text"])
    places = [index for index, pair in enumerate(offsets) if pair is not None]
    if not places:
        return 0, 0
    first, last = places[0], places[-1]
    if offsets[first][0] > start_char or offsets[last][1] < end_char:
        return 0, 0
    while first <= places[-1] and offsets[first][0] <= start_char:
        first += 1
    while last >= places[0] and offsets[last][1] >= end_char:
        last -= 1
    return first - 1, last + 1


def collate(
    windows: Sequence[dict[str, Any]], length: int | None
) -> dict[str, torch.Tensor]:
    """Return a batch padded to `length`, or to its longest window for None."""
    length = length or max(len(window["input_ids"]) for window in windows)
    arrays = {
        name: np.zeros((len(windows), length), "int64")
        for name in ("input_ids", "token_type_ids", "attention_mask")
    }
    for row, window in enumerate(windows):
        used = len(window["input_ids"])
        arrays["input_ids"][row, :used] = window["input_ids"]
        arrays["token_type_ids"][row, :used] = window["segment_ids"]
        arrays["attention_mask"][row, :used] = 1
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def make_optimizer(
    model: Any, settings: dict[str, Any], total_steps: int
) -> tuple[Any, Any]:
    """Return the Trainer's AdamW, without decay of biases and LayerNorm, and schedule.

    The Trainer takes the fused AdamW since torch 2.8.
    """
    groups: list[list[Any]] = [[], []]
    for name, parameter in model.named_parameters():
        exempt = name.endswith("bias") or "LayerNorm" in name
        groups[int(exempt)].append(parameter)
    optimizer = torch.optim.AdamW(
        [
            {"params": groups[0], "weight_decay": settings["weight_decay"]},
            {"params": groups[1], "weight_decay": 0.0},
        ],
        lr=settings["learning_rate"],
        eps=settings.get("adam_epsilon", 1e-8),
        fused=True,
    )
    warm_up = round(total_steps * settings["warmup_ratio"])
    schedule = transformers.get_linear_schedule_with_warmup(
        optimizer, warm_up, total_steps
    )
    return optimizer, schedule


def plan_batches(
    windows: Sequence[dict[str, Any]], batch_size: int, grouped: bool
) -> Iterator[list[dict[str, Any]]]:
    """Yield the batches of an epoch: random ones, or the Trainer's by length."""
    if grouped:
        lengths = [len(window["input_ids"]) for window in windows]
        order = get_length_grouped_indices(lengths, batch_size, MEGA_BATCH)
    else:
        order = torch.randperm(len(windows)).tolist()
    for first in range(0, len(order), batch_size):
        yield [windows[index] for index in order[first : first + batch_size]]


def prepare_training(
    file: str,
    checkpoint: str,
    settings: dict[str, Any],
    recipe: dict[str, Any],
    epochs: int,
) -> dict[str, int]:
    """Load model and features; return what one pass over the file consists of.

    `recipe` has `max_length`; `overlap` or `step` of windows; `pad`, whether all
    batches are padded to `max_length`; `grouped`, by length; `bf16`, autocast.
    """
    tokenizer, model = load_tokenizer(checkpoint), load_model(checkpoint)
    windows = make_windows(read_records(file), tokenizer, recipe)
    batch_size = settings["batch_size"]
    steps = -(-len(windows) // batch_size)
    optimizer, schedule = make_optimizer(model, settings, steps * epochs)
    state.update(tokenizer=tokenizer, model=model, windows=windows, recipe=recipe)
    state.update(optimizer=optimizer, schedule=schedule, settings=settings)
    sizes = []
    for batch in plan_batches(windows, batch_size, recipe["grouped"]):
        longest = max(len(window["input_ids"]) for window in batch)
        length = recipe["max_length"] if recipe["pad"] else longest
        sizes.append(len(batch) * length)
    return {"windows": len(windows), "steps": steps, "tokens": sum(sizes)}


def train_pass() -> dict[str, float]:
    """Run one pass over the file; return its seconds and mean loss."""
    model, recipe, settings = state["model"], state["recipe"], state["settings"]
    length = recipe["max_length"] if recipe["pad"] else None
    losses = []
    model.train()
    start = time.perf_counter()
    for windows in plan_batches(
        state["windows"], settings["batch_size"], recipe["grouped"]
    ):
        batch = collate(windows, length)
        for name in ("start", "end"):
            places = [window[name] for window in windows]
            batch[f"{name}_positions"] = torch.tensor(places)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe["bf16"]):
            loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings["clip_norm"])
        state["optimizer"].step()
        state["schedule"].step()
        state["optimizer"].zero_grad()
        losses.append(loss.item())
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "loss": sum(losses) / len(losses)}


def predict(file: str) -> dict[str, str]:
    """Return the answer to each question of a file, by its id."""
    model, recipe = state["model"], state["recipe"]
    records = read_records(file)
    windows = make_windows(records, state["tokenizer"], recipe)
    batch_size = state["settings"]["batch_size"]
    length = recipe["max_length"] if recipe["pad"] else None
    best: dict[int, tuple[float, str]] = {}
    model.eval()
    for first in range(0, len(windows), batch_size):
        members = windows[first : first + batch_size]
        with torch.inference_mode():
            outputs = model(**collate(members, length))
        logits = (outputs.start_logits.numpy(), outputs.end_logits.numpy())
        for window, starts, ends in zip(members, *logits, strict=True):
            example = window["example"]
            found = best_span(starts, ends, window["offsets"])
            if found and found[0] > best.get(example, (-np.inf, ""))[0]:
                text = records[example]["context"][found[1] : found[2]]
                best[example] = (found[0], text)
    return {
        record["id"]: best.get(index, (0.0, ""))[1]
        for index, record in enumerate(records)
    }


def best_span(
    starts: np.ndarray, ends: np.ndarray, offsets: Sequence[Any]
) -> tuple[float, int, int] | None:
    """Return score and characters of the best pair of the n best starts and ends."""
    best = None
    last_tokens = np.argsort(ends)[::-1][:N_BEST]
    for first in np.argsort(starts)[::-1][:N_BEST]:
        for last in last_tokens:
            if max(first, last) >= len(offsets) or last < first:
                continue
            if offsets[first] is None or offsets[last] is None:
                continue
            if last - first + 1 > MAX_ANSWER_LENGTH:
                continue
            score = float(starts[first] + ends[last])
            if best is None or score > best[0]:
                best = (score, offsets[first][0], offsets[last][1])
    return best


def prepare_inference(checkpoint: str, folder: str) -> float:
    """Take over the Keras head; return the largest difference of the logits to Keras'.

    Positions of padding are left out: Keras' model hides them.
    """
    with np.load(Path(folder, "inference.npz")) as arrays:
        given = dict(arrays)
    model = load_model(checkpoint).eval()
    model.qa_outputs.weight.data = torch.from_numpy(given["kernel"].T.copy())
    model.qa_outputs.bias.data = torch.from_numpy(given["bias"])
    shapes = [name.split("/")[0] for name in given if name.endswith("/start")]
    names = ("input_ids", "segment_ids", "attention_mask")
    inputs = {
        shape: {name: given[f"{shape}/{name}"] for name in names} for shape in shapes
    }
    state.update(model=model, inputs=inputs)
    largest = 0.0
    for shape in shapes:
        used = given[f"{shape}/attention_mask"] == 1
        for name, logits in run(inputs[shape]).items():
            difference = np.abs(logits - given[f"{shape}/{name}"])[used]
            largest = max(largest, float(difference.max()))
    return largest


def run(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return start and end logits of a batch, arrays in and arrays out."""
    tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
    tensors["token_type_ids"] = tensors.pop("segment_ids")
    with torch.inference_mode():
        outputs = state["model"](**tensors)
    return {"start": outputs.start_logits.numpy(), "end": outputs.end_logits.numpy()}


def time_inference(runtime: str, warm_up: int, calls: int) -> dict[str, list[float]]:
    """Return milliseconds of each call for each batch and length."""
    times: dict[str, list[float]] = {}
    for shape, inputs in state["inputs"].items():
        for _ in range(warm_up):
            run(inputs)
        times[shape] = []
        for _ in range(calls):
            start = time.perf_counter()
            run(inputs)
            times[shape].append(1e3 * (time.perf_counter() - start))
    return times


if __name__ == "__main__":
    torch.set_num_threads(usable_cores())
    functions = (prepare_training, train_pass, predict)
    functions += (prepare_inference, time_inference)
    serve({function.__name__: function for function in functions})
