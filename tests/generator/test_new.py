"""What `tkgen new` writes, says and refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tkgen import __version__
from tkgen.answers import Answers
from tkgen.catalog import Catalog
from tkgen.create import create_project
from tkgen.errors import BrokenTemplateError, TkgenError
from tkgen.state import sha256_of

from .conftest import QA_BERT, Run, environment, tree


def assert_three_lines(stderr: str) -> None:
    """Fail unless the text is one error: what, why and what to do."""
    starts = [line.split(":")[0] for line in stderr.strip().splitlines()]
    assert starts == ["error", "  why", "  fix"], stderr


def assert_whole(project: Path) -> None:
    """Fail unless every file of the lock is there, unchanged, and no other."""
    lock = json.loads((project / ".tkgen" / "lock.json").read_text())
    recorded = {record["path"]: record["sha256"] for record in lock["files"]}
    found = {
        path.relative_to(project).as_posix(): sha256_of(path.read_bytes())
        for path in project.rglob("*")
        if path.is_file() and ".tkgen" not in path.parts
    }
    assert found == recorded
    base = project / lock["base"]["path"]
    assert sha256_of(base.read_bytes()) == lock["base"]["sha256"]
    assert (project / ".tkgen" / "answers.toml").is_file()


def test_new_writes_a_whole_project(tkgen: Run, tmp_path: Path) -> None:
    """The default name is task-model; tree and next commands end the output."""
    result = tkgen("new", *QA_BERT)
    assert (result.returncode, result.stderr) == (0, "")
    assert os.listdir(tmp_path) == ["qa-bert"]
    assert_whole(tmp_path / "qa-bert")
    assert "├── evaluate.py" in result.stdout
    assert "\x1b" not in result.stdout
    commands = [line.strip() for line in result.stdout.split("next:")[1].splitlines()]
    assert commands[1] == "cd qa-bert"
    assert "python train.py" in commands


def test_the_state_holds_the_pristine_files(tkgen: Run, tmp_path: Path) -> None:
    """base.zip holds every generated file as it was written, in order, undated."""
    tkgen("new", "mine", *QA_BERT, "--output-dir", "a/b")
    project = tmp_path / "a" / "b" / "mine"
    assert_whole(project)
    with zipfile.ZipFile(project / ".tkgen" / "base.zip") as archive:
        names = archive.namelist()
        lock = json.loads((project / ".tkgen" / "lock.json").read_text())
        assert names == sorted(record["path"] for record in lock["files"])
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        assert all(archive.read(n) == (project / n).read_bytes() for n in names)
    answers = (project / ".tkgen" / "answers.toml").read_text()
    assert 'project_slug = "mine"' in answers and __version__ in answers


def test_a_dry_run_writes_nothing_and_plans_the_same(
    tkgen: Run, tmp_path: Path
) -> None:
    """The plan of a dry run is the plan that is applied, and touches no file."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    work = tmp_path / "work"
    work.mkdir()
    arguments = ["new", *QA_BERT, "--output-dir", "not/there", "--json"]
    env = {"TMPDIR": str(scratch)}
    dry = tkgen(*arguments, "--dry-run", env=env, cwd=work)
    assert dry.returncode == 0, dry.stderr
    assert list(work.iterdir()) == list(scratch.iterdir()) == []
    real = tkgen(*arguments, env=env, cwd=work)
    planned, done = json.loads(dry.stdout), json.loads(real.stdout)
    assert (planned.pop("applied"), done.pop("applied")) == (False, True)
    assert planned == done


def test_the_json_plan_describes_every_file(tkgen: Run, tmp_path: Path) -> None:
    """The versioned plan lists what is on the disk afterwards, with its hashes."""
    plan = json.loads(tkgen("new", *QA_BERT, "--json").stdout)
    assert (plan["format"], plan["version"]) == ("tkgen-plan", 1)
    assert plan["answers"]["package"] == "qa_bert"
    project = tmp_path / plan["target"]
    actions = {action["path"]: action for action in plan["actions"]}
    files = [path for path in project.rglob("*") if path.is_file()]
    assert {path.relative_to(project).as_posix() for path in files} == set(actions)
    for name, action in actions.items():
        content = (project / name).read_bytes()
        assert action["action"] == "create"
        assert action["sha256"] == sha256_of(content)
        assert action["size"] == len(content)
        assert action["axis"] in {"common", "task", "model", "option", "state"}
    assert actions["qa_bert/encoder.py"]["sources"] == [
        "encoders/bert/package/encoder.py"
    ]
    assert len(actions["README.md"]["sources"]) == 4


def test_text_dry_run_prints_the_tree(tkgen: Run) -> None:
    """A dry run for people says what it would do, in the words of the real run."""
    dry = tkgen("new", *QA_BERT, "--dry-run").stdout.splitlines()
    real = tkgen("new", *QA_BERT).stdout.splitlines()
    assert dry[0].startswith("would create") and real[0].startswith("created")
    assert dry[1:] == real[1:]


def test_output_without_unicode(tkgen: Run) -> None:
    """A terminal that knows ASCII alone gets a tree in ASCII."""
    result = tkgen("new", *QA_BERT, env={"PYTHONIOENCODING": "ascii"})
    assert result.returncode == 0, result.stderr
    assert "|-- train.py" in result.stdout or "`-- train.py" in result.stdout


def test_an_empty_folder_is_a_target(tkgen: Run, tmp_path: Path) -> None:
    """A folder that is there and empty is filled."""
    (tmp_path / "qa-bert").mkdir()
    assert tkgen("new", *QA_BERT).returncode == 0
    assert_whole(tmp_path / "qa-bert")


def test_a_full_folder_is_refused_and_untouched(tkgen: Run, tmp_path: Path) -> None:
    """A target that holds anything, a dotfile too, stays as it is: exit code 3."""
    target = tmp_path / "qa-bert"
    target.mkdir()
    (target / ".keep").write_text("mine")
    before = tree(tmp_path)
    for extra in ([], ["--dry-run"]):
        result = tkgen("new", *QA_BERT, *extra)
        assert result.returncode == 3
        assert "not empty" in result.stderr
        assert_three_lines(result.stderr)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("kind", ["file", "link", "dangling link", "link to empty"])
def test_a_target_that_is_no_folder_is_refused(
    tkgen: Run, tmp_path: Path, kind: str
) -> None:
    """A file or a symbolic link at the target is never replaced or followed."""
    target = tmp_path / "qa-bert"
    (tmp_path / "elsewhere").mkdir()
    if kind == "file":
        target.write_text("mine")
    else:
        target.symlink_to("nowhere" if kind == "dangling link" else "elsewhere")
    if kind == "link":
        (tmp_path / "elsewhere" / "file").write_text("mine")
    before = tree(tmp_path)
    result = tkgen("new", *QA_BERT)
    assert result.returncode == 3
    assert_three_lines(result.stderr)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "folder", ["file/below", "file", "/proc/tkgen-test", "/dev/null/x"]
)
def test_a_folder_that_cannot_be_written_is_refused(
    tkgen: Run, tmp_path: Path, folder: str
) -> None:
    """What the system forbids, even to root, is one clear refusal."""
    (tmp_path / "file").write_text("mine")
    before = tree(tmp_path)
    result = tkgen("new", *QA_BERT, "--output-dir", folder)
    assert result.returncode == 3, result.stderr
    assert "the system says" in result.stderr
    assert_three_lines(result.stderr)
    assert tree(tmp_path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to every folder")
def test_a_read_only_folder_is_refused(tkgen: Run, tmp_path: Path) -> None:
    """A folder without write permission is a refusal that names the reason."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    result = tkgen("new", *QA_BERT, "--output-dir", str(folder))
    assert result.returncode == 3
    assert "Permission denied" in result.stderr
    assert list(folder.iterdir()) == []


USAGE_ERRORS = {
    "unknown task": ["new", "--task", "qaa", "--model", "bert"],
    "unknown model": ["new", "--task", "qa", "--model", "brt"],
    "missing task": ["new", "--model", "bert"],
    "missing model": ["new", "--task", "qa"],
    "no input": ["new", "--no-input"],
    "keyword name": ["new", "class", *QA_BERT],
    "path name": ["new", "../x", *QA_BERT],
    "empty name": ["new", "", *QA_BERT],
    "unknown option": ["new", "--tsk", "qa"],
    "missing value": ["new", "--task"],
    "unknown command": ["nwe"],
    "too many names": ["new", "a", "b", *QA_BERT],
    "unknown shell": ["completion", "csh"],
    "show without task": ["show"],
    "show unknown": ["show", "qaa"],
}


@pytest.mark.parametrize("arguments", USAGE_ERRORS.values(), ids=USAGE_ERRORS)
def test_wrong_use_is_three_lines_and_exit_code_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    """Every wrong command line says what, why and what to do, and writes nothing."""
    from tkgen.cli import run

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert run(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert_three_lines(output.err)
    assert list(tmp_path.iterdir()) == []


def test_debug_adds_a_traceback(tkgen: Run) -> None:
    """The traceback comes with --debug and only with it."""
    arguments = ["new", "--task", "qaa", "--model", "bert"]
    assert "Traceback" not in tkgen(*arguments).stderr
    result = tkgen("--debug", *arguments)
    assert result.returncode == 2
    assert "Traceback" in result.stderr
    assert "error: no task is called 'qaa'" in result.stderr


def test_an_unexpected_exception_is_a_defect_of_tkgen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An exception that nobody planned for is one message with exit code 4."""
    import tkgen.cli

    def fail() -> None:
        raise ZeroDivisionError("something\nodd")

    monkeypatch.setattr(tkgen.cli, "load_catalog", fail)
    assert tkgen.cli.run(["list"]) == 4
    error = capsys.readouterr().err
    assert_three_lines(error)
    assert "ZeroDivisionError: something odd" in error
    assert "--debug" in error


STUB = "{{cookiecutter.project_slug}}/train.py"
BROKEN_TEMPLATES = {
    "no Python": {"templates/tasks/qa/model.py": "def (:\n"},
    "unknown answer": {"templates/common/README.md": "{{ cookiecutter.nothing }}\n"},
    "unknown name": {"templates/common/README.md": "{{ nothing.at.all }}\n"},
    "open tag": {"templates/common/README.md": "{{ cookiecutter.package\n"},
    "tag left": {"templates/common/README.md": "{% raw %}\n"},
    "tag in the data": {"templates/tasks/qa/train.jsonl": "{{ cookiecutter.x }}"},
    "missing source": {STUB: '# {% include "common/gone.py" %}\n'},
    "broken TOML": {
        "{{cookiecutter.project_slug}}/x.toml": '# {% include "common/x.toml" %}\n',
        "templates/common/x.toml": "= 1\n",
    },
    "broken settings": {"cookiecutter.json": "{"},
}


@pytest.mark.parametrize("replaced", BROKEN_TEMPLATES.values(), ids=BROKEN_TEMPLATES)
def test_a_broken_template_is_a_defect_that_leaves_nothing(
    tiny: Callable[..., Catalog], tmp_path: Path, replaced: dict[str, str]
) -> None:
    """A template that does not render to a sound file stops everything: exit code 4."""
    output = tmp_path / "output"
    with pytest.raises(BrokenTemplateError) as caught:
        create_project(tiny(replaced), Answers("qa", "bert", "x", "x"), output)
    assert caught.value.exit_code == 4
    assert not output.exists()


def test_a_stub_must_be_an_include(tiny: Callable[..., Catalog]) -> None:
    """A stub that holds anything else is refused when the catalog is read."""
    with pytest.raises(BrokenTemplateError, match=r"train\.py"):
        tiny({STUB: "print('here')\n"})


def test_a_symbolic_link_is_not_published(
    tiny: Callable[..., Catalog], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that a render leaves in the project is found before it is published."""
    import tkgen.create

    def render_with_link(catalog: Catalog, answers: Answers, staging: Path) -> Path:
        project = render(catalog, answers, staging)
        (project / "link").symlink_to("/etc")
        return project

    render = tkgen.create.render
    monkeypatch.setattr(tkgen.create, "render", render_with_link)
    with pytest.raises(BrokenTemplateError, match="link"):
        create_project(tiny(), Answers("qa", "bert", "x", "x"), tmp_path / "output")
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("place", ["project", "staging"])
def test_a_file_too_many_is_not_published(
    tiny: Callable[..., Catalog],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    """A file that no stub stands for, in the project or beside it, is a defect."""
    import tkgen.create

    def render_more(catalog: Catalog, answers: Answers, staging: Path) -> Path:
        project = render(catalog, answers, staging)
        ((project if place == "project" else staging) / "more.txt").write_text("x")
        return project

    render = tkgen.create.render
    monkeypatch.setattr(tkgen.create, "render", render_more)
    with pytest.raises(BrokenTemplateError, match="more"):
        create_project(tiny(), Answers("qa", "bert", "x", "x"), tmp_path / "output")


def test_compiled_stubs_are_no_part_of_a_project(
    tiny: Callable[..., Catalog], tmp_path: Path
) -> None:
    """`__pycache__` in the skeleton, which pip makes, does not reach a project."""
    folder = "{{cookiecutter.project_slug}}/__pycache__"
    catalog = tiny({f"{folder}/train.cpython-311.pyc": "{{ no }}"})
    create_project(catalog, Answers("qa", "bert", "x", "x"), tmp_path)
    assert not list((tmp_path / "x").rglob("__pycache__"))


def test_a_long_name_is_formatted_by_fixed_rules(
    tiny: Callable[..., Catalog], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that makes a line too long gets black's format, with no setting read."""
    (tmp_path / "pyproject.toml").write_text("[tool.black]\nline-length = 20\n")
    monkeypatch.chdir(tmp_path)
    name = "x" * 50
    create_project(tiny(), Answers("qa", "bert", name, name), tmp_path)
    code = (tmp_path / name / "train.py").read_text()
    assert code == (
        f'"""Trains."""\n\nfrom {name}.model import (\n'
        "    build_model,\n    compile_model,\n)\n"
    )


def test_errors_name_files_on_one_line() -> None:
    """White space in a fact does not break the three lines of an error."""
    assert_three_lines(str(TkgenError("a\nb", "c\r\nd", "e\tf")))


def test_a_broken_installation_says_so(checkout: Path, tmp_path: Path) -> None:
    """A package without templates is a defect with a message, not a traceback."""
    import shutil

    shutil.copytree(checkout / "tkgen", tmp_path / "lone" / "tkgen")
    result = subprocess.run(
        [sys.executable, "-m", "tkgen", "list"],
        env=environment(tmp_path / "lone"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 4
    assert_three_lines(result.stderr)
