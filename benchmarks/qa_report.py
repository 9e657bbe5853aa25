"""The QA benchmark's results as a page of Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

Part = dict[str, Any]

BASE = "transformers' recipe"  # what the others are compared with


SPEED_NOTES = (
    "- generated project: `make_dataset`, `compile_model` and `model.fit` as "
    "train.py uses them, max_length 256, float32",
    f"- {BASE}: run_qa.py's defaults: max_seq_length 384, doc_stride 128, padded "
    "to max_length, random batches; a bare training loop with the Trainer's "
    "AdamW and schedule",
    "- padded to 256: the generated project's windows (256 tokens, 128 apart)",
    "- best settings: the same windows, dynamic padding, batches grouped by "
    "length with the Trainer's own function",
)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table."""
    lines = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def speed_section(part: Part) -> list[str]:
    """Return the table of training speed."""
    questions, contenders = part["questions"], part["contenders"]
    base = statistics.median(contenders[BASE]["seconds"])
    rows = []
    for name, found in contenders.items():
        seconds = found["seconds"]
        median = statistics.median(seconds)
        rows.append(
            [
                name,
                f"{questions / median:.1f}",
                f"**{base / median:.2f}**",
                f"{questions / max(seconds):.1f} to {questions / min(seconds):.1f}",
                str(found["windows"]),
                f"{found['tokens'] / questions:.0f}",
            ]
        )
    header = ["contender", "questions/s", "beside the recipe", "slowest to fastest"]
    header += ["windows", "tokens a question, padding included"]
    lines = [
        "## Training speed",
        "",
        f"Fine-tuning on {questions} questions, evenly from the shortest to the "
        f"longest; batch {part['batch_size']}, AdamW. The contenders took turns, a "
        f"pass over all questions each time; medians of "
        f"{len(contenders[BASE]['seconds'])} passes after one to warm up.",
        "",
        *table(header, rows),
        "",
        *SPEED_NOTES,
    ]
    if not part["bfloat16"]:
        lines.append(
            "- The processor has neither avx512_bf16 nor amx_bf16, so bfloat16 "
            "(mixed_bfloat16, torch autocast) was left out."
        )
    return lines


def quality_section(part: Part) -> list[str]:
    """Return the table of scores after an epoch."""
    contenders = part["contenders"]
    base = contenders[BASE]
    rows = [
        [
            name,
            f"{found['exact']:.1f}",
            f"{found['f1']:.1f}",
            f"{found['train_s']:.0f}",
            f"**{base['train_s'] / found['train_s']:.2f}**",
            f"{found['predict_s']:.0f}",
        ]
        for name, found in contenders.items()
    ]
    training = part["training"]
    error = 50 / part["test_questions"] ** 0.5
    header = ["contender", "EM", "F1", "training s", "speed beside the recipe"]
    return [
        "## Quality after one epoch",
        "",
        f"Trained on {part['train_questions']} questions of half of SQuAD 1.1's "
        f"development set, tested on {part['test_questions']} questions of "
        f"{part['test_articles']} articles of XQuAD (en). Left out: "
        f"{part['left_out']} questions of XQuAD whose paragraph or article is in the "
        "training file.",
        "",
        *table([*header, "answering s"], rows),
        "",
        f"- both: windows of {training['max_length']} tokens, "
        f"{training['doc_stride']} apart; batch {training['batch_size']}, "
        f"learning rate {training['learning_rate']:g}, "
        f"warm-up {training['warmup_ratio']:.0%}, "
        f"weight decay {training['weight_decay']}, gradients clipped at "
        f"{training['clip_norm']:g}; 20 best starts × 20 best ends, answers up to 30 "
        "tokens; EM and F1 by the generated project's metrics.py",
        "- the recipe pads to max_length and takes random batches, as run_qa.py does",
        "- seconds are of whole commands, imports and tokenization included; the "
        "recipe answers in the process that trained, so it is spared one start",
        f"- EM has a standard error of up to {error:.1f} points with so many questions",
    ]


def inference_section(part: Part) -> list[str]:
    """Return the table of inference times."""
    times = part["milliseconds"]
    base = times["torch eager"]
    rows = [
        [name]
        + [f"{value:.1f} ({base[shape] / value:.2f})" for shape, value in each.items()]
        for name, each in times.items()
    ]
    return [
        "## Inference",
        "",
        "Milliseconds for a batch (batch × length), arrays in and logits out; in "
        "parentheses the speed beside torch. Medians of "
        f"{part['calls']} calls, the runtimes taking turns.",
        "",
        *table(["runtime", *base], rows),
        "",
        "torch eager is transformers' model in `torch.inference_mode`. Largest "
        "difference of the logits between Keras and torch, same weights and same "
        f"head: {part['difference']:.1e}.",
    ]


def pipeline_section(part: Part) -> list[str]:
    """Return the table of the data pipeline."""
    names = {
        "raw": "`encode_batch` of (question, passage) pairs, whole",
        "raw, cut": "the same with run_qa.py's truncation and stride (384, 128)",
        "cold": "generated project's `make_features`, no cache",
        "cached": "generated project's `make_features`, second run",
    }
    questions = part["questions"]
    medians = {name: statistics.median(part["seconds"][name]) for name in names}
    rows = [
        [
            title,
            f"{medians[name]:.2f}",
            f"{questions / medians[name]:,.0f}",
            f"**{medians['raw'] / medians[name]:.2f}**",
            f"{medians['raw, cut'] / medians[name]:.2f}",
        ]
        for name, title in names.items()
    ]
    header = ["way", "s", "questions/s", "beside raw", "beside raw with stride"]
    return [
        "## Pipeline",
        "",
        f"From the texts of {questions} questions to token ids; `make_features` also "
        f"lays {part['windows']} windows and finds the answers' tokens. It tokenizes "
        "each passage once, however many questions it has. Medians of "
        f"{len(part['seconds']['raw'])} runs in turns, after one to warm up.",
        "",
        *table(header, rows),
    ]


SECTIONS: dict[str, Callable[[Part], list[str]]] = {
    "speed": speed_section,
    "quality": quality_section,
    "inference": inference_section,
    "pipeline": pipeline_section,
}


def machine_lines(results: dict[str, Part]) -> list[str]:
    """Return where and with what was measured, once for parts that agree."""
    places: dict[str, list[str]] = {}
    for name in SECTIONS:
        if name in results:
            part = results[name]
            versions = [f"{key} {value}" for key, value in part["versions"].items()]
            place = f"{part['machine']}; {', '.join(versions)}; {part['date']}"
            places.setdefault(place, []).append(name)
    return [f"- {', '.join(names)}: {place}" for place, names in places.items()]


def make_report(results: dict[str, Part]) -> str:
    """Return the page for the parts that were measured."""
    lines = [
        "# The generated QA project beside transformers + torch",
        "",
        "Made by `python benchmarks/qa.py --data DIR`; the script's first lines say "
        "what is compared and what DIR holds. All start from the weights of "
        "all-MiniLM-L6-v2 (6 layers of 384, 22 million) and use all cores, one "
        "contender at a time. Ratios are speeds: above 1 is faster.",
        "",
        *machine_lines(results),
    ]
    for name, section in SECTIONS.items():
        if name in results:
            lines += ["", *section(results[name])]
    return "\n".join([*lines, ""])
