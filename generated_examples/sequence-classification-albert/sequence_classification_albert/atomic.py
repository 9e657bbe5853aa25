"""Files and folders that are whole or absent, whatever ends the process."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import UserError


@contextmanager
def atomically(path: Path) -> Iterator[Path]:
    """Give where to write a file or a folder, which is moved to `path` in the end.

    What was at `path` stays until then, and stays where the block fails. The place lies
    in a folder beside `path`, `unfinished-…`, which may hold other files for a while; a
    killed process leaves it behind, and the next one that writes `path` removes it.
    Raises UserError where nothing can be written there, or the disk is full.
    """
    scratch = path.with_name(f"unfinished-{path.name}")
    try:
        with explained(path):
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True)
        with explained(path, within=scratch):
            yield scratch / path.name
        with explained(path):
            os.replace(scratch / path.name, path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def explained(path: Path, within: Path | None = None) -> Iterator[None]:
    """Make a UserError of an error in writing `path`.

    With `within`, errors that name a file outside that folder stay what they are.
    """
    try:
        yield
    except OSError as error:
        named = error.filename2 or error.filename  # none where a disk is full
        elsewhere = named and within and within not in Path(str(named)).parents
        if elsewhere or (within and isinstance(error, BrokenPipeError)):
            raise
        raise UserError(
            f"cannot write {path}",
            os.strerror(error.errno) if error.errno else str(error),
            "see to its rights and the room on its disk, or give another path",
        ) from error
