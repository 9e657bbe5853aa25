"""Bad files and flags give one clear error and leave nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from .conftest import Done, run, write_data

GOOGLE = Path(__file__).parent / "google_bert_tiny"
CONFIG = {
    "vocab_size": 8,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 100,
}
VOCABULARY = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\na\nb\n"
GOOD = {"question": "Who?", "context": "Ada did.", "answer": "Ada"}


def assert_error(done: Done, *parts: str, code: int = 2) -> None:
    """Check that the output is one error of three lines that holds all parts."""
    output = done.stdout + done.stderr
    assert "Traceback" not in output, output
    assert done.returncode == code, output
    lines = done.stderr.rstrip().splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    assert len(starts) == 1, output
    what, why, fix = lines[starts[0] :]
    assert why.startswith("  why: ") and fix.startswith("  fix: "), output
    assert all(len(line) > len("  why: ") + 5 for line in (what, why, fix)), output
    for part in parts:
        assert part in f"{what}\n{why}\n{fix}", f"no {part} in {output}"


@pytest.fixture
def data(project: Path, tmp_path: Path) -> Path:
    """A folder with a few good lines, and sizes for a small encoder."""
    write_data(project, tmp_path, train=8, validation=2)
    return tmp_path


@pytest.fixture
def checkpoint(data: Path) -> Path:
    """A checkpoint folder in which config and vocabulary are good."""
    folder = data / "checkpoint"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG), "utf-8")
    (folder / "vocab.txt").write_text(VOCABULARY, "utf-8")
    arrays = {"embeddings.word_embeddings.weight": np.zeros((8, 16), "float32")}
    save_file(arrays, folder / "model.safetensors")
    return folder


def train(project: Path, data: Path, *flags: str) -> Done:
    """Try to train on the good lines; check that no run folder was made."""
    files = ["--train-files=train.jsonl", "--validation-files=validation.jsonl"]
    given = {flag.split("=")[0] for flag in flags}
    files = [flag for flag in files if flag.split("=")[0] not in given]
    before = sorted(data.rglob("*"))
    command = [project / "train.py", *files, "--output-dir=run", *flags]
    done = run(command, data, check=None)
    made = [path for path in sorted(data.rglob("*")) if path not in before]
    assert [path for path in made if ".cache" not in path.parts] == []
    assert not [path for path in made if path.name.startswith("unfinished-")]
    return done


def cut_weights(folder: Path) -> None:
    """Cut the weights' file in the middle."""
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_header(folder: Path) -> None:
    """Cut the weights' file within its header."""
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:20])


def drop_size(folder: Path) -> None:
    """Take the hidden size out of the config."""
    sizes = {name: size for name, size in CONFIG.items() if name != "hidden_size"}
    (folder / "config.json").write_text(json.dumps(sizes), "utf-8")


def drop_vocabulary(folder: Path) -> None:
    """Remove the vocabulary."""
    (folder / "vocab.txt").unlink()


@pytest.mark.parametrize(
    ("damage", "parts"),
    [
        (cut_weights, ["checkpoint/model.safetensors"]),
        (cut_header, ["checkpoint/model.safetensors"]),
        (drop_size, ["checkpoint/config.json", "hidden_size"]),
        (drop_vocabulary, ["checkpoint", "vocab.txt", "tokenizer.json"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_damaged_checkpoint(
    project: Path,
    checkpoint: Path,
    damage: Callable[[Path], None],
    parts: list[str],
) -> None:
    """A checkpoint that is cut short or lacks a part is refused by name."""
    damage(checkpoint)
    flags = ("--pretrained=checkpoint", "--max-length=96")
    assert_error(train(project, checkpoint.parent, *flags), *parts)


@pytest.mark.parametrize(
    ("lines", "parts"),
    [
        ([json.dumps(GOOD), '{"question": "Who'], ["bad.jsonl:2", "not JSON"]),
        (
            [json.dumps(GOOD), "", '{"question": "Who?", "answer": "Ada"}'],
            ["bad.jsonl:3", '"context" is missing', '{"question": '],
        ),
        ([], ["bad.jsonl", "empty", '{"question": ']),
    ],
    ids=["not JSON", "missing field", "empty file"],
)
def test_bad_data_file(
    project: Path, data: Path, lines: list[str], parts: list[str]
) -> None:
    """A bad line is told with file, line, field and an example of a good one."""
    (data / "bad.jsonl").write_text("\n".join(lines), "utf-8")
    assert_error(train(project, data, "--train-files=bad.jsonl"), *parts)


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        (["--learning-speed=1"], ["--learning-speed", "train.py --help"]),
        (["--batch-size=many"], ["--batch-size", "many"]),
        (["--encoder-config=sizes.json", "--freeze", "layer_7"], ["layer_7"]),
        (["--train-files=absent.jsonl"], ["absent.jsonl"]),
        (["--pretrained=absent"], ["absent", "minilm"]),
        (["--output-dir=train.jsonl"], ["train.jsonl"]),
        (["--output-dir=train.jsonl/run"], ["train.jsonl/run"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_bad_flags_of_training(
    project: Path, data: Path, flags: list[str], parts: list[str]
) -> None:
    """A flag that is unknown, or means nothing here, is named; no run begins."""
    assert_error(train(project, data, *flags), *parts)


def test_a_cache_that_cannot_be_written(project: Path, data: Path) -> None:
    """A cache folder that is a file is named; the run folder holds nothing half."""
    flags = ["--train-files=train.jsonl", "--validation-files=validation.jsonl"]
    flags += ["--encoder-config=sizes.json", "--cache-dir=train.jsonl"]
    command = [project / "train.py", *flags, "--output-dir=run"]
    assert_error(run(command, data, check=None), "train.jsonl")
    assert not list(data.rglob("unfinished-*"))


def test_resuming_what_is_no_run(project: Path, data: Path) -> None:
    """A folder without settings is not taken for a run."""
    (data / "some").mkdir()
    command = [project / "train.py", "--resume", "--output-dir=some"]
    assert_error(run(command, data, check=None), "some", "not a run", "settings.json")
    assert list((data / "some").iterdir()) == []


def test_a_run_is_not_overwritten(project: Path, trained: Path) -> None:
    """A run folder in use is a refusal: exit code 3, and nothing in it changes."""
    before = {path: path.stat().st_mtime_ns for path in trained.rglob("*")}
    files = ["--train-files=train.jsonl", "--validation-files=validation.jsonl"]
    command = [project / "train.py", *files, "--output-dir=run"]
    done = run(command, trained, check=None)
    assert_error(done, "run", "not empty", "--resume", code=3)
    assert {path: path.stat().st_mtime_ns for path in trained.rglob("*")} == before


def test_inputs_longer_than_the_encoder(project: Path, data: Path) -> None:
    """More tokens than the encoder has positions are refused before training."""
    shutil.copytree(GOOGLE, data / "tiny")
    (data / "tiny/vocab.txt").write_text(VOCABULARY, "utf-8")
    done = train(project, data, "--pretrained=tiny")
    assert_error(done, "max_length 256", "40 positions", "--max-length 40")


@pytest.mark.parametrize("kept", [0.5, 0.999])
def test_damaged_model(
    project: Path, trained: Path, tmp_path: Path, kept: float
) -> None:
    """A model file that was cut short is named, and nothing is written."""
    shutil.copytree(trained / "run", tmp_path / "run")
    path = tmp_path / "run/model.keras"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    files = [trained / "validation.jsonl"]
    command = [project / "evaluate.py", "--model-dir=run", "--files", *files]
    assert_error(run(command, tmp_path, check=None), "run/model.keras")
    assert not (tmp_path / "run/evaluation").exists()


def test_overwritten_model(project: Path, trained: Path, tmp_path: Path) -> None:
    """A model file with bytes changed in its middle is named, not used."""
    shutil.copytree(trained / "run", tmp_path / "run")
    path = tmp_path / "run/model.keras"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    path.write_bytes(content)
    command = [project / "predict.py", "--model-dir=run", "--text", "Who?", "Ada."]
    assert_error(run(command, tmp_path, check=None), "run/model.keras")


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        (["predict.py", "--output=file/out.jsonl"], ["file/out.jsonl"]),
        (["evaluate.py", "--output-dir=file/scores"], ["file/scores"]),
        (["export.py", "--output-dir=file/model"], ["file/model"]),
    ],
    ids=["predict", "evaluate", "export"],
)
def test_output_that_cannot_be_written(
    project: Path, trained: Path, tmp_path: Path, command: list[str], parts: list[str]
) -> None:
    """An output below a file, where even root cannot write, is named."""
    (tmp_path / "file").write_text("kept", "utf-8")
    (tmp_path / "in.jsonl").write_text(json.dumps(GOOD), "utf-8")
    given = {"predict.py": ["--input=in.jsonl"], "evaluate.py": ["--files=in.jsonl"]}
    script, *flags = command
    flags += [*given.get(script, []), f"--model-dir={trained / 'run'}"]
    done = run([project / script, *flags], tmp_path, check=None)
    assert_error(done, *parts)
    assert (tmp_path / "file").read_text("utf-8") == "kept"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to every folder")
def test_predictions_into_a_read_only_folder(
    project: Path, trained: Path, tmp_path: Path
) -> None:
    """A folder without the right to write is named."""
    (tmp_path / "locked").mkdir(mode=0o555)
    (tmp_path / "in.jsonl").write_text(json.dumps(GOOD), "utf-8")
    flags = ["--input=in.jsonl", "--output=locked/out.jsonl"]
    command = [project / "predict.py", *flags, f"--model-dir={trained / 'run'}"]
    assert_error(run(command, tmp_path, check=None), "locked/out.jsonl")
    assert list((tmp_path / "locked").iterdir()) == []
