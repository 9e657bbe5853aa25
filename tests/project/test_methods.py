"""Training methods: their owner's tests, defects in them, and runs of the commands."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from .conftest import SIZES, make_project, run, write_data
from .test_owner_tests import Defect, make_copy
from .test_resume import arrays_of, assert_same, start_and_kill, states, steps_of

# Task, model and options of a project, by the method.
PROJECTS = {
    "layer-decay": ("token-classification", "bert", "layer-decay crf"),
    "shared layers": ("sequence-classification", "albert", "layer-decay"),
    "ema": ("sequence-classification", "bert", "ema"),
    "fgm": ("sequence-classification", "albert", "fgm"),
    "r-drop": ("token-classification", "bert", "r-drop"),
    "distillation": ("sequence-classification", "bert", "distillation"),
    "vectors": ("sentence-embedding", "bert", "distillation"),
    "aspects": ("aspect-sentiment", "bert", "r-drop"),
}
RESUMED = "test_training.py::test_resumed_run_ends_with_the_same_weights"
TESTS = {
    "layer-decay": ["test_method.py", RESUMED],
    "shared layers": ["test_method.py"],
    "ema": ["test_method.py", "test_training.py"],
    "fgm": ["test_method.py", RESUMED],
    "r-drop": ["test_method.py", RESUMED],
    "distillation": ["test_method.py", "test_model.py", RESUMED],
    "vectors": ["test_method.py"],
    "aspects": ["test_method.py"],
}
DEFECTS = {
    "the embeddings learn like the lowest layer": Defect(
        "method.py",
        "decay ** (len(numbers) + 1)",
        "decay ** len(numbers)",
        "test_method.py::test_each_layer_has_its_rate",
        "layer-decay",
    ),
    "the head's own rate is lost": Defect(
        "method.py",
        "factor * own.get(name, 1.0)",
        "factor",
        "test_method.py::test_a_decay_of_1_is_plain_training",
        "layer-decay",
    ),
    "the average takes what it should leave": Defect(
        "method.py",
        "(1.0 - momentum) * difference",
        "momentum * difference",
        "test_method.py::test_the_model_gets_the_average",
        "ema",
    ),
    "the averages are no part of the state": Defect(
        "method.py",
        "            average.assign(store[str(number)])",
        "            average.assign(average)",
        "test_method.py::test_a_state_holds_weights_and_averages",
        "ema",
    ),
    "the table stays pushed": Defect(
        "method.py",
        "        table.assign(before)\n",
        "",
        "test_method.py::test_the_table_is_restored",
        "fgm",
    ),
    "the push has no length of its own": Defect(
        "method.py",
        "tf.math.divide_no_nan(slope, tf.norm(slope))",
        "slope",
        "test_method.py::test_one_update_by_hand",
        "fgm",
    ),
    "only the pushed gradient counts": Defect(
        "method.py",
        "a if b is None else a + b",
        "b",
        "test_method.py::test_one_update_by_hand",
        "fgm",
    ),
    "one direction is taken twice": Defect(
        "method.py",
        "divergence(y, again, y_pred, self.settings)",
        "divergence(y, y_pred, again, self.settings)",
        "test_method.py::test_the_loss_is_that_of_two_passes",
        "r-drop",
    ),
    "the second pass drops nothing": Defect(
        "method.py",
        "again = self(x, training=True)",
        "again = self(x, training=False)",
        "test_method.py::test_the_loss_is_that_of_two_passes",
        "r-drop",
    ),
    "the temperature is not made up for": Defect(
        "divergence.py",
        "temperature**2 * ops.sum(parts, axis=-1)",
        "ops.sum(parts, axis=-1)",
        "test_model.py::test_divergence",
        "distillation",
    ),
    "the student has the teacher's lowest layers": Defect(
        "method.py",
        "max(0, round((place + 1) * count / own) - 1) for",
        "place for",
        "test_method.py::test_states_and_attention_are_compared",
        "distillation",
    ),
    "padding is compared too": Defect(
        "method.py",
        'real = ops.cast(x["attention_mask"], "float32")',
        'real = ops.ones_like(x["attention_mask"], dtype="float32")',
        "test_method.py::test_states_and_attention_are_compared",
        "distillation",
    ),
    "the teacher drops out": Defect(
        "method.py",
        "teacher(inputs, training=False)",
        "teacher(inputs, training=True)",
        "test_method.py::test_predictions_are_compared",
        "distillation",
    ),
}


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A project for each method; tests do not write into them."""
    return {
        name: make_project(tmp_path_factory.mktemp("new"), *choice)
        for name, choice in PROJECTS.items()
    }


@pytest.fixture(scope="module")
def results(
    projects: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, object]]:
    """Exit code and output of the owner's tests of each project and each defect."""
    copies = tmp_path_factory.mktemp("copies").resolve()
    cases: dict[str, Defect | None] = dict.fromkeys(PROJECTS)
    jobs: dict[str, list[str]] = {}
    for number, (name, defect) in enumerate({**cases, **DEFECTS}.items()):
        project = projects[defect.project if defect else name]
        make_copy(project, copies / str(number), defect)
        chosen = [defect.tests] if defect else TESTS[name]
        jobs[str(number)] = [f"tests/{test}" for test in chosen]
    (copies / "jobs.json").write_text(json.dumps(jobs), "utf-8")
    script = Path(__file__).with_name("run_owner_tests.py")
    run([script, copies / "jobs.json", copies / "report.json"], copies)
    report = json.loads((copies / "report.json").read_text("utf-8"))
    return dict(zip([*cases, *DEFECTS], report.values(), strict=True))


@pytest.mark.parametrize("name", PROJECTS)
def test_unchanged_projects_pass(
    results: dict[str, dict[str, object]], name: str
) -> None:
    """The method does what its formula says, and a resumed run loses nothing."""
    assert results[name]["code"] == 0, results[name]["output"]
    assert "skipped" not in str(results[name]["output"]).splitlines()[-1]


@pytest.mark.parametrize("name", DEFECTS)
def test_defects_are_noticed(results: dict[str, dict[str, object]], name: str) -> None:
    """With a defect, an assertion of the owner's tests fails."""
    output = str(results[name]["output"])
    assert results[name]["code"] == 1, f"not noticed: {output}"
    assert "1 failed" in output
    assert "AssertionError" in output or "\nE       assert " in output, output


LOAD = """
import json, sys
import keras
for path in sys.argv[1:]:
    model = keras.saving.load_model(path, compile=False)
    modules = {type(model).__module__, *(type(x).__module__ for x in model.layers)}
    assert all(name.startswith("keras.") for name in modules), modules
    print(json.dumps([path, sorted(model.output), model.count_params()]))
"""


STUDENT = [
    "--teacher=teacher",
    "--vocabulary=teacher/tokenizer.json",
    "--hidden-state-weight=1",
    "--attention-weight=1",
    "--save-steps=2",
]


@pytest.fixture(scope="module")
def students(
    projects: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str], list[str]]:
    """A folder with runs of a teacher and a student, flags, and what was printed."""
    project, folder = projects["distillation"], tmp_path_factory.mktemp("students")
    flags = [*write_data(project, folder, train=24, validation=6), "--epochs=4"]
    large = {**SIZES, "hidden_size": 24, "num_hidden_layers": 4}
    (folder / "large.json").write_text(json.dumps(large))
    commands = [
        ["train.py", *flags, "--encoder-config=large.json", "--output-dir=teacher"],
        ["train.py", *flags, *STUDENT, "--output-dir=student"],
        ["evaluate.py", "--model-dir=student", "--files=validation.jsonl"],
    ]
    (folder / "commands.json").write_text(json.dumps(commands))
    script = Path(__file__).with_name("run_commands.py")
    run([script, project, "commands.json", "outputs.json"], folder)
    return folder, flags, json.loads((folder / "outputs.json").read_text())


def test_a_teacher_and_its_student(
    projects: dict[str, Path],
    students: tuple[Path, list[str], list[str]],
    tmp_path: Path,
) -> None:
    """Both come from one project; what is kept are plain models of two sizes."""
    folder, flags, outputs = students
    assert "no teacher: plain training" in outputs[0]
    assert "teacher: a teacher of" in outputs[1]
    other = ["--teacher=teacher", "--vocab-size=90", "--output-dir=other"]
    train = projects["distillation"] / "train.py"
    done = run([train, *flags, *other], folder, check=2)
    assert "another vocabulary than the student" in done.stderr
    paths = [folder / name / "model.keras" for name in ("teacher", "student")]
    done = run(["-c", LOAD, *paths], tmp_path)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [names for _, names, _ in found] == [["logits"], ["logits"]]
    assert found[1][2] < found[0][2]


def test_a_killed_student_ends_with_the_same_weights(
    projects: dict[str, Path], students: tuple[Path, list[str], list[str]]
) -> None:
    """The matrix to the teacher's size and the optimizer's slots are resumed too."""
    folder, flags, _ = students
    train = str(projects["distillation"] / "train.py")
    command = [sys.executable, train, *flags, *STUDENT, "--output-dir=cut"]
    assert start_and_kill(command, folder, folder / "cut", new_states=2, delay=0)
    run([train, "--resume", "--output-dir=cut"], folder)
    expected, found = (
        arrays_of(states(folder / name)[-1] / "state.weights.h5")
        for name in ("student", "cut")
    )
    assert steps_of(folder / "cut") == steps_of(folder / "student") == [12]
    assert_same(found, expected)
