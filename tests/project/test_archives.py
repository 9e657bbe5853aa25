"""Google's archives become folders: against a server on the loopback address.

What is tried is what networks do: archives that are cut, changed, missing or never
come, and a process that is killed while one comes.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from .conftest import Load, environment
from .hub_server import running

DATA = Path(os.environ.get("TKGEN_DATA") or "/nowhere")
TINY = Path(__file__).with_name("google_bert_tiny")
CHECKPOINT = {
    "bert_config.json": b"{}",
    "vocab.txt": b"[PAD]\n",
    "bert_model.ckpt.index": b"index",
    "bert_model.ckpt.data-00000-of-00001": np.random.default_rng(0).bytes(200_000),
}
NAME, PLACE = "google/tiny", "bert_models/2020_02_20/tiny.zip"


class Server(ThreadingHTTPServer):
    """Serves archives by their path, and breaks off or stalls where it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.files: dict[str, bytes] = {}
        self.paths: list[str] = []
        self.end: int | None = None  # bytes after which the connection breaks
        self.stalls = False  # whether it stays open there, with nothing coming
        self.has_stalled = threading.Event()
        self.released = threading.Event()


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        """Send a file as far as it is to come."""
        self.server.paths.append(self.path)
        content = self.server.files.get(self.path.removeprefix("/"))
        if content is None:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: self.server.end])
        if self.server.stalls:
            self.wfile.flush()
            self.server.has_stalled.set()
            self.server.released.wait(60)


@pytest.fixture
def archives(load: Load) -> ModuleType:
    """The generated module."""
    return load("archives")


@pytest.fixture
def server(
    archives: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """A server in the place of Google's, and an empty cache."""
    server = Server()
    monkeypatch.setattr(archives, "SERVER", server.address)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for switch in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(switch, raising=False)
    with running(server):
        yield server
        server.released.set()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    """Return a compressed tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def inside(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files under the paths that they have in a folder."""
    return {f"{folder}/{name}": content for name, content in files.items()}


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def fetch(archives: ModuleType, **hashes: str) -> Path:
    """Fetch the archive that the tests serve."""
    return archives.fetch_archive(NAME, PLACE, hashes)


def refuse(load: Load, server: Server, **hashes: str) -> Any:
    """Return the error, which names the address; nothing stays in the cache."""
    archives = load("archives")
    with pytest.raises(load("errors").UserError) as caught:
        fetch(archives, **hashes)
    error = caught.value
    assert f"{server.address}/{PLACE}" in error.remedy
    assert "--pretrained FOLDER" in error.remedy
    cache = archives.cache_folder()
    assert not cache.exists() or [path.name for path in cache.iterdir()] == []
    return error


ALBERT = {
    "albert_config.json": b"{}",
    "30k-clean.model": b"model",
    "30k-clean.vocab": b"vocab",
    "model.ckpt-best.index": b"index",
    "model.ckpt-best.data-00000-of-00001": b"data",
}
APPLE = {"._model.ckpt-best.index": b"what macOS puts into archives"}


@pytest.mark.parametrize(
    ("archive", "files"),
    [
        (zipped(inside("uncased_L-2_H-128_A-2", CHECKPOINT)), CHECKPOINT),
        (zipped(CHECKPOINT), CHECKPOINT),
        (tarred(inside("albert_base", {**ALBERT, **APPLE})), {**ALBERT, **APPLE}),
    ],
    ids=["zip with a folder", "zip without", "tar"],
)
def test_whole_archives(
    archives: ModuleType, server: Server, archive: bytes, files: dict[str, bytes]
) -> None:
    """Each kind becomes one folder under KERAS_HOME, once."""
    server.files[PLACE] = archive
    folder = fetch(archives)
    assert folder == Path(os.environ["KERAS_HOME"]) / "checkpoints" / NAME
    assert contents(folder) == files
    assert fetch(archives) == folder
    assert server.paths == [f"/{PLACE}"]
    assert [path.name for path in archives.cache_folder().iterdir()] == ["google"]


def test_addresses(load: Load, server: Server) -> None:
    """Names lead to the addresses in the README of google-research/bert."""
    downloads = load("downloads")
    expected = {
        "google/uncased_L-12_H-768_A-12": "2018_10_18/uncased_L-12_H-768_A-12.zip",
        "google/uncased_L-24_H-1024_A-16": "2018_10_18/uncased_L-24_H-1024_A-16.zip",
        "google/cased_L-12_H-768_A-12": "2018_10_18/cased_L-12_H-768_A-12.zip",
        "google/cased_L-24_H-1024_A-16": "2018_10_18/cased_L-24_H-1024_A-16.zip",
        "google/multi_cased_L-12_H-768_A-12": (
            "2018_11_23/multi_cased_L-12_H-768_A-12.zip"
        ),
        "google/multilingual_L-12_H-768_A-12": (
            "2018_11_03/multilingual_L-12_H-768_A-12.zip"
        ),
        "google/chinese_L-12_H-768_A-12": "2018_11_03/chinese_L-12_H-768_A-12.zip",
        "google/wwm_uncased_L-24_H-1024_A-16": (
            "2019_05_30/wwm_uncased_L-24_H-1024_A-16.zip"
        ),
        "google/wwm_cased_L-24_H-1024_A-16": (
            "2019_05_30/wwm_cased_L-24_H-1024_A-16.zip"
        ),
        "google/uncased_L-2_H-128_A-2": "2020_02_20/uncased_L-2_H-128_A-2.zip",
        "google/uncased_L-8_H-512_A-8": "2020_02_20/uncased_L-8_H-512_A-8.zip",
        "google/2020_02_20/uncased_L-12_H-768_A-12": (
            "2020_02_20/uncased_L-12_H-768_A-12.zip"
        ),
    }
    for name in expected:
        with pytest.raises(load("errors").UserError, match="404"):
            downloads.fetch_checkpoint(name)
    assert server.paths == [f"/bert_models/{path}" for path in expected.values()]
    origins = load("known_checkpoints").ORIGINS
    dated = [name for name, (origin, _) in origins.items() if "2020_02_20" in origin]
    assert len(dated) == 24


def test_weights_by_name(load: Load, server: Server) -> None:
    """A name gives the same weights as the folder that its archive was made of."""
    files = {**contents(TINY), "vocab.txt": b"[PAD]\n[UNK]\n"}
    del files["expected.npz"]
    server.files["bert_models/2020_02_20/uncased_L-2_H-128_A-2.zip"] = zipped(files)
    load("downloads").fetch_checkpoint.cache_clear()
    from_pretrained = load("weights").from_pretrained
    found = from_pretrained("google/uncased_L-2_H-128_A-2").get_weights()
    expected = from_pretrained(TINY).get_weights()
    assert len(found) == len(expected) == 5 + 16 * 3 + 2
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def flipped(archive: bytes) -> bytes:
    """Return an archive with one bit of its largest file changed."""
    content = bytearray(archive)
    content[len(content) // 2] ^= 1
    return bytes(content)


WHOLE = zipped(inside("tiny", CHECKPOINT))
WHOLE_TAR = tarred(inside("tiny", CHECKPOINT))
BROKEN = {
    "half a zip": WHOLE[: len(WHOLE) // 2],
    "half a tar": WHOLE_TAR[: len(WHOLE_TAR) // 2],
    "all of a zip but its end": WHOLE[:-30],
    "all of a tar but its end": WHOLE_TAR[:-30],
    "a changed bit in a zip": flipped(WHOLE),
    "a changed bit in a tar": flipped(WHOLE_TAR),
    "the page of a hotel's network": b"<html>Please log in</html>",
    "nothing": b"",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_archives(load: Load, server: Server, name: str) -> None:
    """What is not whole is refused; when the whole one is there, it comes."""
    server.files[PLACE] = BROKEN[name]
    refuse(load, server)
    server.files[PLACE] = WHOLE
    assert contents(fetch(load("archives"))) == CHECKPOINT


@pytest.mark.parametrize("lacking", [*CHECKPOINT])
def test_archives_that_lack_a_file(load: Load, server: Server, lacking: str) -> None:
    """Config, vocabulary and both files of the checkpoint must be there."""
    files = {name: content for name, content in CHECKPOINT.items() if name != lacking}
    server.files[PLACE] = zipped(inside("tiny", files))
    error = refuse(load, server)
    assert "TensorFlow checkpoint" in error.why or "has no" in error.why


def test_hashes(load: Load, server: Server) -> None:
    """Where the SHA-256 of a file is known, another content is refused."""
    server.files[PLACE] = WHOLE
    vocab = hashlib.sha256(CHECKPOINT["vocab.txt"]).hexdigest()
    error = refuse(load, server, **{"vocab.txt": "0" * 64})
    assert vocab in error.why
    folder = fetch(load("archives"), **{"vocab.txt": vocab})
    assert contents(folder) == CHECKPOINT


@pytest.mark.skipif(not DATA.is_dir(), reason="TKGEN_DATA names no folder")
def test_known_hashes(load: Load) -> None:
    """The hashes in the table are those of Google's vocabularies."""
    known = load("known_checkpoints").SHA256
    for kind, archives in {
        "uncased": ("uncased_L-12_H-768_A-12", "uncased_L-24_H-1024_A-16"),
        "cased": ("cased_L-12_H-768_A-12", "cased_L-24_H-1024_A-16"),
        "chinese": ("chinese_L-12_H-768_A-12",),
    }.items():
        content = (DATA / f"vocab_bert_{kind}" / "vocab.txt").read_bytes()
        for name in archives:
            found = known[f"google/{name}"]["vocab.txt"]
            assert found == hashlib.sha256(content).hexdigest()
    hashes = [each for files in known.values() for each in files.values()]
    assert len(hashes) == 7 * 4
    assert len({*hashes}) == 7 * 3 + 5  # two sizes share a vocabulary, twice
    assert all(len(each) == 64 and int(each, 16) for each in hashes)


def test_no_network(
    load: Load, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline nothing is asked; a missing file or server, and a dead one, are told."""
    server.files["other"] = WHOLE
    assert "404" in refuse(load, server).why
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    asked = len(server.paths)
    assert "HF_HUB_OFFLINE" in refuse(load, server).why
    assert len(server.paths) == asked
    monkeypatch.delenv("HF_HUB_OFFLINE")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server.address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    monkeypatch.setattr(load("archives"), "SERVER", server.address)
    assert "refused" in refuse(load, server).why


@pytest.mark.parametrize("stalls", [False, True])
def test_broken_connections(
    load: Load, server: Server, monkeypatch: pytest.MonkeyPatch, stalls: bool
) -> None:
    """A connection that ends or falls silent half-way is an error, and soon."""
    monkeypatch.setattr(load("archives"), "TIMEOUT", 1)
    server.files[PLACE], server.end, server.stalls = WHOLE, 100_000, stalls
    start = time.monotonic()
    refuse(load, server)
    assert time.monotonic() - start < 10
    assert socket.getdefaulttimeout() is None
    server.end, server.stalls = None, False
    assert contents(fetch(load("archives"))) == CHECKPOINT


KILLED = """
import sys
from qa_bert import archives
archives.SERVER = sys.argv[1]
archives.fetch_archive(*sys.argv[2:], {})
"""


def test_a_killed_download(project: Path, archives: ModuleType, server: Server) -> None:
    """After a kill the half file is taken for nothing, and is removed in time."""
    server.files[PLACE], server.end, server.stalls = WHOLE, 100_000, True
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, server.address, NAME, PLACE],
        cwd=project,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert server.has_stalled.wait(120)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    server.released.set()
    (left,) = archives.cache_folder().iterdir()
    assert left.name.startswith("unfinished-") and [*left.iterdir()] != []
    server.end, server.stalls = None, False
    folder = fetch(archives)
    assert contents(folder) == CHECKPOINT
    assert left.exists()  # it could be another process at work
    shutil.rmtree(folder)
    os.utime(left, (0, 0))
    fetch(archives)
    assert [path.name for path in archives.cache_folder().iterdir()] == ["google"]


def test_two_at_once(
    archives: ModuleType, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another process was first, its folder is taken."""
    server.files[PLACE] = WHOLE
    check = archives.check_hashes

    def overtaken(*arguments: Any) -> None:
        check(*arguments)
        other = archives.cache_folder() / NAME
        other.mkdir(parents=True)
        (other / "vocab.txt").write_text("of the other")

    monkeypatch.setattr(archives, "check_hashes", overtaken)
    assert contents(fetch(archives)) == {"vocab.txt": b"of the other"}


def test_paths_out_of_the_archive(archives: ModuleType, server: Server) -> None:
    """An archive writes nothing outside of its folder."""
    server.files[PLACE] = zipped({**CHECKPOINT, "../../../evil": b"e"})
    assert contents(fetch(archives)) == CHECKPOINT
    home = Path(os.environ["KERAS_HOME"]).parent
    assert not any(path.name == "evil" for path in home.rglob("*"))
