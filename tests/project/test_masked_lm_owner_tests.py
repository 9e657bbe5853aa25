"""The owner's tests of a pretraining project pass, and notice defects put in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import make_project, run
from .test_owner_tests import Defect, make_copy

# Runs without a defect, before and after the others.
CONTROLS = ("control before", "control after")

DEFECTS = {
    "targets are the tokens one place before": Defect(
        "masking.py",
        "        targets = ids[chosen]\n",
        "        targets = ids[chosen - 1]\n",
        "test_masking.py::test_what_stands_in_place",
    ),
    "all that is predicted is [MASK]": Defect(
        "masking.py",
        "MASKED, RANDOM = 0.8, 0.1",
        "MASKED, RANDOM = 1.0, 0.0",
        "test_masking.py::test_what_stands_in_place",
    ),
    "random tokens may be special ones": Defect(
        "masking.py",
        "ids.ordinary[random.integers(0, len(ids.ordinary), len(tokens))]",
        "random.integers(0, ids.ordinary.max() + 1, len(tokens))",
        "test_masking.py::test_what_stands_in_place",
    ),
    "[CLS] is masked": Defect(
        "masking.py",
        "[1 + np.arange(len(one)), 2",
        "[np.arange(len(one)), 2",
        "test_masking.py::test_special_tokens_are_never_masked",
    ),
    "pieces of a word are masked apart": Defect(
        "masking.py",
        "        starts[np.flatnonzero(np.diff(positions, prepend=-1) > 1)] = True",
        "        starts = np.ones_like(starts)",
        "test_masking.py::test_whole_words",
    ),
    "a word goes on in the next part": Defect(
        "masking.py",
        "np.diff(positions, prepend=-1) > 1",
        "np.diff(positions, prepend=-1) > 2",
        "test_masking.py::test_a_part_begins_with_a_word",
    ),
    "runs of words are all as likely": Defect(
        "masking.py",
        "np.cumsum(1 / np.arange(1,",
        "np.cumsum(0 * np.arange(1,",
        "test_masking.py::test_ngrams",
    ),
    "a run of words goes over [SEP]": Defect(
        "masking.py",
        " and adjacent(words[span]):",
        ":",
        "test_masking.py::test_ngrams_do_not_cross_the_separator",
    ),
    "masks are the same in each epoch": Defect(
        "dataset.py",
        "batches += [first + batch for",
        "batches += [batch for",
        "test_dataset.py::test_training_batches",
    ),
    "what follows has the label of another text": Defect(
        "packing.py",
        "int(changed)\n",
        "int(not changed)\n",
        "test_packing.py::test_next_sentences",
    ),
    "swapped parts have the label of parts in order": Defect(
        "packing.py",
        "int(changed)\n",
        "int(changed and not swapping)\n",
        "test_packing.py::test_sentence_order",
    ),
    "the second part is of the same text": Defect(
        "packing.py",
        "            if found != document:\n",
        "            if found == document:\n",
        "test_packing.py::test_next_sentences",
    ),
    "the loss takes logits for probabilities": Defect(
        "model.py", "from_logits=True", "from_logits=False", "test_model.py::test_loss"
    ),
    "the output's matrix is another one": Defect(
        "model.py",
        "logits = table(transformed, reverse=True)",
        "logits = layers.Dense(table.input_dim, use_bias=False)(transformed)",
        "test_model.py::test_table_is_shared",
    ),
    "perplexity is that of bits": Defect(
        "metrics.py", "math.exp(min(loss, 700.0))", "2.0**loss", "test_metrics.py"
    ),
}
# The task's tests, and the common ones of training.
TESTS = ("dataset", "decoding", "documents", "masking", "metrics", "model", "packing")
TESTS += ("write_records", "training")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """Exit code and output of the owner tests for each defect and each control."""
    project = make_project(tmp_path_factory.mktemp("new"), "masked-lm")
    copies = tmp_path_factory.mktemp("copies").resolve()
    cases = {CONTROLS[0]: None, **DEFECTS, CONTROLS[1]: None}
    # What was seen to pass before is what can fail with a defect, and afterwards.
    tests = {CONTROLS[0]: [f"test_{name}.py" for name in TESTS]}
    tests[CONTROLS[1]] = sorted({defect.tests for defect in DEFECTS.values()})
    jobs = {}
    for number, (name, defect) in enumerate(cases.items()):
        make_copy(project, copies / str(number), defect)
        chosen = [defect.tests] if defect else tests[name]
        jobs[str(number)] = [f"tests/{test}" for test in chosen]
    (copies / "jobs.json").write_text(json.dumps(jobs), "utf-8")
    script = Path(__file__).with_name("run_owner_tests.py")
    run([script, copies / "jobs.json", copies / "report.json"], copies)
    report = json.loads((copies / "report.json").read_text("utf-8"))
    return dict(zip(cases, report.values(), strict=True))


@pytest.mark.parametrize("name", CONTROLS)
def test_unchanged_copies_pass(
    results: dict[str, dict[str, object]], name: str
) -> None:
    """Without a defect the same tests pass in the same process."""
    assert results[name]["code"] == 0, results[name]["output"]
    assert "skipped" not in str(results[name]["output"]).splitlines()[-1]


@pytest.mark.parametrize("name", DEFECTS)
def test_defects_are_noticed(results: dict[str, dict[str, object]], name: str) -> None:
    """With a defect, an assertion of the owner's tests fails."""
    output = str(results[name]["output"])
    assert results[name]["code"] == 1, f"not noticed: {output}"
    assert "1 failed" in output
    signs = ("AssertionError", "\nE       assert ", "DID NOT RAISE")
    assert any(sign in output for sign in signs), output
    assert "ImportError" not in output and "SyntaxError" not in output, output
