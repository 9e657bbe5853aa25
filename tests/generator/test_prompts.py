"""What `tkgen new` asks on a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from .conftest import QA_BERT, environment

PATIENCE = 20  # seconds of silence after which a run counts as stuck


def on_terminal(
    checkout: Path,
    folder: Path,
    arguments: list[str],
    typed: str,
    interrupt_at: str | None = None,
) -> tuple[int, str]:
    """Run tkgen on a terminal with these keys typed; return exit code and screen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tkgen", *arguments],
        env=environment(checkout, {"TERM": "xterm", "COLUMNS": "100"}),
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    screen = b""
    silent_since = time.monotonic()
    with suppress(OSError):  # the other end is closed: the process has ended
        while time.monotonic() - silent_since < PATIENCE:
            if select.select([ours], [], [], 0.2)[0]:
                screen += os.read(ours, 65536)
                silent_since = time.monotonic()
            elif interrupt_at and interrupt_at.encode() in screen:
                process.send_signal(signal.SIGINT)
        process.kill()
    os.close(ours)
    return process.wait(), screen.decode()


def test_missing_answers_are_asked_for(checkout: Path, tmp_path: Path) -> None:
    """Each question names the flag that skips it; the same command ends the run."""
    code, screen = on_terminal(checkout, tmp_path, ["new"], "mrc\nbert\nmine\n")
    assert code == 0, screen
    assert (tmp_path / "mine" / "mine" / "model.py").is_file()
    assert "--task skips" in screen and "--model skips" in screen
    assert "NAME skips" in screen
    assert "Extractive question answering" in screen
    assert "tkgen new mine --task qa --model bert" in screen


def test_enter_takes_the_default(checkout: Path, tmp_path: Path) -> None:
    """An empty answer takes the default that the prompt shows."""
    code, screen = on_terminal(checkout, tmp_path, ["new", "--task", "qa"], "\n\n")
    assert code == 0, screen
    assert "Which task?" not in screen
    assert (tmp_path / "qa-bert").is_dir()


def test_a_wrong_answer_is_asked_again(checkout: Path, tmp_path: Path) -> None:
    """A wrong answer says why, and the question comes again."""
    typed = "qaa\nqa\nbert\nclass\n../x\nmine\n"
    code, screen = on_terminal(checkout, tmp_path, ["new"], typed)
    assert code == 0, screen
    assert "did you mean 'qa'?" in screen
    assert "keyword" in screen
    assert (tmp_path / "mine").is_dir()


def test_a_wrong_flag_is_refused_before_any_question(
    checkout: Path, tmp_path: Path
) -> None:
    """Nobody answers questions for a command that is wrong already."""
    code, screen = on_terminal(checkout, tmp_path, ["new", "--model", "brt"], "")
    assert code == 2
    assert "did you mean 'bert'?" in screen and "skips" not in screen


@pytest.mark.parametrize("arguments", [QA_BERT, ["mine", *QA_BERT]])
def test_with_task_and_model_nothing_is_asked(
    checkout: Path, tmp_path: Path, arguments: list[str]
) -> None:
    """Task and model are enough, on a terminal too."""
    code, screen = on_terminal(checkout, tmp_path, ["new", *arguments], "")
    assert code == 0, screen
    assert "skips" not in screen and "without questions" not in screen


def test_no_input_asks_nothing_on_a_terminal(checkout: Path, tmp_path: Path) -> None:
    """--no-input makes a missing answer an error that names flag and choices."""
    code, screen = on_terminal(checkout, tmp_path, ["new", "--no-input"], "")
    assert code == 2
    assert "give --task with one of: qa" in screen


def test_interrupting_a_question_leaves_nothing(checkout: Path, tmp_path: Path) -> None:
    """Ctrl-C at a prompt ends with exit code 130, no traceback and no file."""
    code, screen = on_terminal(checkout, tmp_path, ["new"], "", interrupt_at="Task [")
    assert code == 130, screen
    assert "Traceback" not in screen
    assert list(tmp_path.iterdir()) == []
