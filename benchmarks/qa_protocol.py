"""How the QA benchmark talks to its workers: a line of JSON for each call and answer.

TensorFlow and torch cannot be imported into one process, so each contender lives in
a process of its own, which keeps its model between calls.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def serve(functions: Mapping[str, Callable[..., Any]]) -> None:
    """Answer calls of `functions` from standard input until it ends.

    What libraries print goes to standard error, away from the answers.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        call = json.loads(line)
        try:
            answer = {"result": functions[call["call"]](**call["arguments"])}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


class Worker:
    """A worker process; what it prints is appended to `log`."""

    def __init__(self, script: Path, project: Path, log: Path) -> None:
        self.name, self.log = script.name, log
        env = {**os.environ, "KERAS_BACKEND": "tensorflow", "HF_HUB_OFFLINE": "1"}
        with log.open("a", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(script), str(project)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=env,
                text=True,
                encoding="utf-8",
            )

    def call(self, name: str, /, **arguments: Any) -> Any:
        """Return what the worker's function returns; raise RuntimeError as it does."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError(f"{self.name} was started without pipes")
        request = {"call": name, "arguments": arguments}
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        answer = json.loads(line) if line else {"error": self.log.read_text("utf-8")}
        if "error" in answer:
            raise RuntimeError(f"{self.name}, {name}: {answer['error'][-3000:]}")
        return answer["result"]

    def close(self) -> None:
        """End the process."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
