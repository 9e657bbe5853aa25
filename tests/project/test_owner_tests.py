"""The tests that a project's owner keeps pass, and fail where a defect is put in."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from .conftest import run


class Defect(NamedTuple):
    """One edit of a package file, and the owner tests that must notice it."""

    file: str
    old: str
    new: str
    tests: str
    project: str = "qa-bert"


DEFECTS = {
    "layer norm epsilon is Keras' default": Defect(
        "transformer.py",
        "LayerNormalization(epsilon=config.layer_norm_eps, name=name)",
        "LayerNormalization(name=name)",
        "test_encoder.py",
    ),
    "gelu is the tanh form": Defect(
        "transformer.py", '"gelu": gelu,', '"gelu": gelu_tanh,', "test_encoder.py"
    ),
    "gelu_new is the erf form": Defect(
        "transformer.py",
        '"gelu_new": gelu_tanh,',
        '"gelu_new": gelu,',
        "test_encoder.py",
    ),
    "the attention mask is ignored": Defect(
        "transformer.py",
        "math.sqrt(head_size), mask=mask)",
        "math.sqrt(head_size))",
        "test_encoder.py",
    ),
    "question and context swap segments": Defect(
        "features.py",
        "in_context = positions >= self",
        "in_context = positions < self",
        "test_dataset.py",
    ),
    "an answer starts one token early": Defect(
        "features.py",
        "        return first, last\n",
        "        return max(0, first - 1), last\n",
        "test_dataset.py",
    ),
    "an answer starts one token late": Defect(
        "features.py",
        "        return first, last\n",
        "        return first + 1, max(first + 1, last)\n",
        "test_dataset.py",
    ),
    "an answer ends one token early": Defect(
        "features.py",
        "        return first, last\n",
        "        return first, max(first, last - 1)\n",
        "test_dataset.py",
    ),
    "an answer ends one token late": Defect(
        "features.py",
        "        return first, last\n",
        "        return first, min(last + 1, len(offsets) - 1)\n",
        "test_dataset.py",
    ),
    "decay excludes what Hugging Face calls LayerNorm": Defect(
        "optimization.py",
        'var_names=["bias", "gamma", "beta"]',
        'var_names=["LayerNorm"]',
        "test_optimization.py::test_decay_leaves_out_biases_and_layer_norms",
    ),
    "the rows of a token's gradient are squared one by one": Defect(
        "optimization.py",
        "super().apply(whole, trainable_variables)",
        "super().apply(grads, trainable_variables)",
        "test_optimization.py::test_a_token_that_comes_twice",
    ),
    "the loss takes logits for probabilities": Defect(
        "model.py", "from_logits=True)", "from_logits=False)", "test_model.py"
    ),
    "square kernels are not transposed": Defect(
        "spelling.py",
        "        if self.transposed:\n",
        "        if self.transposed and len({*array.shape}) == 2:\n",
        "test_weights.py",
    ),
    "special tokens in a text are special": Defect(
        "tokenizer.py",
        "encode_special_tokens = True",
        "encode_special_tokens = False",
        "test_tokenizer.py",
    ),
    "a head of other labels is dropped": Defect(
        "weights.py",
        "            if entry:\n",
        "            if entry and layer in weight_names.HEADS and (\n"
        "                math.prod(variable.shape)\n"
        "                != math.prod(checkpoint.shapes[entry.name])\n"
        "            ):\n"
        "                random.append(key)\n"
        "                continue\n"
        "            if entry:\n",
        "test_heads.py",
    ),
    "half a layer stays random": Defect(
        "weights.py",
        "lacking = layer not in skip and has_layer(checkpoint, spelling, layer)",
        "lacking = False",
        "test_heads.py",
    ),
    "albert_zh's projection has a bias": Defect(
        "encoder.py",
        "        use_bias=False,\n",
        '        bias_initializer="ones",\n',
        "test_other_layouts.py",
        "qa-albert",
    ),
    "albert_zh's projection comes after the sum": Defect(
        "encoder.py",
        "embed(inputs, config.hidden_size, config, widen(tokens(inputs["
        '"input_ids"])))',
        "widen(embed(inputs, config.embedding_size, config, tokens(inputs["
        '"input_ids"])))',
        "test_other_layouts.py",
        "qa-albert",
    ),
    "preln is computed as postln": Defect(
        "encoder.py",
        'pre_norm_layer if config.ln_type == "preln" else transformer_layer',
        "transformer_layer",
        "test_other_layouts.py",
        "qa-albert",
    ),
    "preln normalizes what is added up": Defect(
        "encoder.py",
        "        hidden = hidden + attended\n",
        "        hidden = attention_norm(hidden) + attended\n",
        "test_other_layouts.py",
        "qa-albert",
    ),
}


def embedding_defect(file: str, old: str, new: str, tests: str) -> Defect:
    """Return a defect of the project for sentence embedding."""
    return Defect(file, old, new, tests, "sentence-embedding-bert")


DEFECTS |= {
    "mean pooling takes padding for tokens": embedding_defect(
        "model.py",
        "ops.sum(hidden * mask, axis=1)",
        "ops.sum(hidden, axis=1)",
        "test_model.py::test_pooling",
    ),
    "max pooling takes padding for tokens": embedding_defect(
        "model.py",
        "hidden - 1e9 * (1.0 - token_mask(encoder, hidden))",
        "hidden",
        "test_model.py::test_pooling",
    ),
    "first-last takes the embeddings for the first layer": embedding_defect(
        "model.py",
        '.endswith("_output_layer_norm")',
        '.endswith("embeddings_layer_norm")',
        "test_model.py::test_pooling",
    ),
    "the temperature multiplies": embedding_defect(
        "losses.py",
        "cosines(vectors) / temperature",
        "cosines(vectors) * temperature",
        "test_model.py::test_contrastive_loss",
    ),
    "the hard negative's weight is added before the division": embedding_defect(
        "losses.py",
        "logits = logits + hard_negative_weight *",
        "logits = logits + hard_negative_weight / temperature *",
        "test_model.py::test_contrastive_loss",
    ),
    "a positive is that of the next example": embedding_defect(
        "features.py",
        "columns = (np.full(len(rows), role), numbers, self.score[rows])",
        "columns = (np.full(len(rows), role), np.roll(numbers, role == POSITIVE), "
        "self.score[rows])",
        "test_dataset.py::test_batches_keep_triplets_together",
    ),
    "equal values do not share their rank": embedding_defect(
        "metrics.py",
        "return (last - (counts - 1) / 2.0)[groups]",
        "return last[groups].astype(float)",
        "test_metrics.py",
    ),
}
# Runs without a defect, before and after the others: what one leaves behind in the
# process does not make the next one fail.
CONTROLS = {
    f"control {when}, {kind}": kind
    for when in ("before", "after")
    for kind in ("qa-bert", "sentence-embedding-bert")
}


def make_copy(project: Path, folder: Path, defect: Defect | None) -> None:
    """Copy a project with one edit in its package; the rest is linked to."""
    folder.mkdir()
    package = project.name.replace("-", "_")
    for path in project.iterdir():
        if path.name in (package, "tests"):
            shutil.copytree(path, folder / path.name)
        elif path.name != ".tkgen":
            os.symlink(path, folder / path.name)
    if defect:
        path = folder / package / defect.file
        text = path.read_text("utf-8")
        assert text.count(defect.old) == 1, f"{defect.file} has changed: {defect.old}"
        path.write_text(text.replace(defect.old, defect.new), "utf-8")


@pytest.fixture(scope="module")
def results(
    project: Path,
    albert_project: Path,
    embedding_project: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, object]]:
    """Exit code and output of the owner tests for each defect and each control."""
    projects = {
        path.name: path for path in (project, albert_project, embedding_project)
    }
    copies = tmp_path_factory.mktemp("copies").resolve()
    cases: dict[str, Defect | None] = dict.fromkeys(list(CONTROLS)[:2])
    cases |= DEFECTS
    cases |= dict.fromkeys(list(CONTROLS)[2:])
    jobs = {}
    for number, (name, defect) in enumerate(cases.items()):
        kind = defect.project if defect else CONTROLS[name]
        make_copy(projects[kind], copies / str(number), defect)
        tests = {each.tests for each in DEFECTS.values() if each.project == kind}
        tests = {defect.tests} if defect else tests
        jobs[str(number)] = [f"tests/{test}" for test in sorted(tests)]
    (copies / "jobs.json").write_text(json.dumps(jobs), "utf-8")
    script = Path(__file__).with_name("run_owner_tests.py")
    run([script, copies / "jobs.json", copies / "report.json"], copies)
    report = json.loads((copies / "report.json").read_text("utf-8"))
    return dict(zip(cases, report.values(), strict=True))


# The files of owner's tests that differ from those of the projects for QA, or depend on
# the task.
EMBEDDING_TESTS = ("dataset", "pair_files", "decoding", "metrics", "model")
EMBEDDING_TESTS += ("training", "last_layers")


@pytest.mark.parametrize("name", ["bert", "albert", "embedding"])
def test_the_owners_tests_pass(
    project: Path,
    albert_project: Path,
    embedding_project: Path,
    tmp_path: Path,
    name: str,
) -> None:
    """`pytest` in a new project passes."""
    source = {"bert": project, "albert": albert_project, "embedding": embedding_project}
    tests = [f"tests/test_{each}.py" for each in EMBEDDING_TESTS]
    shutil.copytree(source[name], tmp_path / "copy")
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = run([*command, *(tests if name == "embedding" else [])], tmp_path / "copy")
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", CONTROLS)
def test_unchanged_copies_pass(
    results: dict[str, dict[str, object]], name: str
) -> None:
    """Without a defect the same tests pass in the same process."""
    assert results[name]["code"] == 0, results[name]["output"]


@pytest.mark.parametrize("name", DEFECTS)
def test_defects_are_noticed(results: dict[str, dict[str, object]], name: str) -> None:
    """With a defect, an assertion of the owner's tests fails, or a load is refused."""
    output = str(results[name]["output"])
    assert results[name]["code"] == 1, f"not noticed: {output}"
    assert "1 failed" in output
    signs = ("AssertionError", "\nE       assert ", "DID NOT RAISE", "UserError: the c")
    assert any(sign in output for sign in signs), output
    assert "ImportError" not in output and "SyntaxError" not in output, output
