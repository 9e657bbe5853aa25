"""The owner's tests of a labelling project pass, and notice defects put in.

One project decodes with a CRF, the other with a softmax.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import make_project, run
from .test_owner_tests import Defect, make_copy

CRF_DEFECTS = {
    "the label stands at the last piece": Defect(
        "features.py",
        "places = 1 + np.cumsum(counts[first:stop]) - counts[first:stop]",
        "places = np.cumsum(counts[first:stop])",
        "test_dataset.py::test_first_pieces_carry_the_labels",
    ),
    "words of two windows are predicted twice": Defect(
        "features.py",
        "yield first, stop, range(own[0], own[-1] + 1)",
        "yield first, stop, range(first, stop)",
        "test_dataset.py::test_windows_hold_whole_words_and_share_no_own_word",
    ),
    "a window takes the words at its edge": Defect(
        "features.py",
        "better = around > most[inside]",
        "better = around >= 0",
        "test_dataset.py::test_each_word_belongs_to_its_best_window",
    ),
    "words that vanish lose their place": Defect(
        "features.py",
        "encoding.ids[:limit] or unknown",
        "encoding.ids[:limit]",
        "test_dataset.py",
    ),
    "IOB1 is read as IOB2": Defect(
        "schemes.py",
        "        if letter != OUTSIDE and not goes_on:",
        '        if letter == "I" and not goes_on:\n'
        '            letter = "O"\n'
        "        if letter != OUTSIDE and not goes_on:",
        "test_schemes.py",
    ),
    "an entity goes on with another type": Defect(
        "schemes.py", " and label == before[1]", "", "test_schemes.py"
    ),
    "recall counts what was predicted": Defect(
        "metrics.py",
        "recall = 100.0 * right / gold if gold",
        "recall = 100.0 * right / predicted if predicted",
        "test_metrics.py",
    ),
    "the transitions are transposed": Defect(
        "head.py",
        "paths = ops.expand_dims(alpha, -1) + transitions",
        "paths = ops.expand_dims(alpha, -1) + ops.transpose(transitions)",
        "test_head.py::test_loss",
    ),
    "the score of starting is missing": Defect(
        "head.py",
        "ops.scan(step, start + logits[:, 0], words[1:])\n    return",
        "ops.scan(step, logits[:, 0], words[1:])\n    return",
        "test_head.py::test_loss",
    ),
    "padding moves the forward sums": Defect(
        "head.py",
        "alpha = ops.where(word[:, count:] > 0, following, alpha)",
        "alpha = following",
        "test_head.py::test_loss",
    ),
    "the end is scored at padding": Defect(
        "head.py",
        "last = ops.cast(ops.maximum(ops.sum(real, axis=1) - 1, 0)",
        "last = ops.cast(ops.sum(ops.ones_like(real), axis=1) - 1",
        "test_head.py::test_loss",
    ),
    "an export decodes padding": Defect(
        "head.py",
        "carry = (best, ops.where(real, back, same))",
        "carry = (best, back)",
        "test_head.py::test_export_decodes",
    ),
    "marginals leave out the way back": Defect(
        "head.py",
        "both = forward + backward",
        "both = forward",
        "test_head.py::test_decoding",
    ),
    "the head has the encoder's rate": Defect(
        "optimization.py",
        "variable, learning_rate * factor)",
        "variable, learning_rate)",
        "test_model.py::test_the_head_has_its_own_rate",
    ),
}
SOFTMAX_DEFECTS = {
    "the loss counts padding": Defect(
        "head.py",
        "real = ops.cast(labels >= 0, logits.dtype)",
        "real = ops.ones_like(ops.cast(labels, logits.dtype))",
        "test_head.py::test_loss_is_the_mean_over_words",
    ),
    "the loss takes logits for probabilities": Defect(
        "head.py",
        "logits, from_logits=True",
        "logits, from_logits=False",
        "test_head.py::test_loss_is_the_mean_over_words",
    ),
    "pieces are taken in the place of words": Defect(
        "model.py",
        "ops.expand_dims(word_positions, -1)",
        "ops.expand_dims(ops.cumsum(ops.ones_like(word_positions), axis=1), -1)",
        "test_model.py::test_words_are_classified_at_their_first_pieces",
    ),
}
CASES = {"crf": CRF_DEFECTS, "softmax": SOFTMAX_DEFECTS}
ALL_DEFECTS = {name: cases[name] for cases in CASES.values() for name in cases}
# The files that vary with the task or the option; the others are common.
TESTS = {
    "crf": (
        *("dataset", "decoding", "head", "metrics", "model", "schemes"),
        *("sentence_files", "checkpoint_writers", "training"),
    ),
    "softmax": ("head", "model", "decoding", "checkpoint_writers"),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """Exit code and output of the owner tests for each defect and each option."""
    copies = tmp_path_factory.mktemp("copies").resolve()
    jobs: dict[str, list[str]] = {}
    names: list[str] = []
    for option, defects in CASES.items():
        folder = tmp_path_factory.mktemp(option)
        project = make_project(folder, "token-classification", option=option)
        cases: dict[str, Defect | None] = {option: None, **defects}
        for name, defect in cases.items():
            number = str(len(names))
            make_copy(project, copies / number, defect)
            files = [f"test_{name}.py" for name in TESTS[option]]
            chosen = [defect.tests] if defect else files
            jobs[number] = [f"tests/{test}" for test in chosen]
            names.append(name)
    (copies / "jobs.json").write_text(json.dumps(jobs), "utf-8")
    script = Path(__file__).with_name("run_owner_tests.py")
    run([script, copies / "jobs.json", copies / "report.json"], copies)
    report = json.loads((copies / "report.json").read_text("utf-8"))
    return dict(zip(names, report.values(), strict=True))


@pytest.mark.parametrize("option", CASES)
def test_unchanged_projects_pass(
    results: dict[str, dict[str, object]], option: str
) -> None:
    """Without a defect the owner's tests pass, none of them skipped."""
    assert results[option]["code"] == 0, results[option]["output"]
    assert "skipped" not in str(results[option]["output"]).splitlines()[-1]


@pytest.mark.parametrize("name", ALL_DEFECTS)
def test_defects_are_noticed(results: dict[str, dict[str, object]], name: str) -> None:
    """With a defect, an assertion of the owner's tests fails."""
    output = str(results[name]["output"])
    assert results[name]["code"] == 1, f"not noticed: {output}"
    assert "1 failed" in output
    assert "AssertionError" in output or "\nE       assert " in output, output
    assert "ImportError" not in output and "SyntaxError" not in output, output
