"""The commands of a project for sentence embedding, from training to search."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from .conftest import Done, run, write_data
from .test_bad_inputs import assert_error
from .test_commands import LOAD_SAVED_MODEL, make_inputs, run_alone

LOAD_MODEL = """
import sys
import numpy as np
import keras
assert not any("sentence_embedding" in name for name in sys.modules)
model = keras.saving.load_model(sys.argv[1])
np.savez("outputs.npz", **model.predict_on_batch(dict(np.load("inputs.npz"))))
"""


@pytest.fixture(scope="module")
def folder(embedding_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `run` learned from bare sentences, with SimCSE's head."""
    path = tmp_path_factory.mktemp("embedding")
    flags = write_data(embedding_project, path, train=24, validation=8)
    lines = (path / "train.jsonl").read_text("utf-8").splitlines()
    sentences = [json.loads(line)["sentence"] for line in lines]
    (path / "texts.txt").write_text("\n".join(sentences) + "\n", "utf-8")
    flags += ["--train-files=texts.txt", "--pooling=cls", "--epochs=1"]
    run([embedding_project / "train.py", *flags, "--output-dir=run"], path)
    return path


def call(project: Path, folder: Path, module: str, *flags: str) -> Done:
    """Run a module of the package in the folder, and return what came of it."""
    package = project.name.replace("-", "_")
    code = f"import sys, runpy; sys.path.insert(0, {str(project)!r}); "
    code += f"runpy.run_module('{package}.{module}', run_name='__main__')"
    return run(["-c", code, *flags, "--model-dir=run"], folder, check=None)


def test_settings_tell_what_was_settled(folder: Path) -> None:
    """Bare sentences make an unsupervised run whose head is for training only."""
    settings = json.loads((folder / "run/settings.json").read_text("utf-8"))
    assert (settings["objective"], settings["mlp"]) == ("unsupervised", "train")
    assert settings["learning_rate"] == 1e-3
    scores = json.loads((folder / "run/metrics.json").read_text("utf-8"))
    assert scores["score_is"] == "spearman" and scores["total"] == 8


def test_embed_and_search(embedding_project: Path, folder: Path) -> None:
    """A file of texts becomes vectors, in which each text finds itself."""
    flags = ["--input=texts.txt", "--output=new/vectors.npy"]
    done = call(embedding_project, folder, "embed", *flags)
    assert "24 vectors in new/vectors.npy" in done.stdout, done.stderr
    vectors = np.load(folder / "new/vectors.npy")
    assert vectors.shape == (24, 16) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    text = (folder / "texts.txt").read_text("utf-8").splitlines()[6]
    flags = ["--vectors=new/vectors.npy", "--texts=texts.txt", "--top-k=3"]
    done = call(embedding_project, folder, "search", *flags, "--query", text)
    lines = done.stdout.splitlines()
    assert lines[:2] == [text, f"  1.000  7: {text}"] and len(lines) == 4


def test_predictions(embedding_project: Path, folder: Path) -> None:
    """Pairs get a similarity, sentences a vector, each line its line."""
    records = [
        {"id": "a", "sentence": "it rains", "sentence_pair": "rain falls"},
        {"id": "b", "sentence": "it rains"},
    ]
    (folder / "in.jsonl").write_text("\n".join(map(json.dumps, records)), "utf-8")
    flags = ["--model-dir=run", "--input=in.jsonl", "--output=out.jsonl"]
    run([embedding_project / "predict.py", *flags], folder)
    lines = (folder / "out.jsonl").read_text("utf-8").splitlines()
    pair, alone = map(json.loads, lines)
    assert pair["id"] == "a" and -1 <= pair["similarity"] <= 1
    assert alone["id"] == "b" and len(alone["embedding"]) == 16
    texts = ["--text", "it rains", "rain falls"]
    done = run([embedding_project / "predict.py", "--model-dir=run", *texts], folder)
    assert f"similarity: {pair['similarity']:.3f}" in done.stdout


def test_exports(embedding_project: Path, folder: Path) -> None:
    """The SavedModel gives the vectors alone; model.keras loads without the project."""
    export = [embedding_project / "export.py", "--model-dir=run", "--check"]
    done = run(export, folder)
    assert "largest difference" in done.stdout
    make_inputs(5, 19, folder)
    saved = folder / "run/export/saved-model/saved_model"
    lines = run_alone(LOAD_SAVED_MODEL, saved, folder).splitlines()
    names = ("attention_mask", "input_ids", "segment_ids")
    expected = [f"input {name} int32 [None, None]" for name in names]
    assert sorted(lines) == [*expected, "output embedding float32 [None, 16]"]
    found = dict(np.load(folder / "outputs.npz"))
    run_alone(LOAD_MODEL, folder / "run/model.keras", folder)
    outputs = dict(np.load(folder / "outputs.npz"))
    assert outputs.keys() == {"embedding", "projected"} and outputs["embedding"].any()
    np.testing.assert_allclose(found["embedding"], outputs["embedding"], atol=1e-5)
    run([*export, "--format=google-checkpoint"], folder)


BAD_FLAGS = {
    "--pooling=sum": ["sum", "mean"],
    "--normalize=maybe": ["normalize", "maybe"],
}


@pytest.mark.parametrize("flag", BAD_FLAGS)
def test_bad_flags(embedding_project: Path, folder: Path, flag: str) -> None:
    """A setting that means nothing here is named, and no run begins."""
    flags = ["--train-files=train.jsonl", "--validation-files=validation.jsonl"]
    command = [embedding_project / "train.py", *flags, "--output-dir=bad", flag]
    assert_error(run(command, folder, check=None), *BAD_FLAGS[flag])
    assert not (folder / "bad").exists()
