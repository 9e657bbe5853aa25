"""The four commands work, with no arguments and with the flags of the README."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from .conftest import environment, make_project, run

GOOGLE = Path(__file__).parent / "google_bert_tiny"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
LOAD_MODEL = """
import sys
import numpy as np
import keras
assert "qa_bert" not in sys.modules
try:
    import qa_bert
except ImportError:
    pass
else:
    raise SystemExit("the project can be imported")
model = keras.saving.load_model(sys.argv[1])
outputs = model.predict_on_batch(dict(np.load("inputs.npz")))
np.savez("outputs.npz", **outputs)
"""
LOAD_SAVED_MODEL = """
import sys
import numpy as np
import tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
call = loaded.signatures["serving_default"]
for name, spec in call.structured_input_signature[1].items():
    print("input", name, spec.dtype.name, spec.shape.as_list())
for name, spec in call.structured_outputs.items():
    print("output", name, spec.dtype.name, spec.shape.as_list())
inputs = {name: tf.constant(value) for name, value in np.load("inputs.npz").items()}
np.savez("outputs.npz", **{k: v.numpy() for k, v in call(**inputs).items()})
"""


def make_inputs(batch: int, length: int, folder: Path) -> None:
    """Write the encoder's inputs, with padding, into a folder."""
    ids = np.arange(batch * length, dtype="int32").reshape(batch, length) % 90 + 5
    mask = np.ones((batch, length), "int32")
    mask[-1, length // 2 :] = 0
    segments = (np.arange(length) > 3).astype("int32") * mask
    inputs = {"input_ids": ids, "segment_ids": segments, "attention_mask": mask}
    np.savez(folder / "inputs.npz", **inputs)


def run_alone(code: str, argument: Path, cwd: Path) -> str:
    """Run code in an isolated process that sees no project; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(argument)],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def read_lines(path: Path) -> list[dict[str, object]]:
    """Return the records of a JSONL file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def trained_on_sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A project in which `python train.py` was run, and what that printed."""
    project = make_project(tmp_path_factory.mktemp("commands"))
    return project, run(["train.py"], project).stdout


def test_train_with_no_arguments(trained_on_sample: tuple[Path, str]) -> None:
    """Training on the sample says how to give weights and leaves a whole run."""
    project, output = trained_on_sample
    assert "random weights" in output and "--pretrained" in output
    folder = project / "runs/001"
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "model.keras",
        "encoder_config.json",
        "tokenizer.json",
        "settings.json",
        "metrics.json",
        "history.csv",
        "curves.png",
    }
    assert "logs" not in names  # there is no TensorBoard
    assert not [name for name in names if name.startswith("unfinished-")]
    assert zipfile.is_zipfile(folder / "model.keras")
    header, *rows = (folder / "history.csv").read_text("utf-8").splitlines()
    assert {"val_exact", "val_f1", "loss"} <= set(header.split(","))
    assert len(rows) == json.loads((folder / "settings.json").read_text())["epochs"]


def test_logs_where_tensorboard_is_installed(
    trained_on_sample: tuple[Path, str],
) -> None:
    """Training writes what TensorBoard reads: losses and scores of the epochs."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    project, _ = trained_on_sample
    flags = ["--epochs=2", "--max-train-examples=16", "--batch-size=8"]
    subprocess.run(
        [sys.executable, "train.py", *flags, "--output-dir=logged"],
        cwd=project,
        env=environment({"PYTHONPATH": ""}),
        capture_output=True,
        check=True,
    )
    found = {}
    for part in ("train", "validation"):
        events = EventAccumulator(str(project / "logged/logs" / part)).Reload()
        for tag in events.Tags()["tensors"]:
            found[part, tag] = len(events.Tensors(tag))
    assert found["train", "epoch_loss"] == found["validation", "epoch_f1"] == 2
    assert found["train", "batch_loss"] > 2


def test_evaluate_with_no_arguments(trained_on_sample: tuple[Path, str]) -> None:
    """Evaluating scores the newest run on the sample's test file."""
    project, _ = trained_on_sample
    output = run(["evaluate.py"], project).stdout
    folder = project / "runs/001/evaluation"
    scores = json.loads((folder / "metrics.json").read_text("utf-8"))
    examples = read_lines(project / "data/test.jsonl")
    assert scores["total"] == len(examples)
    assert 0 < scores["f1"] <= 100
    assert f'"f1": {scores["f1"]}' in output
    assert len(read_lines(folder / "predictions.jsonl")) == len(examples)
    assert "<html" in (folder / "errors.html").read_text("utf-8")


def test_predict_with_no_arguments(trained_on_sample: tuple[Path, str]) -> None:
    """Predicting shows five questions of the test file; --text answers one."""
    project, _ = trained_on_sample
    output = run(["predict.py"], project).stdout
    assert output.count("question: ") == output.count("answer: ") == 5
    passage = "Ada wrote it in 1843."
    output = run(["predict.py", "--text", "Who wrote it?", passage], project).stdout
    assert output.startswith("question: Who wrote it?")


def test_export_with_no_arguments(trained_on_sample: tuple[Path, str]) -> None:
    """Exporting writes a SavedModel with its companions."""
    project, _ = trained_on_sample
    run(["export.py"], project)
    folder = project / "runs/001/export/saved-model"
    names = {path.name for path in folder.iterdir()}
    companions = {"tokenizer.json", "settings.json", "encoder_config.json"}
    assert names == {"saved_model", *companions}


@pytest.fixture(scope="module")
def with_flags(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run `runs/one` from Google's tiny weights and small files."""
    folder = tmp_path_factory.mktemp("flags")
    shutil.copytree(GOOGLE, folder / "tiny")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS]
    pieces += [f"##{letter}" for letter in LETTERS]
    pieces += [*".,?!-'\";:()", *(f"[unused{i}]" for i in range(97))]
    (folder / "tiny/vocab.txt").write_text("\n".join(pieces[:97]) + "\n", "utf-8")
    for index, name in enumerate(("a", "b", "dev")):
        records = [
            {
                "id": f"{name}{number}",
                "question": f"who has {number}?",
                "context": f"bob {index} has {number}. " + "so it is. " * (number % 3),
                **({"answer": f"bob {index}"} if number % 4 else {"answers": []}),
            }
            for number in range(12)
        ]
        text = "\n".join(map(json.dumps, records))
        (folder / f"{name}.jsonl").write_text(text, "utf-8")
    run([project / "train.py", *TRAIN_FLAGS], folder)
    return folder


TRAIN_FLAGS = [
    *["--pretrained", "tiny", "--train-files", "a.jsonl", "b.jsonl"],
    *["--validation-files", "dev.jsonl", "--epochs", "3", "--output-dir", "runs/one"],
    *["--max-length", "40", "--max-question-length", "16", "--doc-stride", "8"],
]


def test_train_with_flags(project: Path, with_flags: Path) -> None:
    """Settings come from the flags; a second run takes its features from the cache."""
    folder = with_flags / "runs/one"
    settings = json.loads((folder / "settings.json").read_text("utf-8"))
    assert settings["train_files"] == ["a.jsonl", "b.jsonl"]
    assert (settings["epochs"], settings["max_length"]) == (3, 40)
    assert len((folder / "history.csv").read_text("utf-8").splitlines()) == 4
    before = {p: p.stat().st_mtime_ns for p in (with_flags / ".cache").iterdir()}
    assert len(before) == 2
    flags = [*TRAIN_FLAGS, "--output-dir", "runs/two"]
    done = run([project / "train.py", *flags], with_flags)
    assert "tiny: loaded 53 variables; random: qa_head" in done.stdout
    after = {p: p.stat().st_mtime_ns for p in (with_flags / ".cache").iterdir()}
    assert after == before


def test_evaluate_with_flags(project: Path, with_flags: Path) -> None:
    """A named run is scored on named files, into a named folder."""
    flags = ["--model-dir", "runs/one", "--files", "dev.jsonl", "--output-dir", "ev"]
    run([project / "evaluate.py", *flags], with_flags)
    scores = json.loads((with_flags / "ev/metrics.json").read_text("utf-8"))
    assert (scores["total"], scores["HasAns_total"], scores["NoAns_total"]) == (
        12,
        9,
        3,
    )
    assert scores == json.loads((with_flags / "runs/one/metrics.json").read_text())


def test_predict_with_flags(project: Path, with_flags: Path) -> None:
    """Each line of the input gets a line, whose offsets give its text."""
    flags = ["--model-dir", "runs/one", "--input", "dev.jsonl"]
    flags += ["--output", "out.jsonl", "--n-best", "3"]
    run([project / "predict.py", *flags], with_flags)
    asked, given = (read_lines(with_flags / f"{name}.jsonl") for name in ("dev", "out"))
    assert [each["id"] for each in given] == [each["id"] for each in asked]
    for question, prediction in zip(asked, given, strict=True):
        assert 1 <= len(prediction["n_best"]) <= 3
        for each in prediction["n_best"]:
            assert each["text"] == question["context"][each["start"] : each["end"]]
        scores = [each["score"] for each in prediction["n_best"]]
        assert scores == sorted(scores, reverse=True)


def test_export_with_flags(project: Path, with_flags: Path) -> None:
    """The export passes its check; names, free shapes and outputs are as promised."""
    flags = ["--model-dir", "runs/one", "--format", "saved-model", "--check"]
    done = run([project / "export.py", *flags], with_flags)
    assert "largest difference" in done.stdout
    make_inputs(5, 19, with_flags)
    exported = with_flags / "runs/one/export/saved-model/saved_model"
    lines = run_alone(LOAD_SAVED_MODEL, exported, with_flags).splitlines()
    found = dict(np.load(with_flags / "outputs.npz"))
    names = ("attention_mask", "input_ids", "segment_ids")
    expected = [f"input {name} int32 [None, None]" for name in names]
    expected += [f"output {name} float32 [None, None]" for name in ("end", "start")]
    assert sorted(lines) == expected
    run_alone(LOAD_MODEL, with_flags / "runs/one/model.keras", with_flags)
    with np.load(with_flags / "outputs.npz") as outputs:
        assert set(outputs) == set(found) == {"start", "end"}
        for name, array in outputs.items():
            assert array.shape == (5, 19)
            np.testing.assert_allclose(found[name], array, atol=1e-4)
