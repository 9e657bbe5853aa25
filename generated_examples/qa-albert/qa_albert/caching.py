"""Keeps what takes long to compute from files and settings: tokenized data."""

import dataclasses
import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np

from .atomic import explained

Arrays = TypeVar("Arrays")


def load_or_build(
    kind: type[Arrays],
    cache_dir: str,
    key: Iterable[str],
    build: Callable[[], Arrays],
) -> Arrays:
    """Return a dataclass of arrays from the cache, or build it and keep it there.

    `key` names everything that the arrays depend on; with an empty `cache_dir`
    nothing is kept. A file is whole or absent. Raises UserError where it cannot be
    written.
    """
    if not cache_dir:
        return build()
    digest = hashlib.sha256()
    for part in key:
        digest.update(part.encode() + b"\0")
    path = Path(cache_dir) / f"{digest.hexdigest()[:32]}.npz"
    if path.exists():
        with np.load(path) as arrays:
            return kind(**arrays)
    built = build()
    # Not `atomically`: another process may be about to keep the same.
    temporary = path.with_name(f"unfinished-{os.getpid()}-{path.name}")
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            np.savez(temporary, **dataclasses.asdict(built))
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    return built
