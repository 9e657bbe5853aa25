"""Publishes a project atomically: written beside the target, then renamed onto it."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tkgen.errors import TargetNotEmptyError, TargetNotFolderError
from tkgen.render import FILE_MODE, FOLDER_MODE

MARKER = ".tkgen-staging"
STAGING_NAME = re.compile(r"\.tkgen-(?P<pid>[1-9][0-9]*)-[0-9a-f]{8}")


def check_target(target: Path) -> None:
    """Raise a RefusalError unless the target is missing or an empty folder.

    Raises OSError where the target cannot be looked at.
    """
    if target.is_symlink():
        raise TargetNotFolderError(target, "a symbolic link")
    if target.is_dir():
        if any(os.scandir(target)):
            raise TargetNotEmptyError(target)
    elif os.path.lexists(target):
        raise TargetNotFolderError(target, "a file")


@contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """Make the folder and its parents; where the block fails, remove those again."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    made = []
    try:
        for path in reversed(missing):
            made.append(path)  # first, or a signal in between leaves the folder
            path.mkdir(exist_ok=True)
        yield
    except BaseException:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir()
        raise


@contextmanager
def staging_folder(parent: Path) -> Iterator[Path]:
    """Make a private folder to build in, and remove it when the block ends.

    Its name holds the number of this process and a marker file lies in it, so
    that the next run can clean up after a process that was killed.
    """
    remove_left_overs(parent)
    staging = parent / f".tkgen-{os.getpid()}-{os.urandom(4).hex()}"
    try:
        staging.mkdir(mode=0o700)
        owner = {"pid": os.getpid(), "host": socket.gethostname()}
        (staging / MARKER).write_text(json.dumps(owner), "utf-8")
        yield staging
    finally:
        remove_staging(staging)


def remove_staging(staging: Path) -> None:
    """Remove a staging folder, the marker last: an interrupted removal can go on."""
    with suppress(OSError):
        for entry in os.scandir(staging):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            elif entry.name != MARKER:
                os.unlink(entry.path)
        (staging / MARKER).unlink(missing_ok=True)
        staging.rmdir()


def remove_left_overs(parent: Path) -> None:
    """Remove the staging folders in this folder whose process has ended.

    A folder counts as ours by its name and its marker; without a marker only
    an empty one does, left by a kill between two system calls.
    """
    with suppress(OSError):
        for entry in list(os.scandir(parent)):
            match = STAGING_NAME.fullmatch(entry.name)
            if not match or not entry.is_dir(follow_symlinks=False):
                continue
            if is_running(int(match["pid"])):
                continue
            if carries_our_marker(Path(entry.path), int(match["pid"])):
                remove_staging(Path(entry.path))
            else:
                with suppress(OSError):
                    os.rmdir(entry.path)


def carries_our_marker(staging: Path, pid: int) -> bool:
    """Return whether a process of this number and this machine made the folder."""
    try:
        owner = json.loads((staging / MARKER).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(owner == {"pid": pid, "host": socket.gethostname()})


def is_running(pid: int) -> bool:
    """Return whether a process of this number may be alive."""
    if os.name != "posix":
        return True  # os.kill ends a process elsewhere, even with signal 0
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def write_files(project: Path, files: Mapping[str, bytes]) -> None:
    """Write files into the staged project, making their folders."""
    for name, content in files.items():
        path = project / name
        path.parent.mkdir(exist_ok=True)
        path.parent.chmod(FOLDER_MODE)
        path.write_bytes(content)
        path.chmod(FILE_MODE)


def publish(project: Path, target: Path) -> None:
    """Move the staged project onto the target, in one step.

    The files are on the disk before the rename, so that not even a power cut
    leaves a project that is named but not whole. Raises a RefusalError where
    the target has come to hold something in the meantime, or OSError.
    """
    for folder, _, names in os.walk(project):
        for name in names:
            sync(Path(folder, name))
        sync_folder(Path(folder))
    check_target(target)
    os.rename(project, target)
    sync_folder(target.parent)


def sync(path: Path) -> None:
    """Have the system write a file, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Sync a folder where the file system can: some cannot, and need not."""
    with suppress(OSError):
        sync(path)
