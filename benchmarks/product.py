"""Generates every task with every model and option, and tests each project.

    python benchmarks/product.py                # everything: an hour or more
    python benchmarks/product.py --plain        # without options: half an hour
    python benchmarks/product.py --task qa      # one task, a few minutes

For each project:

- files, and lines of Python that are not blank, without and with its tests
- first step: seconds from the start of `python train.py` in a new folder, with its
  sample and random weights, to the end of the first step of training; where nothing
  is trained, of `python extract.py` as a whole
- own tests: what `pytest` says in it; of a project with an option, in the test files
  that come with the option, since the others are those of the project without

What is done is kept in benchmarks/results/product.json; the table product.md beside
it is made of that.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from generate import REPOSITORY, machine

sys.path.insert(0, str(REPOSITORY))

from tkgen.catalog import load_catalog

FOLDER = REPOSITORY / "benchmarks" / "results"
# Runs a project's train.py, and ends when the first step has been done.
FIRST_STEP = """
import os, runpy, sys
import keras
sys.path.insert(0, os.getcwd())
sys.argv = ["train.py", "--output-dir", sys.argv[1]]
def stop(*_):
    os._exit(0)
keras.callbacks.CallbackList.on_train_batch_end = stop
runpy.run_path("train.py", run_name="__main__")
sys.exit("no step was done")
"""


def product(tasks: list[str], *, plain: bool = False) -> list[tuple[str, str, str]]:
    """Return task, model and option; the option is empty for the defaults."""
    catalog = load_catalog()
    found = []
    for task in (card.name for card in catalog.tasks if card.name in tasks):
        slots = catalog.slots_for(task)
        options = [card.name for slot in slots for card in slot.options_for(task)[1:]]
        for model in catalog.names("model"):
            chosen = [""] if plain else ["", *options]
            found += [(task, model, option) for option in chosen]
    return found


def generate(task: str, model: str, option: str, folder: str) -> Path:
    """Write a project, and return where it stands."""
    command = [sys.executable, "-m", "tkgen", "new", "project", "--no-input"]
    command += ["--task", task, "--model", model, "--output-dir", folder]
    command += ["--with", option] if option else []
    subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
    return Path(folder) / "project"


def lock_of(project: Path) -> list[dict[str, Any]]:
    """Return what the project's lock says of each of its files."""
    lock = json.loads((project / ".tkgen" / "lock.json").read_text("utf-8"))
    return list(lock["files"])


def count_lines(project: Path) -> tuple[int, int]:
    """Return the lines of Python that are not blank, without and with the tests."""
    counts = [0, 0]
    for path in project.rglob("*.py"):
        lines = sum(bool(line.strip()) for line in path.read_text("utf-8").splitlines())
        counts[1] += lines
        counts[0] += lines if "tests" not in path.parts else 0
    return counts[0], counts[1]


def first_step(project: Path, run: Path) -> float:
    """Return the seconds to the end of the first step; nothing is left behind."""
    start = time.perf_counter()
    if (project / "train.py").exists():
        command = ["-c", FIRST_STEP, str(run)]
    else:
        command = ["extract.py", "--output", str(run.with_suffix(".npz"))]
    subprocess.run(
        [sys.executable, *command], cwd=project, check=True, capture_output=True
    )
    return time.perf_counter() - start


def own_tests(project: Path, option: str) -> str:
    """Run the project's tests, and return pytest's last line."""
    wanted = [
        file["path"]
        for file in lock_of(project)
        if re.match(r"tests/test_.*\.py$", file["path"])
        and (not option or file["axis"].startswith("option"))
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *wanted], cwd=project, capture_output=True, text=True
    )
    last = done.stdout.strip().splitlines()[-1].strip("= ")
    return f"{'pass' if done.returncode == 0 else 'FAIL'}: {last}"


def make_report(results: dict[str, dict[str, Any]]) -> str:
    """Return the results as a page of Markdown."""
    lines = [
        "# Every task with every model and option",
        "",
        "Made by `python benchmarks/product.py`; its first lines say what is measured.",
        "",
        "| project | files | lines of code | with tests | first step, s | own tests |",
        "|---|---|---|---|---|---|",
    ]
    for name in (" ".join(filter(None, each)) for each in product(all_tasks())):
        if name in results:
            done = results[name]
            cells = [name, done["files"], *done["lines"], f"{done['first_step']:.1f}"]
            lines.append(f"| {' | '.join(map(str, cells))} | {done['tests']} |")
    places = sorted({each["machine"] for each in results.values()})
    return "\n".join([*lines, "", *(f"- machine: {place}" for place in places), ""])


def all_tasks() -> list[str]:
    """Return the names of all tasks."""
    return list(load_catalog().names("task"))


def main() -> None:
    """Go through the product, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--task", nargs="+", choices=all_tasks(), default=all_tasks())
    parser.add_argument("--plain", action="store_true", help="defaults alone")
    options = parser.parse_args()
    path = FOLDER / "product.json"
    libraries = ", ".join(f"{x} {version(x)}" for x in ("tensorflow", "keras"))
    for task, model, option in product(options.task, plain=options.plain):
        with tempfile.TemporaryDirectory() as folder:
            project = generate(task, model, option, folder)
            done = {
                "files": len(lock_of(project)),
                "lines": count_lines(project),
                "first_step": round(first_step(project, Path(folder) / "run"), 1),
                "tests": own_tests(project, option),
                "machine": f"{machine()}; {libraries}; {date.today()}",
            }
        results = json.loads(path.read_text("utf-8")) if path.exists() else {}
        results[" ".join(filter(None, (task, model, option)))] = done
        path.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
        report = make_report(results)
        (FOLDER / "product.md").write_text(report, "utf-8")
        print(report, flush=True)


if __name__ == "__main__":
    main()
