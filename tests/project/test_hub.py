"""Names of Hugging Face become folders: against a server on the loopback address.

Each case runs `python -m qa_bert.downloads` in a process of its own, as the variables
HF_ENDPOINT, HF_HOME and HF_HUB_OFFLINE are read once by huggingface_hub.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from .conftest import REPOSITORY, Done, Load, environment, run, write_data
from .hub_server import Hub, commit_of, running

NAME = "hf://team/tiny"
CONFIG = {"model_type": "bert", "hidden_size": 8}
WEIGHTS = np.random.default_rng(0).bytes(300_000)
NEEDED = {
    "config.json": json.dumps(CONFIG).encode(),
    "model.safetensors": WEIGHTS,
    "tokenizer.json": b"{}",
    "tokenizer_config.json": b'{"do_lower_case": true}',
    "vocab.txt": b"[PAD]\n[UNK]\n",
}
NOT_NEEDED = {
    ".gitattributes": b"",
    "README.md": b"# tiny",
    "pytorch_model.bin": b"p" * 1000,
    "tf_model.h5": b"t" * 1000,
    "flax_model.msgpack": b"f" * 1000,
    "onnx/model.onnx": b"o" * 1000,
    "onnx/config.json": b"{}",
}
TINY = {**NEEDED, **NOT_NEEDED}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A running hub with one small repository, and an empty cache."""
    server = Hub()
    server.repositories["team/tiny"] = {"main": TINY}
    for name in list(os.environ):
        if name.startswith(("HF_", "HUGGING", "TRANSFORMERS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_ENDPOINT", server.address)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    with running(server):
        yield server


def fetch(project: Path, name: str = NAME) -> Path:
    """Download a name and return its folder."""
    done = run(["-m", "qa_bert.downloads", name], project)
    return Path(done.stdout.splitlines()[-1])


def refuse(project: Path, name: str = NAME) -> str:
    """Return the error for a name: three parts, soon, and no traceback."""
    start = time.monotonic()
    done: Done = run(["-m", "qa_bert.downloads", name], project, check=2)
    assert time.monotonic() - start < 40
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    error = done.stderr[done.stderr.index("error: ") :]
    assert [line[:7] for line in error.splitlines()[:3]] == [
        "error: ",
        "  why: ",
        "  fix: ",
    ]
    return error


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is in a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_is_needed_comes_once(project: Path, hub: Hub, tmp_path: Path) -> None:
    """Of a repository come config, one file of weights and the vocabulary's files.

    They are in the client's cache under HF_HOME; a second use asks for the list only.
    """
    folder = fetch(project)
    assert contents(folder) == NEEDED
    assert folder.is_relative_to(tmp_path / "home" / "hub")
    assert {*hub.asked_for()} == {*NEEDED}
    assert hub.asked_for().count("vocab.txt") == 1
    hub.requests.clear()
    assert fetch(project) == folder
    assert hub.asked_for() == hub.asked_for("HEAD") == []
    asked = {each.path for each in hub.requests if "/models/" in each.path}
    assert asked == {"/api/models/team/tiny/revision/main"}


def test_what_changes_comes(project: Path, hub: Hub) -> None:
    """When the branch moves, the next use has its new files, and only those come."""
    first = fetch(project)
    hub.repositories["team/tiny"]["main"] = {**TINY, "vocab.txt": b"[UNK]\n"}
    hub.requests.clear()
    second = fetch(project)
    assert contents(second) == {**NEEDED, "vocab.txt": b"[UNK]\n"}
    assert contents(first) == NEEDED
    assert hub.asked_for() == ["vocab.txt"]


def test_offline(project: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline the cache serves; what is not in it is listed, and nothing is asked."""
    folder = fetch(project)
    hub.requests.clear()
    for switch in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.setenv(switch, "1")
        assert fetch(project) == folder
        error = refuse(project, "hf://team/other@v2")
        monkeypatch.delenv(switch)
        assert "HF_HUB_OFFLINE" in error
        assert "--pretrained FOLDER" in error
        root = f"{hub.address}/team/other/resolve/v2"
        for name in ("config.json", "model.safetensors", "vocab.txt"):
            assert f"{root}/{name}" in error
    assert hub.requests == []


def test_no_network(project: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a server the same list comes, with the reason; the cache serves."""
    folder = fetch(project)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    monkeypatch.setenv("HF_ENDPOINT", address)
    done = run(["-m", "qa_bert.downloads", NAME], project)
    assert done.stdout == f"{folder}\n"
    assert "refused; the cache serves" in done.stderr
    error = refuse(project, "hf://team/other")
    assert "refused" in error
    assert f"{address}/team/other/resolve/main/config.json" in error
    assert "hf://team/other" in error


def test_wrong_names(project: Path, hub: Hub) -> None:
    """A repository or revision that is not there, and what is no repository's name."""
    assert "no repository team/nothing" in refuse(project, "hf://team/nothing")
    error = refuse(project, "hf://team/tiny@v7")
    assert 'team/tiny has no revision "v7"' in error
    asked = len(hub.requests)
    assert "OWNER/NAME" in refuse(project, "hf://team/tiny/config.json")
    error = refuse(project, "team/tiny")
    assert "hf://OWNER/NAME" in error
    assert len(hub.requests) == asked


def test_revisions(project: Path, hub: Hub) -> None:
    """A branch and a commit give their own files."""
    second = {**TINY, "vocab.txt": b"[UNK]\n", "model.safetensors": b"2" * 999}
    hub.repositories["team/tiny"]["v2"] = second
    assert (fetch(project) / "vocab.txt").read_bytes() == NEEDED["vocab.txt"]
    assert (fetch(project, f"{NAME}@v2") / "vocab.txt").read_bytes() == b"[UNK]\n"
    folder = fetch(project, f"{NAME}@{commit_of(second)}")
    assert (folder / "model.safetensors").read_bytes() == b"2" * 999


SHARDS = {f"model-0000{i}-of-00002.safetensors": bytes([i]) * 999 for i in (1, 2)}
INDEX = json.dumps({"weight_map": {name: name for name in SHARDS}}).encode()
REST = {name: NEEDED[name] for name in ("config.json", "vocab.txt")}
BIN = {"pytorch_model.bin": b"p" * 999}
H5 = {"tf_model.h5": b"h" * 999}


@pytest.mark.parametrize(
    ("weights", "others"),
    [
        ({"model.safetensors.index.json": INDEX, **SHARDS}, {**BIN, **H5}),
        (BIN, {**H5, "flax_model.msgpack": b"f"}),
        (H5, {"rust_model.ot": b"r"}),
    ],
    ids=["shards", "bin", "h5"],
)
def test_other_weights(
    project: Path, hub: Hub, weights: dict[str, bytes], others: dict[str, bytes]
) -> None:
    """Shards come with their index; bin and h5 where there are no safetensors."""
    hub.repositories["team/tiny"] = {"main": {**REST, **weights, **others}}
    assert contents(fetch(project)) == {**REST, **weights}


def test_no_weights(project: Path, hub: Hub) -> None:
    """A repository without weights that can be read says what it has."""
    hub.repositories["team/tiny"] = {"main": {**REST, "flax_model.msgpack": b"f"}}
    error = refuse(project)
    assert "no checkpoint that can be read" in error
    assert "flax_model.msgpack" in error


def test_a_broken_connection_is_taken_up(project: Path, hub: Hub) -> None:
    """A large file whose transfer breaks goes on where it broke.

    The client writes ten megabytes at a time, so it goes back by up to as many.
    """
    large = np.random.default_rng(1).bytes(25_000_000)
    hub.repositories["team/tiny"] = {"main": {**TINY, "model.safetensors": large}}
    hub.cut["model.safetensors"] = [22_000_000]
    assert contents(fetch(project)) == {**NEEDED, "model.safetensors": large}
    ranges = [each.range for each in hub.requests if each.path.startswith("/cdn/")]
    first, second = ranges
    assert first == ""
    start = int(second.removeprefix("bytes=").removesuffix("-"))
    assert 10_000_000 < start <= 22_000_000


def test_a_transfer_that_never_ends(project: Path, hub: Hub) -> None:
    """Where no byte comes any more, it gives up; whole files are kept for next time."""
    hub.cut["model.safetensors"] = [1000] + [0] * 20
    error = refuse(project)
    assert f"{hub.address}/team/tiny/resolve/main/model.safetensors\n" in error
    assert "if there is" not in error
    assert "onnx" not in error and "pytorch" not in error
    hub.cut.clear()
    hub.requests.clear()
    assert contents(fetch(project)) == NEEDED
    assert hub.asked_for() == ["model.safetensors"]


def test_a_killed_download(
    project: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a kill nothing is taken for whole, and only what is missing comes."""
    hub.stalled["model.safetensors"] = 200_000
    process = subprocess.Popen(
        [sys.executable, "-m", "qa_bert.downloads", NAME],
        cwd=project,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert hub.has_stalled.wait(60)
    while len({*hub.asked_for()}) < len(NEEDED):
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    hub.released.set()
    hub.stalled.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "cannot download" in refuse(project)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    hub.requests.clear()
    assert contents(fetch(project)) == NEEDED
    assert hub.asked_for() == ["model.safetensors"]


@pytest.mark.parametrize("file", ["model.safetensors", "vocab.txt"])
def test_another_content(
    project: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    """What is not what the list tells is refused, and does not stay in the cache."""
    wrong = b"w" * len(NEEDED[file])
    hub.served[file] = wrong if file == "model.safetensors" else wrong + b"w"
    error = refuse(project)
    assert f"{file} of team/tiny" in error
    hub.served.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    if file == "model.safetensors":
        assert "cannot download" in refuse(project)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert contents(fetch(project)) == NEEDED


def test_the_page_has_every_name(loads: dict[str, Load]) -> None:
    """docs/checkpoints.md lists what can be named, and where it comes from."""
    page = (REPOSITORY / "docs" / "checkpoints.md").read_text("utf-8")
    for load in loads.values():
        for name, (origin, _) in load("known_checkpoints").ORIGINS.items():
            if not re.fullmatch(r"google/uncased_L-\d+_H-\d+_A-\d+", name):
                assert f"`{name}`" in page
            if origin.startswith("hf://"):
                assert f"`{origin.rpartition('/')[0]}/…`" in page


WITHOUT_CLIENT = """
import sys
sys.modules["huggingface_hub"] = None
from qa_bert.errors import UserError
from qa_bert.downloads import fetch_checkpoint
try:
    fetch_checkpoint("hf://team/tiny")
except UserError as error:
    print(error.report())
"""
IMPORTS = """
import sys
import qa_bert.downloads
late = ("huggingface_hub", "keras", "urllib.request", "http.client", "socketserver")
print(*(name for name in late if name in sys.modules))
"""


def test_without_the_client(project: Path, hub: Hub) -> None:
    """Where huggingface_hub is missing, the error names the extra, and the files."""
    error = run(["-c", WITHOUT_CLIENT], project).stdout
    assert 'pip install -e ".[hub]"' in error
    assert f"{hub.address}/team/tiny/resolve/main/config.json" in error
    extras = (project / "pyproject.toml").read_text("utf-8")
    assert 'hub = ["huggingface_hub>=' in extras


def test_nothing_is_imported_at_start(project: Path) -> None:
    """The client, Keras and what connects are imported when a name needs them.

    (Keras itself imports huggingface_hub where it is installed.)
    """
    assert run(["-c", IMPORTS], project).stdout.split() == []


def test_training_from_a_name(
    project: Path, hub: Hub, load: Load, tmp_path: Path
) -> None:
    """`train.py --pretrained hf://…` starts from the weights of the repository."""
    import keras

    tokenizer = load("tokenizer").train_tokenizer(["who wrote it ada"])
    config = load("encoder").EncoderConfig.small(tokenizer.get_vocab_size())
    encoder = load("encoder").build_encoder(config)
    source = tmp_path / "source"
    source.mkdir()
    load("checkpoint_writers").write_folder(encoder, config, tokenizer, "Model", source)
    hub.repositories["team/real"] = {"main": contents(source)}
    flags = write_data(project, tmp_path, train=4, validation=2)
    flags = [flag for flag in flags if "encoder-config" not in flag]
    flags += ["--pretrained=hf://team/real", "--epochs=0", "--output-dir=run"]
    run([project / "train.py", *flags], tmp_path)
    model_variables = load("checkpoints").model_variables
    started = keras.saving.load_model(tmp_path / "run" / "model.keras")
    found = model_variables(started)
    expected = {
        key: np.asarray(variable)
        for key, variable in model_variables(encoder).items()
        if not key.startswith("pooler")  # of which this task has none
    }
    assert len(expected) == 5 + 2 * 16
    for key, array in expected.items():
        np.testing.assert_array_equal(np.asarray(found[key]), array, key)
