"""Run several commands of a project, or of several, in one process.

TensorFlow takes most of the time of a short command, so it is loaded once. A command is
a script with its arguments, `cd FOLDER`, or `project FOLDER`: what comes after it is
another project's, of which nothing has been imported.

    python run_commands.py PROJECT COMMANDS.json OUTPUTS.json
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import sys
from pathlib import Path

from run_owner_tests import forget

# As the project's package has it: here Keras may be imported before any of them.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def change_project(folder: str) -> None:
    """Take scripts and modules from another project, and forget those of the last."""
    import keras

    forget(Path(sys.path[0]))
    sys.path[0] = folder
    keras.utils.clear_session()


def run_command(command: list[str]) -> str:
    """Run a script's `main` with its arguments; return what it printed."""
    script, *arguments = command
    if script == "cd":
        os.chdir(*arguments)
        return ""
    if script == "project":
        change_project(*arguments)
        return ""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        importlib.import_module(Path(script).stem).main(arguments)
    return output.getvalue()


def main(project: str, commands: str, outputs: str) -> None:
    """Run all commands in their order and write what each printed."""
    sys.path.insert(0, project)
    report = Path(outputs).resolve()
    found = [run_command(each) for each in json.loads(Path(commands).read_text())]
    report.write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
