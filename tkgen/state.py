"""Makes the `.tkgen/` folder: what a later update needs to know of this render.

Identical answers give identical bytes, on any machine and at any time.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from tkgen import __version__
from tkgen.answers import Answers
from tkgen.catalog import Catalog

STATE_FOLDER = ".tkgen"
ANSWERS_PATH = f"{STATE_FOLDER}/answers.toml"
LOCK_PATH = f"{STATE_FOLDER}/lock.json"
BASE_PATH = f"{STATE_FOLDER}/base.zip"
LOCK_VERSION = 1

STATE_DESCRIPTIONS = {
    ANSWERS_PATH: "the answers this project was generated from",
    LOCK_PATH: "the generated files with their hashes and sources",
    BASE_PATH: "the files as generated, for later updates",
}

EARLIEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
UNIX = 3
REGULAR_FILE = 0o100644


@dataclass(frozen=True)
class FileRecord:
    """What is remembered of one generated file."""

    path: str
    sha256: str
    axis: str
    sources: tuple[str, ...]


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 of the content as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def record_files(
    catalog: Catalog, answers: Answers, contents: Mapping[str, bytes]
) -> tuple[FileRecord, ...]:
    """Return a record of every generated file, sorted by path."""
    records = [
        FileRecord(
            path=path,
            sha256=sha256_of(contents[path]),
            axis=file.axis,
            sources=file.sources_for(answers.choices),
        )
        for file in catalog.files_for(answers.task)
        for path in [file.path_for(answers.package)]
    ]
    return tuple(sorted(records, key=lambda record: record.path))


def make_state(
    answers: Answers, records: tuple[FileRecord, ...], contents: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Return the files of `.tkgen/` by path, sorted."""
    base = make_base(contents)
    return {
        ANSWERS_PATH: make_answers_file(answers).encode(),
        BASE_PATH: base,
        LOCK_PATH: make_lock(records, base).encode(),
    }


def make_answers_file(answers: Answers) -> str:
    """Return the answers as TOML. No value can hold a quote or a line end."""
    names = {"project_slug": answers.project_slug, "package": answers.package}
    values = {"task": answers.task, "model": answers.model} | names
    values |= dict(answers.options) | {"language": answers.language}
    lines = [f'{key} = "{value}"' for key, value in values.items()]
    return "\n".join(
        [
            "# What this project was generated from, for tkgen alone: "
            "the project runs without it.",
            f'tkgen = "{__version__}"',
            "",
            "[answers]",
            *lines,
            "",
        ]
    )


def make_lock(records: tuple[FileRecord, ...], base: bytes) -> str:
    """Return the lock file: versions, and every generated file with its origin."""
    lock = {
        "format": "tkgen-lock",
        "version": LOCK_VERSION,
        "tkgen": __version__,
        "base": {"path": BASE_PATH, "sha256": sha256_of(base)},
        "files": [asdict(record) for record in records],
    }
    return json.dumps(lock, indent=2) + "\n"


def make_base(contents: Mapping[str, bytes]) -> bytes:
    """Return the pristine files as a zip archive.

    Order, times, system and attributes are fixed. The method is bzip2, because
    deflate writes different bytes with zlib and with zlib-ng, which are both
    found under Python, while bzip2 has one encoder that is used everywhere.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(contents):
            entry = zipfile.ZipInfo(path, EARLIEST_ZIP_TIME)
            entry.create_system = UNIX
            entry.external_attr = REGULAR_FILE << 16
            archive.writestr(entry, contents[path], zipfile.ZIP_BZIP2, compresslevel=9)
    return buffer.getvalue()
