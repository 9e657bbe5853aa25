"""Run owner tests on several changed copies of a project in one process.

TensorFlow takes most of the time of a short test run, so it is loaded once: between
two copies, everything that was imported from one of them is forgotten.

    python run_owner_tests.py JOBS.json REPORT.json
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path

import pytest

# As the project's package has it: here Keras is imported before any of the copies.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def forget(folder: Path) -> None:
    """Drop all modules that were imported from below the folder."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(f"{folder}/"):
            del sys.modules[name]


def run_job(copies: Path, name: str, tests: list[str]) -> dict[str, object]:
    """Run tests of the copy called `name`; return the exit code and the output."""
    import keras

    path = list(sys.path)
    os.chdir(copies / name)
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        options = ["-x", "-q", "-W", "ignore", "-p", "no:cacheprovider"]
        code = pytest.main([*options, f"--rootdir={copies / name}", *tests])
    sys.path[:] = path
    forget(copies)
    return {"code": int(code), "output": output.getvalue()}


def main(jobs: str, report: str) -> None:
    """Run all jobs in their order and write the report."""
    copies = Path(jobs).parent.resolve()
    results = {
        name: run_job(copies, name, tests)
        for name, tests in json.loads(Path(jobs).read_text("utf-8")).items()
    }
    Path(report).write_text(json.dumps(results), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
