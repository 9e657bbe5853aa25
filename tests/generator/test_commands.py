"""`tkgen list`, `show`, `completion`, `--version`, and what each of them loads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tkgen import __version__
from tkgen.catalog import Catalog
from tkgen.cli import run

from .conftest import QA_BERT, Run, environment


def test_list_names_everything(
    catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each task and model has one line with its title, summary and aliases."""
    assert run(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for card in (*catalog.tasks, *catalog.models, *catalog.options):
        (line,) = [line for line in lines if line.startswith(f"  {card.name} ")]
        assert card.summary in line
        assert all(alias in line for alias in card.aliases)


def test_list_as_json(catalog: Catalog, capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON list is versioned and holds the cards."""
    assert run(["list", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["format"], document["version"]) == ("tkgen-list", 1)
    assert [task["name"] for task in document["tasks"]] == list(catalog.names("task"))


def test_show_says_what_a_task_generates(
    catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    """An alias shows files, fields, the example line and the exact command."""
    assert run(["show", "mrc"]) == 0
    text = capsys.readouterr().out
    data = catalog.find("task", "qa").data
    assert data is not None
    for file in catalog.files_for("qa"):
        assert f"  {file.path_for('PACKAGE')} " in text
    assert data.example in text
    assert "is_impossible" in text
    assert "tkgen new --task qa --model bert" in text


def test_show_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON form holds the same, and its example is a line of data."""
    assert run(["show", "qa", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["format"], document["version"]) == ("tkgen-task", 1)
    assert json.loads(document["data"]["example"])["question"]
    assert {"path", "axis", "description"} == set(document["files"][0])


def test_version_and_help(tkgen: Run) -> None:
    """--version prints the version; no command at all prints the help."""
    assert tkgen("--version").stdout.split()[-1] == __version__
    assert "new" in tkgen("--help").stdout
    bare = tkgen()
    assert (bare.returncode, bare.stdout) == (0, tkgen("--help").stdout)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each script asks tkgen through the variable that tkgen answers to."""
    assert run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"_TKGEN_COMPLETE={shell}_complete" in script


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("tkgen new --task ", {"qa", "question-answering", "mrc"}),
        ("tkgen new --task m", {"mrc"}),
        ("tkgen new --model ", {"bert", "albert"}),
        ("tkgen show ques", {"question-answering"}),
        ("tkgen comp", {"completion"}),
    ],
)
def test_completion_offers_names_and_aliases(
    tkgen: Run, words: str, expected: set[str]
) -> None:
    """The shell is offered the catalog's names, as far as they fit what is typed."""
    count = len(words.split()) - (not words.endswith(" "))
    env = {
        "_TKGEN_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(count),
    }
    lines = tkgen(env=env).stdout.split()
    assert expected <= {line.partition(",")[2] for line in lines}


LOADED = """
import sys
from tkgen.cli import run
code = run(sys.argv[1:])
print("loaded", *{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
sys.exit(code)
"""
HEAVY = {"tensorflow", "keras", "numpy", "torch", "jax"}


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["new", *QA_BERT], HEAVY),
        (["new", *QA_BERT, "--dry-run", "--json"], HEAVY),
        (["list"], HEAVY | {"black", "cookiecutter", "jinja2"}),
        (["show", "qa"], HEAVY | {"black", "cookiecutter", "jinja2"}),
        (["--version"], HEAVY | {"black", "cookiecutter", "jinja2", "rich"}),
        (["--help"], HEAVY | {"black", "cookiecutter", "jinja2", "rich"}),
    ],
)
def test_commands_load_only_what_they_need(
    checkout: Path, tmp_path: Path, arguments: list[str], unwanted: set[str]
) -> None:
    """No command loads TensorFlow, Keras or numpy; the light ones no renderer."""
    result = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        env=environment(checkout),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    loaded = set(result.stderr.split())
    assert "loaded" in loaded
    assert not loaded & unwanted


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_an_output_that_takes_nothing_is_refused(checkout: Path) -> None:
    """A full disk under the output is three lines and exit code 3, no traceback."""
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "tkgen", "list"],
            env=environment(checkout),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert result.returncode == 3
    assert result.stderr.startswith("error: cannot print the result\n  why: ")
    assert "Traceback" not in result.stderr
