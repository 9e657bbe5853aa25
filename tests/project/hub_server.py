"""A server on the loopback address with what huggingface_hub asks of its hub.

It has the model API, the list of a commit's files, and the files themselves; weights
are redirected to another host name, as Hugging Face does. `cut`, `stalled` and `served`
make it fail in the ways that networks and mirrors fail.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

Files = Mapping[str, bytes]
LARGE = (".safetensors", ".bin", ".h5", ".msgpack", ".onnx")


class Request(NamedTuple):
    """One request: method, path and the Range header."""

    method: str
    path: str
    range: str


def sha256(content: bytes) -> str:
    """Return the SHA-256 of some bytes in hex."""
    return hashlib.sha256(content).hexdigest()


def commit_of(files: Files) -> str:
    """Return a commit hash for a set of files."""
    text = "".join(f"{name}{sha256(files[name])}" for name in sorted(files))
    return hashlib.sha1(text.encode()).hexdigest()


class Hub(ThreadingHTTPServer):
    """The server, what it has, what it was asked, and how it fails."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        # repository -> branch or tag -> files
        self.repositories: dict[str, dict[str, Files]] = {}
        self.requests: list[Request] = []
        self.cut: dict[str, list[int]] = {}  # file -> bytes before each break
        self.served: dict[str, bytes] = {}  # file -> what is sent in its place
        self.stalled: dict[str, int] = {}  # file -> bytes before nothing more comes
        self.has_stalled = threading.Event()
        self.released = threading.Event()

    def find(self, repository: str, revision: str) -> Files | None:
        """Return the files of a branch, tag or commit."""
        revisions = self.repositories[repository]
        commits = {commit_of(files): files for files in revisions.values()}
        return revisions.get(revision) or commits.get(revision)

    def asked_for(self, method: str = "GET") -> list[str]:
        """Return the names of files that were asked for, each as often as it was."""
        paths = [each.path for each in self.requests if each.method == method]
        return [
            path.rpartition("/")[2]
            for path in paths
            if "/resolve/" in path or path.startswith("/cdn/")
        ]


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self.answer()

    def do_GET(self) -> None:
        """Answer."""
        self.answer()

    def answer(self) -> None:
        """Find what the path means and send it."""
        path = self.path.partition("?")[0]
        asked = Request(self.command, path, self.headers.get("Range", ""))
        self.server.requests.append(asked)
        api = re.fullmatch(
            r"/api/models/([\w.-]+/[\w.-]+?)(?:/(revision|tree)/([^/]+))?", path
        )
        file = re.fullmatch(r"/([\w.-]+/[\w.-]+)/resolve/([^/]+)/(.+)", path)
        large = re.fullmatch(r"/cdn/(.+)/([^/]+)/([^/]+)", path)
        found = api or file or large
        if not found:
            return self.send(404, b"", {})
        repository = found[1]
        if repository not in self.server.repositories:
            return self.fail("RepoNotFound")
        revision = (found[3] if api else found[2]) or "main"
        files = self.server.find(repository, revision)
        if files is None:
            return self.fail("RevisionNotFound")
        if api:
            return self.send_list(repository, files, is_tree=api[2] == "tree")
        if found[3] not in files:
            return self.fail("EntryNotFound")
        return self.send_file(repository, files, found[3], is_large=bool(large))

    def fail(self, code: str) -> None:
        """Answer 404 with the hub's own code for the reason."""
        self.send(404, b"", {"X-Error-Code": code, "X-Error-Message": code})

    def send_list(self, repository: str, files: Files, is_tree: bool) -> None:
        """Send the model's information or the list of a commit's files."""
        siblings, tree = [], []
        for name, content in files.items():
            size, oid = len(content), hashlib.sha1(content).hexdigest()
            told = {"rfilename": name, "size": size, "blobId": oid}
            entry = {"type": "file", "path": name, "size": size, "oid": oid}
            if name.endswith(LARGE):
                large = {"size": size, "pointerSize": 134}
                told["lfs"] = {**large, "sha256": sha256(content)}
                entry["lfs"] = {**large, "oid": sha256(content)}
            siblings.append(told)
            tree.append(entry)
        info = {
            "id": repository,
            "modelId": repository,
            "sha": commit_of(files),
            "siblings": siblings,
            "tags": [],
        }
        body = json.dumps(tree if is_tree else info).encode()
        self.send(200, body, {"Content-Type": "application/json"})

    def send_file(
        self, repository: str, files: Files, name: str, is_large: bool
    ) -> None:
        """Send a file, or the address of a large one."""
        content = self.server.served.get(name, files[name])
        headers = {"X-Repo-Commit": commit_of(files), "Accept-Ranges": "bytes"}
        if name.endswith(LARGE) and not is_large:
            port = self.server.server_port
            place = f"cdn/{repository}/{commit_of(files)}/{name}"
            headers["Location"] = f"http://localhost:{port}/{place}"
            headers["X-Linked-Etag"] = f'"{sha256(files[name])}"'
            headers["X-Linked-Size"] = str(len(files[name]))
            return self.send(302, b"", headers)
        headers["ETag"] = f'"{sha256(files[name])}"'
        begin = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if begin:
            first, total = int(begin[1]), len(content)
            headers["Content-Range"] = f"bytes {first}-{total - 1}/{total}"
            return self.send(206, content[first:], headers, name)
        return self.send(200, content, headers, name)

    def send(
        self, status: int, body: bytes, headers: Mapping[str, str], name: str = ""
    ) -> None:
        """Send an answer, as far as the file's faults let it come."""
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.server.cut.get(name):
            self.wfile.write(body[: self.server.cut[name].pop(0)])
            self.close_connection = True
        elif name in self.server.stalled:
            self.wfile.write(body[: self.server.stalled[name]])
            self.wfile.flush()
            self.server.has_stalled.set()
            self.server.released.wait(60)
            self.close_connection = True
        else:
            self.wfile.write(body)


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[None]:
    """Serve in a thread for as long as the block runs."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
