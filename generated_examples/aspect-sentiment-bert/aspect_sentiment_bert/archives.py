"""Checkpoints from Google's server: an archive becomes a folder in Keras' cache.

keras.utils.get_file downloads straight to the file's final name, cannot resume, and
takes whatever lies there for the whole file. So each archive is downloaded into a
folder of its own, unpacked and checked there, and the result renamed: what is in the
cache is whole. A broken download starts anew.
"""

import gzip
import hashlib
import os
import shutil
import socket
import tempfile
import time
import warnings
from collections.abc import Mapping
from pathlib import Path

from .by_hand import OFFLINE, get_by_hand, is_offline

SERVER = "https://storage.googleapis.com"
TIMEOUT = 30  # seconds without an answer
LEFTOVER_AGE = 24 * 60 * 60  # seconds after which an unfinished download is a dead one


def cache_folder() -> Path:
    """Return the folder for unpacked archives: $KERAS_HOME or ~/.keras, checkpoints."""
    home = os.environ.get("KERAS_HOME") or "~/.keras"
    return Path(home).expanduser() / "checkpoints"


def fetch_archive(name: str, place: str, hashes: Mapping[str, str]) -> Path:
    """Return the folder of an archive, downloaded where it is not in the cache.

    `place` is the archive's bucket and path, `hashes` the SHA-256 of files in it, as
    far as they are known. Raises UserError where it cannot be had whole.
    """
    cache, url = cache_folder(), f"{SERVER}/{place}"
    folder = cache / name
    if folder.is_dir():
        return folder
    step = "by hand, get this archive and unpack it"
    if is_offline():
        raise get_by_hand(name, OFFLINE, step, [url])
    cache.mkdir(parents=True, exist_ok=True)
    remove_leftovers(cache)
    with tempfile.TemporaryDirectory(
        prefix="unfinished-", dir=cache, ignore_cleanup_errors=True
    ) as scratch:
        try:
            found = find_unpacked(download(url, Path(scratch)))
            check_hashes(found, hashes)
        except Exception as error:  # get_file raises a bare one for every URL error
            why = (str(error) or type(error).__name__).splitlines()[0]
            raise get_by_hand(name, why, f"try again, or {step}", [url]) from error
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.replace(found, folder)
        except OSError:
            if not folder.is_dir():  # else another process was first
                raise
    return folder


def remove_leftovers(cache: Path) -> None:
    """Remove what downloads that were killed long ago have left behind."""
    for path in cache.glob("unfinished-*"):
        if time.time() - path.stat().st_mtime > LEFTOVER_AGE:
            shutil.rmtree(path, ignore_errors=True)


def download(url: str, scratch: Path) -> Path:
    """Download an archive into a folder; return the folder of what it held."""
    from keras.utils import get_file

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)  # get_file itself would wait for ever
    try:
        with warnings.catch_warnings():
            # It warns of a file that is no archive, which is an error here.
            warnings.simplefilter("ignore")
            get_file("files", url, extract=True, cache_dir=scratch, cache_subdir="")
    finally:
        socket.setdefaulttimeout(before)
    check_gzip(scratch / "files_archive")
    return scratch / "files"


def check_gzip(archive: Path) -> None:
    """Raise an error where a .tar.gz is damaged; of a .zip that is told by unpacking.

    Unpacking a tar ends before the check sum, so it takes a changed byte for good.
    """
    with archive.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    if is_gzip:
        with gzip.open(archive) as content:
            while content.read(2**20):
                pass


def find_unpacked(folder: Path) -> Path:
    """Return the folder in which an archive has its checkpoint.

    Raises ValueError where there is none, or one that lacks a file.
    """
    indexes = [
        path for path in folder.rglob("*.index") if not path.name.startswith(".")
    ]
    if len(indexes) != 1:
        raise ValueError("what came is no archive with one TensorFlow checkpoint")
    found, prefix = indexes[0].parent, indexes[0].stem
    needed = (f"{prefix}.data-*", "*_config.json", "*vocab*.txt or *.model")
    for patterns in needed:
        if not any(any(found.glob(pattern)) for pattern in patterns.split(" or ")):
            raise ValueError(f"the archive has no {patterns}")
    return found


def check_hashes(folder: Path, hashes: Mapping[str, str]) -> None:
    """Raise ValueError where a file has another SHA-256 than is known of it."""
    for name, expected in hashes.items():
        with (folder / name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise ValueError(f"{name} has the SHA-256 {found}, not {expected}")
