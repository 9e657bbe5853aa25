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
    Raises UserError where nothing can be written there.
    """
    scratch = path.with_name(f"unfinished-{path.name}")
    try:
        with explained(path):
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True)
        yield scratch / path.name
        with explained(path):
            os.replace(scratch / path.name, path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Make a UserError of an error in writing `path`."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"cannot write {path}",
            error.strerror or str(error),
            "give a path in a folder that can be written",
        ) from error
