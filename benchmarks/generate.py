"""Times `tkgen new` as a whole process, beside cookiecutter and copier.

    python benchmarks/generate.py

All three write the QA project. cookiecutter renders tkgen's own templates;
copier, installed into an environment of its own, renders a template made here
of the generated project: the same files, with the same names filled in. Only
tkgen verifies what it wrote, hashes it, keeps a pristine copy of it, and puts it
in place in one step. The table goes to benchmarks/results/generate.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from importlib.metadata import version
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = REPOSITORY / "benchmarks" / "results" / "generate.md"
SLUG, PACKAGE = "qa-bert", "qa_bert"
WARM_UP_RUNS = 2


def machine() -> str:
    """Return the processor's model, the number of cores usable, and the system."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [
            line.split(":", 1)[1].strip() for line in lines if "model name" in line
        ]
        model = names[0] if names else model
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else "?"
    cores = "1 core" if count == 1 else f"{count} cores"
    return f"{model}, {cores}, {platform.system()}, Python {platform.python_version()}"


def install_copier(folder: Path) -> tuple[Path, str]:
    """Install copier into a new environment; return its Python and its version."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "copier"]
    subprocess.run(install, check=True)
    ask = "from importlib.metadata import version; print(version('copier'))"
    found = subprocess.check_output([str(python), "-c", ask], text=True).strip()
    return python, found


def make_copier_template(project: Path, template: Path) -> None:
    """Turn a generated project into a copier template for projects of its kind."""
    shutil.copytree(
        project, template / "template", ignore=shutil.ignore_patterns(".tkgen")
    )
    for path in sorted((template / "template").rglob("*")):
        if path.is_file() and path.suffix not in {".jsonl"}:
            text = path.read_text("utf-8")
            if SLUG in text or PACKAGE in text:
                text = text.replace(SLUG, "<@ slug @>").replace(
                    PACKAGE, "<@ package @>"
                )
                path.with_name(f"{path.name}.jinja").write_text(text, "utf-8")
                path.unlink()
    (template / "template" / PACKAGE).rename(template / "template" / "<@ package @>")
    (template / "copier.yml").write_text(
        f"_subdirectory: template\nslug: {SLUG}\npackage: {PACKAGE}\n"
        "_envops:\n  variable_start_string: '<@'\n  variable_end_string: '@>'\n"
        "  block_start_string: '<%'\n  block_end_string: '%>'\n"
        "  comment_start_string: '<#'\n  comment_end_string: '#>'\n"
    )


def median_seconds(command: list[str], output: Path, runs: int) -> tuple[float, float]:
    """Return median and smallest wall time of the command, after a warm-up."""
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY), "HOME": str(output.parent)}
    times = []
    for number in range(WARM_UP_RUNS + runs):
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir()
        start = time.perf_counter()
        subprocess.run(
            command, check=True, cwd=output, env=env, stdout=subprocess.DEVNULL
        )
        if number >= WARM_UP_RUNS:
            times.append(time.perf_counter() - start)
    return statistics.median(times), min(times)


def files_of(project: Path) -> dict[str, bytes]:
    """Return the project's files without the generators' own."""
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file() and ".tkgen" not in path.parts
    }


def measure(work: Path, runs: int) -> tuple[list[tuple[str, float, float]], str]:
    """Return a row for each tool, and a line on the project that they write."""
    output = work / "output"
    tkgen = [sys.executable, "-m", "tkgen", "new", "--task", "qa", "--model", "bert"]
    cookiecutter = [sys.executable, "-m", "cookiecutter", str(REPOSITORY)]
    cookiecutter += ["--directory", "templates", "--no-input", "task=qa", "model=bert"]
    rows = [(f"tkgen {version_of_tkgen()}", *median_seconds(tkgen, output, runs))]
    expected = files_of(output / SLUG)
    make_copier_template(output / SLUG, work / "template")
    name = f"cookiecutter {version('cookiecutter')}"
    rows.append((name, *median_seconds(cookiecutter, output, runs)))
    assert files_of(output / SLUG) == expected, "cookiecutter wrote another project"
    python, copier_version = install_copier(work / "venv")
    copier = [str(python), "-m", "copier", "copy", "--defaults", "--quiet"]
    copier += [str(work / "template"), SLUG]
    rows.append((f"copier {copier_version}", *median_seconds(copier, output, runs)))
    assert files_of(output / SLUG) == expected, "copier wrote another project"
    size = sum(map(len, expected.values()))
    return rows, f"{len(expected)} files, {size / 1e6:.1f} MB, most of it sample data"


def version_of_tkgen() -> str:
    """Return the version of the tkgen that is measured."""
    sys.path.insert(0, str(REPOSITORY))
    from tkgen import __version__

    return __version__


def make_report(rows: list[tuple[str, float, float]], project: str, runs: int) -> str:
    """Return the results as a page of Markdown."""
    base = rows[0][1]
    lines = [
        "# The time of one whole command",
        "",
        "Made by `python benchmarks/generate.py`; the script's first lines say what is "
        "compared.",
        "",
        f"- machine: {machine()}",
        f"- project: {project}",
        f"- {runs} runs each after {WARM_UP_RUNS} to warm up; whole processes",
        "",
        "| command | median s | smallest s | median beside tkgen's |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {median:.2f} | {smallest:.2f} | {median / base:.2f} |"
        for name, median, smallest in rows
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15, help="measured runs a tool")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as work:
        rows, project = measure(Path(work), runs)
    report = make_report(rows, project, runs)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(report, "utf-8")
    print(report)


if __name__ == "__main__":
    main()
