"""Checkpoints from Hugging Face, by its own client and in its own cache.

The client honours HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE. A
connection that breaks is taken up where it broke; after a kill, files that are whole
are kept and the one under way starts anew. Each use asks the server for its list of
files; without an answer the cache serves.
"""

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from .by_hand import OFFLINE, get_by_hand, is_offline
from .errors import UserError

# One of these is downloaded; in the order in which checkpoints.py would take them.
WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "tf_model.h5",
)
CONFIG = "config.json"
VOCABULARIES = ("tokenizer.json", "vocab.txt", "spiece.model")
CASING = "tokenizer_config.json"
TIMEOUT = 10  # seconds for the server's first answer


def fetch_repository(repository: str, revision: str = "main") -> Path:
    """Return the folder of a repository's checkpoint, downloaded where need be.

    `revision` is a branch, a tag or a commit. Raises UserError where it cannot be had.
    """
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", repository, re.ASCII):
        raise UserError(
            f'"{repository}" is no repository of Hugging Face',
            "its name is OWNER/NAME, with letters, digits, -, _ and .",
            "write it so: hf://OWNER/NAME or hf://OWNER/NAME@REVISION",
        )
    client = load_client(repository, revision)
    cached = find_cached(client, repository, revision)
    if is_offline():
        if cached:
            return cached
        raise not_downloaded(repository, revision, OFFLINE)
    wanted: list[str] = []
    try:
        commit, files = list_files(client, repository, revision)
        wanted = choose_files(files, repository)
        here = {name for name in wanted if find_file(client, repository, commit, name)}
        folder = client.snapshot_download(
            repository, revision=revision, allow_patterns=wanted
        )
        for name in wanted:
            if name not in here:
                check_file(Path(folder) / name, files[name], repository)
    except UserError:
        raise
    # Each version of the client raises the errors of another HTTP library.
    except Exception as error:
        explained = explain(error, repository, revision, wanted)
        if not cached:
            raise explained from error
        print(f"warning: {explained}; the cache serves", file=sys.stderr)
        return cached
    return Path(folder)


def load_client(repository: str, revision: str) -> ModuleType:
    """Import huggingface_hub, which nothing else here needs."""
    try:
        import huggingface_hub
    except ImportError as error:
        raise not_downloaded(
            repository,
            revision,
            "that needs huggingface_hub, which is not installed",
            before='pip install -e ".[hub]"; or ',
        ) from error
    return huggingface_hub


def find_file(
    client: ModuleType, repository: str, revision: str, name: str
) -> Path | None:
    """Return the path of a file in the cache; what is there is whole."""
    found = client.try_to_load_from_cache(repository, name, revision=revision)
    return Path(found) if isinstance(found, str) else None


def find_cached(client: ModuleType, repository: str, revision: str) -> Path | None:
    """Return the cache's folder of a revision if a config and weights are there."""
    config = find_file(client, repository, revision, CONFIG)
    return config.parent if config and has_weights(config.parent) else None


def has_weights(folder: Path) -> bool:
    """Return whether weights are there, with every shard that an index names."""
    name = next((name for name in WEIGHTS if (folder / name).is_file()), None)
    if name is None or not name.endswith(".index.json"):
        return name is not None
    try:
        index = json.loads((folder / name).read_text(encoding="utf-8"))
        return all((folder / shard).is_file() for shard in index["weight_map"].values())
    except (ValueError, LookupError, AttributeError, TypeError):
        return False  # the download or the reader says what is wrong


def list_files(
    client: ModuleType, repository: str, revision: str
) -> tuple[str, dict[str, Any]]:
    """Return a revision's commit, and what the server tells of each file in it."""
    info = client.HfApi().model_info(
        repository, revision=revision, files_metadata=True, timeout=TIMEOUT
    )
    return info.sha, {file.rfilename: file for file in info.siblings or ()}


def choose_files(names: Iterable[str], repository: str) -> list[str]:
    """Return what is needed out of a repository's files."""
    names = list(names)
    weights = next((name for name in WEIGHTS if name in names), None)
    if weights is None or CONFIG not in names:
        shown = ", ".join(sorted(names)[:8]) or "no files"
        raise UserError(
            f"{repository} has no checkpoint that can be read",
            f"looked for {CONFIG} and one of {', '.join(WEIGHTS)}; it has {shown}",
            "choose another repository, or convert its weights to safetensors",
        )
    wanted = [CONFIG, weights]
    if weights.endswith(".index.json"):
        stem, suffix = weights.removesuffix(".index.json").rsplit(".", 1)
        shard = re.compile(rf"{re.escape(stem)}-[\w-]+\.{suffix}")
        wanted += [name for name in names if shard.fullmatch(name)]
    return wanted + [name for name in (*VOCABULARIES, CASING) if name in names]


def check_file(path: Path, told: Any, repository: str) -> None:
    """Raise UserError where a file is not what the server's list tells of it.

    The file is then removed from the cache, so that it is never taken for whole.
    """
    found: tuple[Any, Any] = (path.stat().st_size, None)
    expected = (found[0] if told.size is None else told.size, None)
    if told.lfs and found[0] == expected[0]:
        with path.open("rb") as file:
            found = (found[0], hashlib.file_digest(file, "sha256").hexdigest())
        expected = (expected[0], told.lfs.sha256)
    if found != expected:
        path.resolve().unlink()
        path.unlink(missing_ok=True)
        raise UserError(
            f"{path.name} of {repository} came damaged and was removed",
            f"size and SHA-256 are {found}, and should be {expected}",
            "try again; where HF_ENDPOINT names a mirror, try another one",
        )


def page_of(repository: str) -> str:
    """Return the address of a repository's page."""
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    return f"{endpoint.rstrip('/')}/{repository}"


def explain(
    error: Exception, repository: str, revision: str, wanted: Sequence[str]
) -> UserError:
    """Return what to do about an error of the client."""
    from huggingface_hub import errors

    if isinstance(error, errors.RevisionNotFoundError):
        return UserError(
            f'{repository} has no revision "{revision}"',
            "a revision is a branch, a tag or a whole commit hash",
            f"leave out @{revision}, or choose one of {page_of(repository)}/tree/main",
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return UserError(
            f"no repository {repository} on Hugging Face",
            "there is none, or it is private or gated and this machine has no access",
            f"look at {page_of(repository)}; for access: hf auth login, or HF_TOKEN",
        )
    why = (str(error) or type(error).__name__).splitlines()[0]
    return not_downloaded(repository, revision, why, wanted)


def not_downloaded(
    repository: str,
    revision: str,
    why: str,
    wanted: Sequence[str] = (),
    before: str = "",
) -> UserError:
    """Return the error that names each file to get by hand.

    `wanted` are the files, empty where the server's list of them could not be had.
    """
    wanted = wanted or (
        CONFIG,
        f"{WEIGHTS[0]} (if there is none: {WEIGHTS[2]}, else {WEIGHTS[4]})",
        *(f"{name} (if there is one)" for name in (*VOCABULARIES, CASING)),
    )
    root = f"{page_of(repository)}/resolve/{revision}"
    name = f"hf://{repository}" + ("" if revision == "main" else f"@{revision}")
    step = f"{before}get these files by hand into one folder"
    return get_by_hand(name, why, step, [f"{root}/{file}" for file in wanted])
