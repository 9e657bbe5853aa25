"""Pretraining end to end: from texts, from written rows, and on into other projects."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from .conftest import Load, make_load, make_project, run, write_data

DATA = Path(os.environ.get("TKGEN_DATA") or "/nowhere")
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the environment variable TKGEN_DATA names no folder"
)
needs_torch = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("torch", "transformers")),
    reason="torch or transformers is not installed",
)


@pytest.fixture(scope="module")
def pretraining(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated project; tests read it and do not write into it."""
    return make_project(tmp_path_factory.mktemp("generated"), "masked-lm")


@pytest.fixture(scope="module")
def pretraining_load(pretraining: Path) -> Load:
    """A function that imports a module of its package by its name."""
    return make_load(pretraining)


@pytest.fixture(scope="module")
def pretrained(pretraining: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `run` is a run of a very small model on a few documents."""
    folder = tmp_path_factory.mktemp("pretrained")
    flags = write_data(pretraining, folder, train=16, validation=6)
    run([pretraining / "train.py", *flags, "--epochs=1", "--output-dir=run"], folder)
    return folder


def test_blanks_are_filled(pretraining: Path, pretrained: Path) -> None:
    """predict.py fills the blanks of a text, and of each line of a file."""
    arguments = [pretraining / "predict.py", "--model-dir=run"]
    done = run([*arguments, "--text", "The [MASK] was built."], pretrained)
    assert "filled: The " in done.stdout and "blank: " in done.stdout
    lines = [
        {"text": "The [MASK] and a [MASK].", "id": 7},
        {"text": "No blank at all."},
    ]
    text = "\n".join(map(json.dumps, lines))
    (pretrained / "in.jsonl").write_text(text, "utf-8")
    run([*arguments, "--input=in.jsonl", "--output=out.jsonl"], pretrained)
    filled, plain = map(json.loads, (pretrained / "out.jsonl").read_text().splitlines())
    assert filled["id"] == "7" and len(filled["masks"]) == 2
    assert [mask["start"] for mask in filled["masks"]] == [4, 17]
    assert len(filled["masks"][0]["n_best"]) == 5
    assert "[MASK]" not in filled["text"] and filled["text"].startswith("The ")
    assert all("expected" in mask for mask in plain["masks"])
    wrong = run([*arguments, "--text", "No blank"], pretrained, check=2)
    assert "no [MASK]" in wrong.stderr


def test_export_is_pretrained_elsewhere(
    pretraining: Path, pretrained: Path, project: Path
) -> None:
    """The folder for transformers loads whole into a project of another task."""
    export = [pretraining / "export.py", "--model-dir=run", "--format=huggingface"]
    run([*export, "--output-dir=written"], pretrained)
    elsewhere = pretrained / "qa"
    elsewhere.mkdir()
    flags = write_data(project, elsewhere, train=8, validation=4)
    flags = [flag for flag in flags if "encoder-config" not in flag]
    flags += ["--pretrained=../written", "--epochs=0", "--output-dir=../second"]
    run([project / "train.py", *flags], elsewhere)
    lines = (pretrained / "second/weights.txt").read_text("utf-8").splitlines()
    random = sorted(line for line in lines if line.startswith("random: "))
    assert random == ["random: qa_head/bias", "random: qa_head/kernel"]
    written = (pretrained / name / "tokenizer.json" for name in ("run", "second"))
    one, other = (json.loads(path.read_text("utf-8")) for path in written)
    assert one.pop("post_processor") is None  # the export says it, for transformers
    assert other.pop("post_processor")["type"] == "TemplateProcessing"
    assert one == other
    shutil.rmtree(pretrained / "second")
    shutil.rmtree(pretrained / "written")


@needs_torch
def test_transformers_gives_the_same(pretraining: Path, pretrained: Path) -> None:
    """The export is run by transformers, which gives the logits of the Keras model."""
    export = [pretraining / "export.py", "--model-dir=run", "--format=huggingface"]
    done = run([*export, "--output-dir=checked", "--check"], pretrained)
    assert float(done.stdout.split()[-1]) < 1e-5
    shutil.rmtree(pretrained / "checked")


def test_written_rows(pretraining: Path, pretrained: Path) -> None:
    """Texts become TFRecord files with two processes, and those a model; it resumes."""
    package = "masked_lm_bert"
    sizes = ["--max-length=48", "--vocab-size=500", "--text-lines=sentences"]
    write = ["-m", f"{package}.write_records", "--files", pretrained / "train.jsonl"]
    write += ["--output-dir", pretrained / "rows", "--processes=2", "--shards=2"]
    run([*write, *sizes], pretraining)
    content = json.loads((pretrained / "rows/manifest.json").read_text("utf-8"))
    assert content["settings"]["sentence_order"] == "nsp"
    assert content["made_with"]["files"] == [str(pretrained / "train.jsonl")]
    flags = ["--train-files=rows/manifest.json", "--encoder-config=sizes.json"]
    flags += ["--validation-files=validation.jsonl", "--batch-size=4", "--epochs=2"]
    done = run([pretraining / "train.py", *flags, "--output-dir=streamed"], pretrained)
    assert f"{content['rows']} rows in 2 files" in done.stdout
    settings = json.loads((pretrained / "streamed/settings.json").read_text("utf-8"))
    assert settings["max_length"] == 48
    one, other = (
        (pretrained / name / "tokenizer.json").read_text("utf-8")
        for name in ("rows", "streamed")
    )
    assert json.loads(one)["model"] == json.loads(other)["model"]
    again = run([*write, *sizes], pretraining, check=3)
    assert "already there" in again.stderr


@needs_data
@pytest.mark.parametrize(
    ("file", "lines", "documents"),
    [
        ("bert_sample_text/sample_text.txt", "sentences", 3),
        ("gutenberg_en/11-0.txt", "sentences", 881),
        ("chinese_classics/sanguoyanyi.txt", "sentences", 1566),
        ("chinese_classics/sanguoyanyi.txt", "documents", 1566),
    ],
)
def test_real_texts_are_read(
    pretraining_load: Load, file: str, lines: str, documents: int
) -> None:
    """Documents are as many as blank lines say, and no character but spaces is lost."""
    config = pretraining_load("config").TrainConfig(text_lines=lines)
    examples = pretraining_load("dataset").load_examples(DATA / file, config)
    text = (DATA / file).read_text("utf-8-sig")
    blocks = [line for line in text.split("\n") if line.strip()]
    if lines == "sentences":
        joined = "\n".join(line.strip() for line in text.split("\n"))
        blocks = [block for block in joined.split("\n\n") if block.strip()]
    assert len(examples) == len(blocks) == documents
    found = "".join(e.text[a:b] for e in examples for a, b in e.sentences)
    assert "".join(found.split()) == "".join(text.split())


@needs_data
@pytest.mark.skipif(
    not importlib.util.find_spec("jieba"), reason="jieba is not installed"
)
def test_chinese_words_are_masked_whole(pretraining_load: Load) -> None:
    """With jieba, all characters of a word of a real text are masked, or none."""
    import jieba

    config = pretraining_load("config").TrainConfig(
        mask_unit="chinese", cache_dir="", sentence_order="none", max_ngram=1
    )
    dataset = pretraining_load("dataset")
    path = DATA / "chinese_classics/sanguoyanyi.txt"
    examples = dataset.load_examples(path, config)[:60]
    tokenizer = pretraining_load("tokenizer").load_tokenizer(
        DATA / "vocab_bert_chinese"
    )
    features = pretraining_load("features").make_features(examples, tokenizer, config)
    words = sum(
        len([word for word in jieba.cut(e.text[a:b]) if word.strip()])
        for e in examples
        for a, b in e.sentences
    )
    begun = int(features.starts_word.sum())
    assert abs(begun - words) < 0.01 * words < 0.5 * len(features.input_ids)
    rows = dataset.evaluation_rows(features, tokenizer, config)
    masked, together = 0, 0
    for row in range(len(rows.packing.order)):
        _, chosen, _ = rows.masked_row(row)
        positions, tokens = rows.positions(row)
        starts = features.starts_word[tokens].copy()
        starts[0] = True
        for word in np.split(positions, np.flatnonzero(starts)[1:]):
            hidden = np.isin(word, chosen)
            assert hidden.all() or not hidden.any()
            masked += bool(hidden.any())
            together += bool(hidden.all() and len(word) > 1)
    assert masked > 500 and together > 100
