"""A project is there whole or not at all, whatever ends the process."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tkgen.apply import MARKER, made_folder, remove_left_overs, staging_folder

from .conftest import QA_BERT, Run, environment
from .test_new import assert_whole


def start(checkout: Path, folder: Path) -> subprocess.Popen[str]:
    """Start `tkgen new` and return its process."""
    return subprocess.Popen(
        [sys.executable, "-m", "tkgen", "new", *QA_BERT],
        env=environment(checkout),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_staging(folder: Path, process: subprocess.Popen[str]) -> None:
    """Wait until the process has made its staging folder."""
    while process.poll() is None and not any(folder.glob(".tkgen-*")):
        time.sleep(0.002)


def dead_process() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def make_left_over(folder: Path, pid: int, host: str | None = None) -> Path:
    """Make the staging folder that a killed process leaves."""
    left_over = folder / f".tkgen-{pid}-0123abcd"
    (left_over / "qa-bert").mkdir(parents=True)
    owner = {"pid": pid, "host": host or socket.gethostname()}
    (left_over / MARKER).write_text(json.dumps(owner))
    return left_over


def test_a_kill_leaves_nothing_or_the_whole(
    checkout: Path, tkgen: Run, tmp_path: Path
) -> None:
    """Killed at any moment, the target is absent or whole, and the next run cleans."""
    delays = random.Random(2)
    left_overs = 0
    for number in range(18):
        process = start(checkout, tmp_path)
        if number % 3 == 0:  # every third one surely dies while it writes
            wait_for_staging(tmp_path, process)
            time.sleep(delays.uniform(0, 0.1))
        else:
            time.sleep(delays.uniform(0.05, 0.9))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        left_overs += len(list(tmp_path.glob(".tkgen-*")))
        if (tmp_path / "qa-bert").exists():
            assert_whole(tmp_path / "qa-bert")
            shutil.rmtree(tmp_path / "qa-bert")
    assert left_overs
    result = tkgen("new", *QA_BERT)
    assert result.returncode == 0, result.stderr
    assert os.listdir(tmp_path) == ["qa-bert"]
    assert_whole(tmp_path / "qa-bert")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_an_interrupt_cleans_up(
    checkout: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Ctrl-C, or a request to end, while files are written leaves none of them."""
    process = start(checkout, tmp_path)
    wait_for_staging(tmp_path, process)
    process.send_signal(number)
    _, stderr = process.communicate()
    assert process.returncode == code, stderr
    assert "Traceback" not in stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [staging_folder, made_folder])
def test_an_interrupt_right_after_a_folder_is_made(
    make: Callable[[Path], AbstractContextManager[object]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a signal's handler raises as soon as a folder is there leaves none."""
    real, made = os.mkdir, []

    def mkdir(path: Path, mode: int = 0o777) -> None:
        real(path, mode)
        made.append(path)
        raise SystemExit(143)

    monkeypatch.setattr(os, "mkdir", mkdir)
    target = tmp_path if make is staging_folder else tmp_path / "a" / "b"
    with pytest.raises(SystemExit), make(target):
        pass
    assert made and list(tmp_path.iterdir()) == []


def test_left_overs_of_the_dead_are_removed(tmp_path: Path) -> None:
    """A marked folder of an ended process goes, and so does an empty unmarked one."""
    marked = make_left_over(tmp_path, dead_process())
    empty = tmp_path / f".tkgen-{dead_process()}-89abcdef"
    empty.mkdir()
    remove_left_overs(tmp_path)
    assert not marked.exists() and not empty.exists()


def test_what_may_be_in_use_or_not_ours_stays(tmp_path: Path) -> None:
    """Folders of a living process, of another machine, or without our marker stay."""
    dead = dead_process()
    kept = [
        make_left_over(tmp_path, os.getpid()),
        make_left_over(tmp_path, dead, host="another-machine"),
        tmp_path / ".tkgen-notes",
        tmp_path / f".tkgen-{dead}-76543210",
        tmp_path / f".tkgen-{dead}-0000000g",
    ]
    for folder in kept:
        folder.mkdir(exist_ok=True)
        (folder / "mine").write_text("mine")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / MARKER).write_text(
        json.dumps({"pid": dead, "host": socket.gethostname()})
    )
    link = tmp_path / f".tkgen-{dead}-11111111"
    link.symlink_to(outside)
    remove_left_overs(tmp_path)
    assert all((folder / "mine").exists() for folder in kept)
    assert (link / MARKER).exists()


def test_staging_is_private_and_goes_away(tmp_path: Path) -> None:
    """The staging folder is closed to others, and gone after an error too."""
    with pytest.raises(ZeroDivisionError), staging_folder(tmp_path) as staging:
        assert staging.stat().st_mode & 0o777 == 0o700
        (staging / "project").mkdir()
        (staging / "project" / "file").write_text("x")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_folders_made_on_the_way_are_removed_on_failure(
    tkgen: Run, tmp_path: Path
) -> None:
    """A failing run takes the output folders back that it made, and only those."""
    (tmp_path / "there").mkdir()
    folder = tmp_path / "there" / "new" / ("x" * 300)
    result = tkgen("new", *QA_BERT, "--output-dir", str(folder))
    assert result.returncode == 3
    assert "File name too long" in result.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]
