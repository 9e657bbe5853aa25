"""`tkgen new --language`: which of a task's samples a project gets."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tkgen.answers import resolve_answers
from tkgen.catalog import Catalog
from tkgen.cli import run
from tkgen.create import create_project
from tkgen.errors import BrokenTemplateError, NoSampleError

from .conftest import QA_BERT, TINY_FILES, Run, contents, environment
from .test_new import assert_three_lines

DATA = "{{cookiecutter.project_slug}}/data/train.jsonl"
FILES = {
    DATA: '# {% include "tasks/" ~ cookiecutter.task ~ "/" ~ cookiecutter.__sample '
    '~ "/train.jsonl" %}\n',
    "templates/tasks/qa/data/train.jsonl": '{"question": "Who?"}\n',
    "templates/tasks/qa/data-zh/train.jsonl": '{"question": "谁?"}\n',
    "templates/tasks/ner/card.toml": TINY_FILES["templates/tasks/qa/card.toml"]
    .replace('"qa"', '"ner"')
    .replace("mrc", "tagging"),
    "templates/tasks/ner/model.py": '"""Another head."""\n',
    "templates/tasks/ner/data/train.jsonl": "{}\n",
}

Tiny = Callable[[Mapping[str, str]], Catalog]


def chinese_letters(project: Path) -> set[str]:
    """Return the Chinese characters of a project's sample."""
    texts = [path.read_text("utf-8") for path in project.glob("data/*.jsonl")]
    return {letter for letter in "".join(texts) if "\u4e00" <= letter <= "\u9fff"}


def test_the_language_decides_on_data_alone(tiny: Tiny, tmp_path: Path) -> None:
    """Another language gives other sample files, and no other difference."""
    catalog = tiny(FILES)
    found = {}
    for language in ("en", "zh"):
        answers = resolve_answers(catalog, "qa", "bert", "x", (), language)
        create_project(catalog, answers, tmp_path / language)
        found[language] = contents(tmp_path / language / "x")
        state = (tmp_path / language / "x/.tkgen/answers.toml").read_text()
        assert tomllib.loads(state)["answers"]["language"] == language
    differing = {
        path for path, digest in found["en"].items() if found["zh"][path] != digest
    }
    assert found["en"].keys() == found["zh"].keys()
    assert differing == {"data/train.jsonl"}
    assert "谁" in (tmp_path / "zh/x/data/train.jsonl").read_text("utf-8")
    lock = json.loads((tmp_path / "zh/x/.tkgen/lock.json").read_text())
    record = next(r for r in lock["files"] if r["path"] == "data/train.jsonl")
    assert record["sources"] == ["tasks/qa/data-zh/train.jsonl"]
    assert record["axis"] == "task"


def test_english_is_the_default(tiny: Tiny, tmp_path: Path) -> None:
    """Without a language the project is the English one."""
    catalog = tiny(FILES)
    answers = resolve_answers(catalog, "qa", "bert", "x")
    assert answers == resolve_answers(catalog, "qa", "bert", "x", (), "en")
    create_project(catalog, answers, tmp_path)
    assert (tmp_path / "x/data/train.jsonl").read_text() == '{"question": "Who?"}\n'


def test_a_language_without_a_sample_is_refused(tiny: Tiny) -> None:
    """The error names the tasks that have it, or else the languages there are."""
    catalog = tiny(FILES)
    assert catalog.languages == ("en", "zh")
    with pytest.raises(NoSampleError, match="ner has no sample in 'zh'") as caught:
        resolve_answers(catalog, "tagging", "bert", "x", (), "zh")
    assert caught.value.why == "the tasks that have one are: qa"
    for language in ("fr", "", "../en", "EN"):
        with pytest.raises(NoSampleError) as caught:
            resolve_answers(catalog, "qa", "bert", "x", (), language)
        assert caught.value.why == "the languages of samples are: en, zh"


def test_half_a_sample_is_a_defect(tiny: Tiny, tmp_path: Path) -> None:
    """A sample folder without a file leaves nothing behind."""
    catalog = tiny(FILES)
    (catalog.content_path("tasks/qa/data-zh/train.jsonl")).unlink()
    answers = resolve_answers(catalog, "qa", "bert", "x", (), "zh")
    with pytest.raises(BrokenTemplateError, match=r"data/train\.jsonl"):
        create_project(catalog, answers, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_chinese_project_from_the_command_line(tkgen: Run, tmp_path: Path) -> None:
    """A dry run plans what is written, and the sample is Chinese."""
    command = ["new", "mine", *QA_BERT, "--language", "zh", "--json"]
    planned = json.loads(tkgen(*command, "--dry-run").stdout)
    assert list(tmp_path.iterdir()) == []
    done = json.loads(tkgen(*command).stdout)
    assert planned.pop("applied") is False and done.pop("applied") is True
    assert planned == done
    assert done["answers"]["language"] == "zh"
    assert len(chinese_letters(tmp_path / "mine")) > 300
    answers = (tmp_path / "mine/.tkgen/answers.toml").read_text()
    assert 'language = "zh"\n' in answers


@pytest.mark.parametrize(
    "task", ["qa", "sequence-classification", "token-classification"]
)
def test_cookiecutter_gives_the_same_bytes(
    checkout: Path, tkgen: Run, tmp_path: Path, task: str
) -> None:
    """`cookiecutter … language=zh` writes what `tkgen new --language zh` writes."""
    (tmp_path / "home").mkdir()
    command = [sys.executable, "-m", "cookiecutter", str(checkout), "--no-input"]
    command += ["--directory", "templates", f"task={task}", "language=zh"]
    subprocess.run(
        [*command, "--output-dir", str(tmp_path / "theirs")],
        env=environment(checkout, {"HOME": str(tmp_path / "home")}),
        check=True,
        capture_output=True,
    )
    new = ["new", "--task", task, "--model", "bert", "--language", "zh"]
    assert tkgen(*new, "--output-dir", "ours").returncode == 0
    ours = contents(tmp_path / "ours" / f"{task}-bert")
    assert ours == contents(tmp_path / "theirs" / f"{task}-bert")
    assert chinese_letters(tmp_path / "ours" / f"{task}-bert")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--task", "masked-lm", "--model", "bert", "--language", "zh"],
        [*QA_BERT, "--language", "fr"],
        [*QA_BERT, "--language"],
    ],
)
def test_wrong_languages_are_wrong_use(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    """Three lines, exit code 2, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    assert run(["new", *arguments]) == 2
    output = capsys.readouterr()
    assert output.out == "" and list(tmp_path.iterdir()) == []
    assert_three_lines(output.err)


def test_list_and_show_name_the_languages(capsys: pytest.CaptureFixture[str]) -> None:
    """Both, as text and as JSON, say in which languages a task has a sample."""
    assert run(["list"]) == run(["show", "qa"]) == 0
    text = capsys.readouterr().out
    (line,) = [each for each in text.splitlines() if each.startswith("  qa ")]
    assert "[samples: en, zh]" in line
    (line,) = [each for each in text.splitlines() if each.startswith("  masked-lm ")]
    assert "[samples: en]" in line
    assert "languages of the sample: en, zh (--language)" in text
    assert run(["list", "--json"]) == 0
    cards = json.loads(capsys.readouterr().out)
    assert cards["tasks"][0]["languages"] == ["en", "zh"]
    assert "languages" not in cards["models"][0]
    assert run(["show", "masked-lm", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["languages"] == ["en"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("tkgen new --language ", {"en", "zh"}),
        ("tkgen new --language z", {"zh"}),
        ("tkgen new --task mrc --language ", {"en", "zh"}),
        ("tkgen new --task masked-lm --language ", {"en"}),
    ],
)
def test_completion_offers_the_languages(
    tkgen: Run, words: str, expected: set[str]
) -> None:
    """The shell is offered the languages of the task that was typed, else all."""
    count = len(words.split()) - (not words.endswith(" "))
    env = {"_TKGEN_COMPLETE": "bash_complete", "COMP_WORDS": words}
    lines = tkgen(env={**env, "COMP_CWORD": str(count)}).stdout.split()
    assert {line.partition(",")[2] for line in lines} == expected


def test_the_language_is_in_the_command_without_questions() -> None:
    """What is asked interactively can be typed, with the language that was given."""
    from tkgen.answers import Answers
    from tkgen.cli import equivalent_command

    answers = Answers("qa", "bert", "qa-bert", "qa_bert", (), "zh")
    words = equivalent_command(answers, (), Path("."), dry_run=False)
    assert words[-2:] == ["--language", "zh"]
