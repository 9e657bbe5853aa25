"""A file or folder is whole or absent, whatever happens while it is written."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sentence_embedding_bert import atomic
from sentence_embedding_bert.errors import UserError


def test_a_file_and_a_folder_get_their_names_last(tmp_path):
    """Until the block ends the old file stands there, and the folder not at all."""
    path, folder = tmp_path / "new/a.txt", tmp_path / "b"
    path.parent.mkdir()
    path.write_text("old")
    with atomic.atomically(path) as unfinished:
        unfinished.write_text("new")
        unfinished.with_name("other").write_text("not kept")
        assert path.read_text() == "old"
    with atomic.atomically(folder) as unfinished:
        unfinished.mkdir()
        (unfinished / "in.txt").write_text("new")
        assert not folder.exists()
    found = sorted(each.relative_to(tmp_path) for each in tmp_path.rglob("*"))
    assert [*map(str, found)] == ["b", "b/in.txt", "new", "new/a.txt"]
    assert path.read_text() == (folder / "in.txt").read_text() == "new"


@pytest.mark.parametrize(
    "error", [ZeroDivisionError, KeyboardInterrupt, BrokenPipeError]
)
def test_what_fails_leaves_nothing(tmp_path, error):
    """The old file stays, and nothing is beside it; the error is what it was."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error), atomic.atomically(path) as unfinished:
        unfinished.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_a_full_disk(tmp_path):
    """The file that could not be written is named; the old one stays, alone.

    A limit on the size of files stands for the disk: writing fails at the same place.
    """
    path = tmp_path / "a.npz"
    path.write_text("old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(UserError) as raised, atomic.atomically(path) as unfinished:
            unfinished.write_bytes(bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert raised.value.what == f"cannot write {path}"
    assert "too large" in raised.value.report() and "room" in raised.value.report()
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_an_error_of_another_file_stays_what_it_is(tmp_path):
    """A file that is missing while another is written is not told as that one."""
    path, source = tmp_path / "a.txt", tmp_path / "missing.txt"
    with pytest.raises(FileNotFoundError) as raised, atomic.atomically(path) as new:
        shutil.copy(source, new)
    assert raised.value.filename == str(source)
    with pytest.raises(UserError, match="a.txt"), atomic.atomically(path) as new:
        new.with_name("folder").joinpath("b.txt").write_text("there is no such folder")
    assert [*tmp_path.iterdir()] == []


def test_an_interrupt_right_after_the_folder_is_made(tmp_path, monkeypatch):
    """Ctrl-C between making the folder and the block leaves it no more than later."""
    make = Path.mkdir

    def interrupted(*arguments, **settings):
        make(*arguments, **settings)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "mkdir", interrupted)
    with pytest.raises(KeyboardInterrupt), atomic.atomically(tmp_path / "a.txt"):
        pytest.fail("the block must not begin")
    assert [*tmp_path.iterdir()] == []


def test_what_a_killed_process_left_is_removed(tmp_path):
    """After SIGKILL the old file is whole; the next writer clears the rest away."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    code = (
        "import os, pathlib, signal, sys\n"
        f"from {atomic.__name__} import atomically\n"
        "with atomically(pathlib.Path(sys.argv[1])) as unfinished:\n"
        "    unfinished.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    assert len([*tmp_path.iterdir()]) == 2
    with atomic.atomically(path) as unfinished:
        assert [*unfinished.parent.iterdir()] == []
        unfinished.write_text("new")
    assert path.read_text() == "new"
    assert [*tmp_path.iterdir()] == [path]


def test_where_nothing_can_be_written(tmp_path):
    """Below a file no folder can be made, and no file takes a folder's place."""
    (tmp_path / "file").write_text("kept")
    with (
        pytest.raises(UserError, match="cannot write .*file/a.txt"),
        atomic.atomically(tmp_path / "file/a.txt"),
    ):
        pytest.fail("the block must not begin")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/b.txt").write_text("kept")
    with (
        pytest.raises(UserError, match="cannot write .*folder"),
        atomic.atomically(tmp_path / "folder") as unfinished,
    ):
        unfinished.write_text("new")
    kept = {each.name for each in tmp_path.rglob("*")}
    assert kept == {"file", "folder", "b.txt"}
