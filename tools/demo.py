"""The demo: a QA project from nothing to answers, from real weights.

    make demo

Runs the commands that a user would type, shows each, and ends with the scores on
passages that were not in training, before and after it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "demo"
PROJECT = FOLDER / "qa-bert"
TRAINING = "--pretrained minilm --batch-size 8 --learning-rate 2e-4".split()
# Parts of the sample, and shorter windows: enough to see it learn in a few minutes.
TRAINING += "--max-train-examples 900 --max-length 160 --doc-stride 80".split()
TRAINING += ["--validation-files", "validation.jsonl"]
# In the manner of the sample's test passages, of which none is in training.
PASSAGE = (
    "The Varnholm Observatory stands on a hill above the river Isk. It was founded "
    "in 1871 by the astronomer Petra Lindqvist, whose brother paid for the first "
    "telescope. In 1904 the dome was rebuilt in copper, because the wooden one had "
    "burned down after a lightning strike. Today 36 people work there."
)
QUESTIONS = (
    "Who founded the observatory?",
    "Why was the dome rebuilt?",
    "How many people work at the observatory?",
)


def run(*command: str, folder: Path = PROJECT) -> None:
    """Show a command and run it with this interpreter; stop where it fails."""
    shown = " ".join(f'"{part}"' if " " in part else part for part in command)
    print(f"\n$ {shown if len(shown) < 100 else shown[:97] + '...'}", flush=True)
    done = subprocess.run([sys.executable, *command[1:]], cwd=folder, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def number_format() -> list[str]:
    """Return flags for bfloat16 where the processor computes in it, as Linux tells."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return []
    fast = "avx512_bf16" in flags or "amx_bf16" in flags
    return ["--dtype", "mixed_bfloat16"] if fast else []


def scores(name: str) -> dict[str, float]:
    """Return what evaluate.py found for a run."""
    path = PROJECT / "runs" / name / "evaluation" / "metrics.json"
    return json.loads(path.read_text(encoding="utf-8"))


def main() -> None:
    """Generate, score, train, score again, ask."""
    began = time.monotonic()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    run(
        "python", "-m", "tkgen", "new", "--task", "qa", "--model", "bert", folder=FOLDER
    )
    lines = (PROJECT / "data/validation.jsonl").read_text("utf-8").splitlines()[::3]
    (PROJECT / "validation.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for name, epochs in (("before", "0"), ("after", "1")):
        flags = ["--epochs", epochs, "--output-dir", f"runs/{name}"]
        run("python", "train.py", *TRAINING, *number_format(), *flags)
        run("python", "evaluate.py", "--model-dir", f"runs/{name}")
    lines = [json.dumps({"question": each, "context": PASSAGE}) for each in QUESTIONS]
    (PROJECT / "questions.jsonl").write_text("\n".join(lines), encoding="utf-8")
    run("python", "predict.py", "--n-best", "2", "--input", "questions.jsonl", "--show")
    before, after = scores("before"), scores("after")
    print(f"\n{after['total']} questions on passages that were not in training:")
    print("                 exact match     F1")
    print(f"before training  {before['exact']:11.1f}  {before['f1']:5.1f}")
    print(f"after training   {after['exact']:11.1f}  {after['f1']:5.1f}")
    minutes, seconds = divmod(round(time.monotonic() - began), 60)
    print(f"\n{minutes} min {seconds} s; the project is in {PROJECT}")


if __name__ == "__main__":
    main()
